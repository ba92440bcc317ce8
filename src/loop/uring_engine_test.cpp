// SPDX-License-Identifier: Apache-2.0
#include "loop/uring_engine.hpp"

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"

#include <squall/base/log.hpp>
#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cstdlib>
#include <deque>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace squall::loop {
namespace {

using namespace std::chrono_literals;

constexpr unsigned never = 0;
unsigned refused_flags = never;
int refusal = EINVAL;

int refuse_flags(unsigned entries, io_uring* ring, io_uring_params* params) {
  if ((params->flags & refused_flags) != 0) return -refusal;
  return ::io_uring_queue_init_params(entries, ring, params);
}
int refuse_rings(unsigned, io_uring*, io_uring_params*) { return -refusal; }
int refuse_buffers(io_uring*, io_uring_buf_reg*, unsigned) { return -refusal; }

/// What came to a stream, and what became of it.
struct Ear final : StreamHandler {
  void on_receive(std::span<char> bytes) override { received.append(bytes.data(), bytes.size()); }
  void on_eof() override { saw_eof = true; }
  void on_timeout() override {}
  void on_broken(std::error_code error) override { broken = error; }
  Stream* stream = nullptr;
  std::string received;
  bool saw_eof = false;
  std::error_code broken;
  UniqueFd peer;
};

std::string read_all(int fd) {
  std::string text;
  char buffer[65536];
  ssize_t got;
  while ((got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

/// Each test has a thread, and so a loop, of its own, on io_uring whatever the environment says.
class UringEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!UringRing::make(why)) GTEST_SKIP() << "no io_uring here: " << why;
    if (const char* const engine = std::getenv("SQUALL_ENGINE")) before_ = engine;
    ::setenv("SQUALL_ENGINE", "uring", 1);
    log::set_sink(
        [](void* out, log::Level, std::string_view, std::string_view message) {
          static_cast<std::string*>(out)->append(message).push_back('\n');
        },
        &lines);
  }
  void TearDown() override {
    log::set_sink(nullptr, nullptr);
    UringRing::calls = {&io_uring_queue_init_params, &io_uring_register_buf_ring};
    refused_flags = never;
    refusal = EINVAL;
    if (before_.empty()) {
      ::unsetenv("SQUALL_ENGINE");
    } else {
      ::setenv("SQUALL_ENGINE", before_.c_str(), 1);
    }
  }

  template <class F>
  static void on_its_own_loop(F body) {
    std::thread thread([&] { body(); });
    thread.join();
  }

  static void connect(Ear& ear) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ear.peer.reset(ends[1]);
    ear.stream = &Stream::adopt(LoopCore::current(), UniqueFd(ends[0]), ear);
  }

  static void end(Ear& ear) {
    if (!ear.broken) ear.stream->abort();
  }

  static void expect_an_echo() {
    Ear ear;
    connect(ear);
    ASSERT_EQ(::write(ear.peer.get(), "hello", 5), 5);
    run_until([&] { return ear.received == "hello"; });
    ear.stream->write("hello yourself");
    run_until([&] { return ear.stream->pending_bytes() == 0; });
    EXPECT_EQ(read_all(ear.peer.get()), "hello yourself");
    end(ear);
    run_until([] { return LoopCore::current().open_streams() == 0; });
    EXPECT_EQ(::read(ear.peer.get(), ear.received.data(), 1), 0);
  }

  std::string lines;

 private:
  std::string before_;
};

TEST_F(UringEngineTest, GivesUpOneSetUpFlagAfterTheOther) {
  struct Step {
    unsigned refused;
    unsigned expected;
  };
  constexpr unsigned sizes = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;
  const Step steps[] = {
      {never, sizes | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN},
      {IORING_SETUP_DEFER_TASKRUN, sizes | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN},
      {IORING_SETUP_SINGLE_ISSUER, sizes | IORING_SETUP_COOP_TASKRUN},
      {IORING_SETUP_SUBMIT_ALL, IORING_SETUP_CQSIZE},
      {IORING_SETUP_CQSIZE, 0},
  };
  UringRing::calls.init = &refuse_flags;
  for (const Step& step : steps) {
    refused_flags = step.refused;
    std::string why;
    const std::unique_ptr<UringRing> ring = UringRing::make(why);
    ASSERT_NE(ring, nullptr) << why;
    EXPECT_EQ(ring->flags(), step.expected);
    on_its_own_loop([] {
      EXPECT_EQ(IOLoop::current().engine_name(), "io_uring");
      expect_an_echo();
    });
  }
}

