// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"

#include <squall/coro/detail/task_runner.hpp>
#include <squall/net/stream.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace squall::net {

/// Runs one coroutine that gives a text, and lets the test go on while it waits.
class BackgroundTask {
 public:
  void start(Task<std::string> task) {
    done_ = false;
    error_ = nullptr;
    stop_ = StopSource();
    runner_.start(
        collect(std::move(task), &text_), stop_.state(),
        [](void* context, std::exception_ptr error) {
          auto* const self = static_cast<BackgroundTask*>(context);
          self->done_ = true;
          self->error_ = std::move(error);
        },
        this);
  }
  [[nodiscard]] bool is_done() const { return done_; }
  void request_stop() { stop_.request_stop(); }
  void cancel() { runner_.cancel(); }
  std::string finish() {
    loop::run_until([this] { return done_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return std::exchange(text_, {});
  }

 private:
  static Task<> collect(Task<std::string> task, std::string* out) { *out = co_await task; }

  StopSource stop_;
  std::string text_;
  std::exception_ptr error_;
  bool done_ = false;
  squall::detail::TaskRunner runner_;
};

/// A Stream, and the other end as a plain descriptor of the test's.
class StreamPair : public ::testing::Test {
 protected:
  StreamPair() : stream(make()) {}
  ~StreamPair() override {
    background.cancel();
    stream = Stream();
    peer.reset();
    loop::run_until([] { return loop::LoopCore::current().open_streams() == 0; });
  }

  Stream make() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peer.reset(ends[1]);
    return Stream::adopt_socket(ends[0]);
  }

  void send(std::string_view text) {
    std::size_t sent = 0;
    loop::run_until([&] {
      const ssize_t got = ::write(peer.get(), text.data() + sent, text.size() - sent);
      if (got > 0) sent += static_cast<std::size_t>(got);
      return sent == text.size();
    });
  }
  /// All that has come so far.
  std::string receive() {
    std::string text;
    char buffer[65536];
    ssize_t got;
    while ((got = ::read(peer.get(), buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    peer_saw_end = got == 0;
    return text;
  }
  void receive_until(const std::string& what) {
    std::string all;
    loop::run_until([&] {
      all += receive();
      return all == what;
    });
    EXPECT_EQ(all, what);
  }

  static void turn() {
    int turns = 0;
    loop::run_until([&] { return ++turns > 2; });
  }
  static void turns_for(Duration time) {
    bool over = false;
    IOLoop::current().call_later(time, [&over] { over = true; });
    loop::run_until([&] { return over; });
  }

  void start(Task<std::string> task) { background.start(std::move(task)); }
  bool is_done() const { return background.is_done(); }
  std::string finish() { return background.finish(); }
  static std::string run(Task<std::string> task) {
    BackgroundTask one;
    one.start(std::move(task));
    return one.finish();
  }

  UniqueFd peer;
  Stream stream;
  BackgroundTask background;
  bool peer_saw_end = false;
};

}  // namespace squall::net
