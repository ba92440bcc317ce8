// SPDX-License-Identifier: Apache-2.0
#include "loop/stream.hpp"

#include "loop/forks.hpp"
#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"

#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace squall::loop {
namespace {

using namespace std::chrono_literals;

/// One end is a Stream on this thread's loop, the other a plain descriptor of the test's.
class StreamTest : public ::testing::Test, protected StreamHandler {
 protected:
  StreamTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peer.reset(ends[1]);
    stream = &Stream::adopt(LoopCore::current(), UniqueFd(ends[0]), *this);
  }
  ~StreamTest() override {
    if (stream != nullptr) stream->abort();
    run_until([] { return LoopCore::current().open_streams() == 0; });
  }

  void on_receive(std::span<char> bytes) override {
    received.append(bytes.data(), bytes.size());
    if (when_received) when_received();
  }
  void on_eof() override { saw_eof = true; }
  void on_peer_left() override { ++peer_left; }
  void on_drained() override { ++drained; }
  void on_timeout() override { ++timeouts; }
  void on_broken(std::error_code error) override {
    broken = error;
    stream = nullptr;
  }
  std::uint32_t min_write_rate() const noexcept override { return min_rate; }

  std::string read_peer() {
    std::string text;
    char buffer[65536];
    ssize_t got;
    while ((got = ::read(peer.get(), buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    peer_saw_end = got == 0;
    return text;
  }

  UniqueFd peer;
  Stream* stream = nullptr;
  std::uint32_t min_rate = 0;
  std::string received;
  std::function<void()> when_received;
  bool saw_eof = false;
  bool peer_saw_end = false;
  int peer_left = 0;
  int drained = 0;
  int timeouts = 0;
  std::optional<std::error_code> broken;
};

TEST_F(StreamTest, ReceivesWhatThePeerSends) {
  ASSERT_EQ(::write(peer.get(), "hello", 5), 5);
  run_until([&] { return received == "hello"; });
}

TEST_F(StreamTest, WritesOfATurnLeaveTogetherAtItsEnd) {
  stream->write("one ");
  stream->write("two");
  EXPECT_EQ(read_peer(), "") << "sent before the turn's end";
  run_until([&] { return stream->pending_bytes() == 0; });
  EXPECT_EQ(read_peer(), "one two");
}

TEST_F(StreamTest, AFullPeerHoldsOutputBackAndADrainIsReported) {
  const std::string big(8 * 1024 * 1024, 'x');
  stream->write(big);
  stream->request_drain_notice();
  run_until([&] { return stream->pending_bytes() < big.size(); });
  EXPECT_GT(stream->pending_bytes(), 0U);
  EXPECT_EQ(drained, 0);
  std::string seen;
  run_until([&] {
    seen += read_peer();
    return seen.size() == big.size();
  });
  EXPECT_EQ(seen, big);
  run_until([&] { return drained == 1; });
}

TEST_F(StreamTest, APausedStreamReadsNothing) {
  stream->pause_receiving();
  ASSERT_EQ(::write(peer.get(), "later", 5), 5);
  int turns = 0;
  run_until([&] { return ++turns > 5; });
  EXPECT_EQ(received, "");
  stream->resume_receiving();
  run_until([&] { return received == "later"; });
}

TEST_F(StreamTest, ReportsTheEndOfThePeersOutputOnce) {
  ::shutdown(peer.get(), SHUT_WR);
  run_until([&] { return saw_eof; });
  stream->write("still heard");
  run_until([&] { return stream->pending_bytes() == 0; });
  EXPECT_EQ(read_peer(), "still heard");
}

TEST_F(StreamTest, ClosingSendsWhatIsPendingFirst) {
  stream->write("last words");
  stream->close();
  stream = nullptr;
  run_until([&] { return LoopCore::current().open_streams() == 0; });
  EXPECT_EQ(read_peer(), "last words");
  EXPECT_TRUE(peer_saw_end);
}

TEST_F(StreamTest, LingeringReadsOnUntilThePeerIsDone) {
  stream->write("answer");
  stream->close(Stream::Linger::yes);
  stream = nullptr;
  std::string seen;
  run_until([&] {
    seen += read_peer();
    return peer_saw_end;
  });
  EXPECT_EQ(seen, "answer");
  EXPECT_EQ(LoopCore::current().open_streams(), 1U);
  ASSERT_EQ(::write(peer.get(), "more", 4), 4) << "the connection was closed under the peer";
  peer.reset();
  run_until([&] { return LoopCore::current().open_streams() == 0; });
}

TEST_F(StreamTest, DeadlinesFireAndMayBeMoved) {
  stream->set_deadline(1h);
  stream->set_deadline(3ms);
  run_until([&] { return timeouts == 1; });
  stream->set_deadline(1ms);
  stream->clear_deadline();
  int turns = 0;
  run_until([&] { return ++turns > 10; });
  EXPECT_EQ(timeouts, 1);
}

TEST_F(StreamTest, APeerThatNeverReadsBreaksTheConnection) {
  stream->set_write_timeout(20ms);
  stream->write(std::string(8 * 1024 * 1024, 'x'));
  run_until([&] { return broken.has_value(); });
  EXPECT_EQ(*broken, std::errc::timed_out);
}

/// Its peer takes a kilobyte a millisecond: enough for the kernel to see that it reads, too little
/// for the stream to have its turn again within a write timeout.
class StreamToASlowPeerTest : public StreamTest {
 protected:
  StreamToASlowPeerTest() {
    min_rate = 100'000'000;
    stream->set_write_timeout(100ms);
    stream->write(std::string(bytes, 'x'));
  }

  void read_slowly() {
    char buffer[16 * 1024];
    const auto due =
        static_cast<std::size_t>((std::chrono::steady_clock::now() - begun) / 1ms) * 1024;
    const ssize_t got = ::read(peer.get(), buffer, std::min(due - taken, sizeof buffer));
    if (got > 0) taken += static_cast<std::size_t>(got);
  }

  static constexpr std::size_t bytes = 4 * 1024 * 1024;
  const std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  std::size_t taken = 0;
};

TEST_F(StreamToASlowPeerTest, IsBrokenWhenItTakesLessThanTheLeastRate) {
  run_until([&] {
    read_slowly();
    return broken.has_value();
  });
  ASSERT_TRUE(broken.has_value());
  EXPECT_EQ(*broken, std::errc::timed_out);
}

TEST_F(StreamToASlowPeerTest, IsBrokenForThatAlsoWhenTheOwnerHasClosedIt) {
  std::exchange(stream, nullptr)->close();
  run_until([&] {
    read_slowly();
    return LoopCore::current().open_streams() == 0;
  });
  EXPECT_LT(taken, bytes / 2) << "it was sent to the end";
}

TEST_F(StreamTest, APausedStreamHearsThatItsPeerLeft) {
  stream->pause_receiving();
  ASSERT_EQ(::write(peer.get(), "unread", 6), 6);
  ::shutdown(peer.get(), SHUT_WR);
  run_until([&] { return peer_left == 1; });
  int turns = 0;
  run_until([&] { return ++turns > 5; });
  EXPECT_EQ(peer_left, 1);
  EXPECT_FALSE(saw_eof);
  stream->resume_receiving();
  run_until([&] { return saw_eof; });
  EXPECT_EQ(received, "unread");
}

TEST_F(StreamTest, WritingToAPeerThatLeftBreaksTheConnection) {
  peer.reset();
  run_until([&] { return saw_eof || broken; });
  if (!broken) {
    stream->write("anyone?");
    run_until([&] { return broken.has_value(); });
  }
  EXPECT_TRUE(broken.has_value());
}

TEST_F(StreamTest, MayBeAbortedInsideItsOwnReport) {
  when_received = [&] {
    stream->abort();
    stream = nullptr;
  };
  ASSERT_EQ(::write(peer.get(), "x", 1), 1);
  run_until([&] { return stream == nullptr; });
  EXPECT_EQ(read_peer(), "");
}

TEST_F(StreamTest, AFileForAPeerThatLeftDoesNotEndTheProcess) {
  UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file);
  peer.reset();
  stream->write_file(std::move(file), 0, 4096);
  run_until([&] { return broken.has_value(); });
}

TEST(Stream, WhatStillLingersWhenItsLoopEndsIsClosedWithIt) {
  struct Nobody : StreamHandler {
    void on_receive(std::span<char>) override {}
    void on_eof() override {}
    void on_timeout() override {}
    void on_broken(std::error_code) override {}
  };
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const UniqueFd peer(ends[1]);
  std::thread other([&ends] {
    Nobody nobody;
    Stream& lingering = Stream::adopt(LoopCore::current(), UniqueFd(ends[0]), nobody);
    lingering.write("bye");
    lingering.close(Stream::Linger::yes);
    IOLoop::current().stop();
    IOLoop::current().start();
  });
  other.join();
  char buffer[8];
  EXPECT_EQ(::read(peer.get(), buffer, sizeof buffer), 3);
  EXPECT_EQ(::read(peer.get(), buffer, sizeof buffer), 0) << "the descriptor was left open";
}

TEST_F(StreamTest, SendsAPartOfAFile) {
  char name[] = "/tmp/squall_stream_testXXXXXX";
  UniqueFd file(::mkstemp(name));
  ASSERT_TRUE(file);
  ::unlink(name);
  const std::string text = "0123456789";
  ASSERT_EQ(::write(file.get(), text.data(), text.size()), 10);
  stream->write("<");
  stream->write_file(std::move(file), 2, 5);
  stream->write(">");
  run_until([&] { return stream->pending_bytes() == 0; });
  EXPECT_EQ(read_peer(), "<23456>");
}

// Whether an epoll set of this process still watches a descriptor of that number.
bool is_watched(int fd) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      int number = -1;
      if (std::sscanf(line.c_str(), "tfd: %d", &number) == 1 && number == fd) return true;
    }
  }
  return false;
}

// As a child has one between its fork and its exec: close(2) alone leaves the set as it is then,
// and the engine is told of events for a stream that is gone.
TEST_F(StreamTest, NothingIsHeardOfAStreamThatIsClosedWhileAChildHasACopy) {
  expect_forks();
  const int number = stream->native_handle();
  const UniqueFd copy(::fcntl(number, F_DUPFD_CLOEXEC, number + 100));
  ASSERT_TRUE(copy);
  std::exchange(stream, nullptr)->abort();
  run_until([] { return LoopCore::current().open_streams() == 0; });
  EXPECT_FALSE(is_watched(number));
  ASSERT_EQ(::write(peer.get(), "late", 4), 4);
  int turns = 0;
  run_until([&] { return ++turns > 3; });
  EXPECT_EQ(received, "");
}

}  // namespace
}  // namespace squall::loop
