// SPDX-License-Identifier: Apache-2.0
#include "loop/read_ahead.hpp"

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"
#include "loop/stream.hpp"

#include <squall/loop/executor.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace squall::loop {
namespace {

std::atomic<int> probes{0};
std::size_t nothing_is_resident(int, off_t, std::size_t) {
  ++probes;
  return 0;
}

UniqueFd file_of(const std::string& text) {
  char name[] = "/tmp/squall_read_aheadXXXXXX";
  UniqueFd file(::mkstemp(name));
  ::unlink(name);
  EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return file;
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + (i >> 12));
  return text;
}

/// A stream of this thread's loop and the other end of its connection.
class End : protected StreamHandler {
 public:
  End() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peer.reset(ends[1]);
    stream = &Stream::adopt(LoopCore::current(), UniqueFd(ends[0]), *this);
  }
  ~End() {
    if (stream != nullptr) stream->abort();
  }
  const std::string& read() {
    char buffer[65536];
    ssize_t got;
    while ((got = ::read(peer.get(), buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    ended = got == 0;
    return text;
  }

  UniqueFd peer;
  Stream* stream;
  std::string text;
  bool ended = false;

 private:
  void on_receive(std::span<char>) override {}
  void on_eof() override {}
  void on_timeout() override {}
  void on_broken(std::error_code) override { stream = nullptr; }
};

/// Keeps all threads of the shared Executor busy until it ends, as slow disks would.
class BusyExecutor {
 public:
  BusyExecutor() {
    for (int i = 0; i < 64; ++i) spawn(occupy(gate_));
  }
  ~BusyExecutor() { open(); }
  void open() {
    const std::scoped_lock lock(gate_->mutex);
    gate_->open = true;
    gate_->condition.notify_all();
  }

 private:
  struct Gate {
    std::mutex mutex;
    std::condition_variable condition;
    bool open = false;
  };
  static void wait(std::shared_ptr<Gate> gate) {
    std::unique_lock lock(gate->mutex);
    gate->condition.wait(lock, [&] { return gate->open; });
  }
  static Task<> occupy(std::shared_ptr<Gate> gate) {
    co_await Executor::shared().run(&wait, std::move(gate));
  }
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

class ReadAheadTest : public ::testing::Test {
 protected:
  ReadAheadTest() {
    probes = 0;
    set_residency_probe(&nothing_is_resident);
  }
  ~ReadAheadTest() override {
    set_residency_probe(nullptr);
    run_until([] { return LoopCore::current().open_streams() == 0; });
  }
};

TEST_F(ReadAheadTest, AFileThatIsNotInMemoryArrivesWhole) {
  const std::string text = pattern(2'500'000);
  End end;
  end.stream->write("<");
  end.stream->write_file(file_of(text), 0, text.size());
  end.stream->write(">");
  run_until([&] { return end.read().size() == text.size() + 2; });
  EXPECT_TRUE(end.text == "<" + text + ">");
  EXPECT_EQ(probes, 3) << "once a window of 1 MiB";
}

TEST_F(ReadAheadTest, WhileItIsReadTheOthersAreServed) {
  const std::string text = pattern(100'000);
  BusyExecutor slow;
  End waiting;
  End other;
  waiting.stream->write("head");
  waiting.stream->write_file(file_of(text), 0, text.size());
  run_until([&] { return probes > 0; });
  for (int i = 1; i <= 3; ++i) {
    other.stream->write("quick");
    run_until([&] { return other.read().size() == 5U * static_cast<unsigned>(i); });
    waiting.stream->write("");
    waiting.stream->schedule_flush();
  }
  EXPECT_EQ(waiting.read(), "head") << "the file's part waits";
  EXPECT_EQ(probes, 1) << "it is not asked for again";
  slow.open();
  run_until([&] { return waiting.read().size() == text.size() + 4; });
  EXPECT_TRUE(waiting.text == "head" + text);
}

TEST_F(ReadAheadTest, AStreamMayEndMeanwhile) {
  BusyExecutor slow;
  {
    End end;
    end.stream->write_file(file_of(pattern(1000)), 0, 1000);
    run_until([&] { return probes > 0; });
  }
  slow.open();
  run_until([] { return true; });
}

TEST_F(ReadAheadTest, AClosedStreamSendsItsFileFirst) {
  const std::string text = pattern(200'000);
  End end;
  end.stream->write_file(file_of(text), 0, text.size());
  end.stream->close();
  end.stream = nullptr;
  run_until([&] {
    end.read();
    return end.ended;
  });
  EXPECT_TRUE(end.text == text);
}

TEST_F(ReadAheadTest, ALoopMayEndMeanwhile) {
  BusyExecutor slow;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const UniqueFd peer(ends[1]);
  std::thread([&] {
    struct Nobody : StreamHandler {
      void on_receive(std::span<char>) override {}
      void on_eof() override {}
      void on_timeout() override {}
      void on_broken(std::error_code) override {}
    } nobody;
    Stream& stream = Stream::adopt(LoopCore::current(), UniqueFd(ends[0]), nobody);
    stream.write_file(file_of("text"), 0, 4);
    stream.close();
    run_until([] { return probes > 0; });
  }).join();
  char buffer[8];
  EXPECT_EQ(::read(peer.get(), buffer, sizeof buffer), 0) << "the descriptor was left open";
}

TEST_F(ReadAheadTest, ATruncatedFileBreaksTheConnection) {
  End end;
  UniqueFd file = file_of(pattern(1000));
  const UniqueFd same(::dup(file.get()));
  end.stream->write_file(std::move(file), 0, 1000);
  ASSERT_EQ(::ftruncate(same.get(), 400), 0);
  run_until([&] { return end.stream == nullptr; });
  EXPECT_EQ(end.read().size(), 400U);
}

TEST(ResidentBytes, TellsWhatIsInMemory) {
  const std::string text = pattern(600'000);
  const UniqueFd file = file_of(text);
  EXPECT_EQ(resident_bytes(file.get(), 0, text.size()), text.size());
  EXPECT_EQ(resident_bytes(file.get(), 599'999, 1), 1U);
  ::fsync(file.get());
  const auto drop = [&file, &text] {
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    return resident_bytes(file.get(), 0, text.size());
  };
  std::size_t left = drop();
  if (left == text.size()) GTEST_SKIP() << "this file system is memory, or cannot tell";
  // Pages that a processor has not yet put on the kernel's lists stay: they go the next time.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (left >= 200'000 && std::chrono::steady_clock::now() < patience) left = drop();
  EXPECT_LT(left, 200'000U);
}

}  // namespace
}  // namespace squall::loop