TEST_F(UringEngineTest, FallsBackToEpollWhateverTheErrorAndSaysSoOnce) {
  UringRing::calls.init = &refuse_rings;
  for (const int error : {EPERM, ENOSYS, ENOMEM, EINVAL, EOPNOTSUPP}) {
    refusal = error;
    on_its_own_loop([] {
      EXPECT_EQ(IOLoop::current().engine_name(), "epoll");
      expect_an_echo();
    });
  }
  EXPECT_NE(lines.find("io_uring cannot be used"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("cannot be used"), lines.rfind("cannot be used")) << lines;
}

TEST_F(UringEngineTest, FallsBackToEpollWithoutProvidedBuffers) {
  UringRing::calls.register_buffers = &refuse_buffers;
  on_its_own_loop([] {
    EXPECT_EQ(IOLoop::current().engine_name(), "epoll");
    expect_an_echo();
  });
}

TEST_F(UringEngineTest, MoreConnectionsThanBuffersAreAllHeard) {
  on_its_own_loop([] {
    std::deque<Ear> ears(5 * UringRing::buffer_count);
    for (Ear& ear : ears) connect(ear);
    const std::string text(3 * UringRing::buffer_bytes, 'x');
    for (int round = 1; round <= 3; ++round) {
      for (Ear& ear : ears) {
        ASSERT_EQ(::write(ear.peer.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
      }
      run_until([&] {
        std::size_t all = 0;
        for (const Ear& ear : ears) all += ear.received.size();
        return all == ears.size() * static_cast<std::size_t>(round) * text.size();
      });
    }
    for (Ear& ear : ears) end(ear);
  });
}

// More reports than their queue holds: of receives that find no buffer, of sends that fail.
TEST_F(UringEngineTest, ReportsThatFindNoRoomAreNotLost) {
  constexpr std::size_t count = 4600;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit wide = before;
  wide.rlim_cur = std::min<rlim_t>(before.rlim_max, 2 * count + 100);
  if (wide.rlim_cur < 2 * count + 100) GTEST_SKIP() << "too few descriptors";
  ::setrlimit(RLIMIT_NOFILE, &wide);
  on_its_own_loop([] {
    std::deque<Ear> ears(count);
    std::vector<std::size_t> filled;
    const std::string filling(4096, 'f');
    for (Ear& ear : ears) {
      connect(ear);
      const int small = 4096;
      ::setsockopt(ear.stream->native_handle(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
      std::size_t bytes = 0;
      ssize_t sent;
      while ((sent = ::send(ear.stream->native_handle(), filling.data(), filling.size(),
                            MSG_DONTWAIT)) > 0) {
        bytes += static_cast<std::size_t>(sent);
      }
      filled.push_back(bytes);
    }
    IOLoop::current().post([&] {
      for (Ear& ear : ears) {
        ear.stream->write("answer");
        ASSERT_EQ(::write(ear.peer.get(), "question", 8), 8);
      }
    });
    run_until([&] {
      return std::all_of(ears.begin(), ears.end(),
                         [](const Ear& ear) { return ear.received == "question"; });
    });
    for (Ear& ear : ears) ASSERT_EQ(ear.stream->pending_bytes(), 6U) << "counted as sent";
    std::vector<std::string> seen(count);
    run_until([&] {
      bool all = true;
      for (std::size_t i = 0; i < count; ++i) {
        seen[i] += read_all(ears[i].peer.get());
        all = all && seen[i].size() == filled[i] + 6;
      }
      return all;
    });
    for (const std::string& text : seen) EXPECT_EQ(text.substr(text.size() - 6), "answer");
    for (Ear& ear : ears) end(ear);
  });
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(UringEngineTest, AClosedListenerFreesItsPortAtOnce) {
  on_its_own_loop([] {
    struct Door : Acceptor {
      using Acceptor::Acceptor;
      void on_accept(UniqueFd, const sockaddr_storage&) override { ++accepted; }
      void on_accept_failed(std::error_code) override {}
      int accepted = 0;
    };
    const auto open_at = [](std::uint16_t port) {
      UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const bool bound =
          ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
          ::listen(fd.get(), 8) == 0;
      return bound ? std::move(fd) : UniqueFd();
    };
    Engine& engine = LoopCore::current().engine();
    std::uint16_t port = 0;
    for (int i = 0; i < 3; ++i) {
      UniqueFd fd = open_at(port);
      ASSERT_TRUE(fd) << "its earlier listener has the port still";
      sockaddr_in address{};
      socklen_t size = sizeof address;
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
      port = ntohs(address.sin_port);
      Door door(fd.get());
      ASSERT_FALSE(engine.start_accepting(door));
      int turns = 0;
      run_until([&] { return ++turns > 3; });
      engine.stop_accepting(door);
    }
  });
}

TEST_F(UringEngineTest, AStreamThatEndsWhileTheLoopDoesNotRunIsClosed) {
  on_its_own_loop([] {
    Ear ear;
    connect(ear);
    int turns = 0;
    run_until([&] { return ++turns > 3; });
    ear.stream->abort();
    char byte;
    EXPECT_EQ(::recv(ear.peer.get(), &byte, 1, MSG_DONTWAIT), 0);
  });
}

TEST_F(UringEngineTest, WhatIsWrittenInTheLastTurnIsSent) {
  on_its_own_loop([] {
    Ear ear;
    connect(ear);
    IOLoop::current().post([&] {
      ear.stream->write("last");
      IOLoop::current().stop();
    });
    IOLoop::current().start();
    EXPECT_EQ(read_all(ear.peer.get()), "last");
    ear.stream->abort();
  });
}

TEST_F(UringEngineTest, ALoopMayEndWithOperationsUnderWay) {
  std::deque<Ear> closed(20);
  on_its_own_loop([&] {
    for (Ear& ear : closed) connect(ear);
    int turns = 0;
    run_until([&] { return ++turns > 3; });
    for (Ear& ear : closed) {
      ASSERT_EQ(::write(ear.peer.get(), "unread", 6), 6);
      ear.stream->write("unsent");
      ear.stream->close(&ear == &closed.back() ? Stream::Linger::no : Stream::Linger::yes);
    }
  });
  for (Ear& ear : closed) {
    char buffer[16];
    EXPECT_LE(::recv(ear.peer.get(), buffer, sizeof buffer, MSG_DONTWAIT), 6);
  }
}

// A poll that was not asked for the peer's leaving reports it none the less.
TEST_F(UringEngineTest, APeerThatLeftDoesNotKeepTheLoopBusy) {
  on_its_own_loop([] {
    Ear blocked;
    connect(blocked);
    blocked.stream->write(std::string(4 * 1024 * 1024, 'x'));
    ::shutdown(blocked.peer.get(), SHUT_WR);
    run_until([&] { return blocked.saw_eof; });

    struct Writable : Watch {
      explicit Writable(int of) : Watch(of, 0) {}
      void on_ready(unsigned) override { ++calls; }
      int calls = 0;
    };
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    const UniqueFd end_here(ends[0]);
    const UniqueFd end_there(ends[1]);
    Writable watch(end_here.get());
    ASSERT_FALSE(LoopCore::current().engine().start_watching(watch));
    ::shutdown(end_there.get(), SHUT_WR);

    const std::uint64_t before = LoopCore::current().turn();
    IOLoop::current().call_later(100ms, [] { IOLoop::current().stop(); });
    IOLoop::current().start();
    EXPECT_LT(LoopCore::current().turn() - before, 20U);
    EXPECT_EQ(watch.calls, 0);

    watch.interest = Watch::writable;
    LoopCore::current().engine().update_watching(watch);
    run_until([&] { return watch.calls >= 3; });  // told as long as it is so
    LoopCore::current().engine().stop_watching(watch);

    std::size_t seen = 0;
    run_until([&] {
      seen += read_all(blocked.peer.get()).size();
      return seen == 4 * 1024 * 1024;
    });
    end(blocked);
  });
}

TEST_F(UringEngineTest, AChildOfForkMayEndWithTheLoop) {
  on_its_own_loop([] {
    Ear ear;
    connect(ear);
    int turns = 0;
    run_until([&] { return ++turns > 3; });
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ear.stream->abort();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ASSERT_EQ(::write(ear.peer.get(), "still there", 11), 11);
    run_until([&] { return ear.received == "still there"; });
    end(ear);
  });
}

}  // namespace
}  // namespace squall::loop
