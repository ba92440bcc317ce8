// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"
#include "loop/stream.hpp"
#include "transport/recording_delegate_testing.hpp"
#include "transport/websocket_owner.hpp"

#include <squall/base/log.hpp>
#include <squall/loop/unique_fd.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace squall::transport {

/// A connection on this thread's loop; the test holds the other end of a socket pair.
class ConnectionTest : public ::testing::Test, protected RecordingDelegate {
 protected:
  ConnectionTest() {
    log::set_sink([](void*, log::Level, std::string_view, std::string_view) {}, nullptr);
  }
  ~ConnectionTest() override {
    peer.reset();
    if (connection != nullptr) connection->abort_now();
    run_until([] { return loop::LoopCore::current().open_streams() == 0; });
    log::set_sink(nullptr, nullptr);
  }

  void open(WebSocketConnection::Role role = WebSocketConnection::Role::server) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer.reset(ends[1]);
    loop::LoopCore& core = loop::LoopCore::current();
    owner = std::make_unique<Owner>(core, options);
    loop::Stream& stream = loop::Stream::adopt(core, UniqueFd(ends[0]), nobody);
    connection = &WebSocketConnection::start(stream, role, *owner, *this);
    if (open_at_once) connection->resume();
  }

  void send(std::string_view bytes) {
    ASSERT_EQ(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Adds what has come back to `answer`; true once our end has closed.
  bool receive() {
    char buffer[4096];
    ssize_t got;
    while ((got = ::recv(peer.get(), buffer, sizeof buffer, 0)) > 0) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
    return got == 0 || errno == ECONNRESET;
  }
  static void run_until(const std::function<bool()>& condition) { loop::run_until(condition); }
  static void run_turns(int count) {
    run_until([&] { return --count < 0; });
  }
  void run_until_answer_has(std::string_view text) {
    run_until([&] {
      receive();
      return answer.find(text) != std::string::npos;
    });
  }
  void run_until_closed() {
    run_until([&] { return receive(); });
  }

  struct Owner final : WebSocketOwner {
    using WebSocketOwner::WebSocketOwner;
    void on_end(WebSocketConnection&) noexcept override { ++ended; }
    int ended = 0;
  };
  struct Nobody final : loop::StreamHandler {
    void on_receive(std::span<char>) override {}
    void on_eof() override {}
    void on_timeout() override {}
    void on_broken(std::error_code) override {}
  };

  WebSocketOptions options;
  Nobody nobody;
  std::unique_ptr<Owner> owner;
  UniqueFd peer;
  std::string answer;
};

}  // namespace squall::transport
