// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"
#include "loop/stream.hpp"
#include "transport/websocket_connection.hpp"
#include "transport/websocket_delegate.hpp"
#include "transport/websocket_owner.hpp"

#include <squall/base/log.hpp>
#include <squall/loop/unique_fd.hpp>
#include <squall/websocket/close_code.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace squall::transport {

using websocket::CloseCode;
using websocket::Opcode;

/// A masked client frame with the key zero, so that its payload is readable; or an unmasked one.
inline std::string frame(Opcode opcode, std::string_view payload, bool fin = true,
                         bool masked = true) {
  const int mask = masked ? 0x80 : 0;
  std::string bytes;
  bytes.push_back(static_cast<char>((fin ? 0x80 : 0) | static_cast<int>(opcode)));
  if (payload.size() < 126) {
    bytes.push_back(static_cast<char>(mask | static_cast<int>(payload.size())));
  } else {
    bytes.push_back(static_cast<char>(mask | 126));
    bytes.push_back(static_cast<char>(payload.size() >> 8));
    bytes.push_back(static_cast<char>(payload.size() & 0xff));
  }
  if (masked) bytes.append(4, '\0');
  bytes += payload;
  return bytes;
}
inline std::string close_frame(int code, bool masked = true) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return frame(Opcode::close, {payload, 2}, true, masked);
}

/// A connection on this thread's loop; the test holds the other end of a socket pair.
class ConnectionTest : public ::testing::Test, protected WebSocketDelegate {
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

  bool on_message(bool binary, std::string_view payload) override {
    messages.push_back((binary ? "b:" : "t:") + std::string(payload));
    if (echo) connection->send(binary ? Opcode::binary : Opcode::text, payload);
    return !busy;
  }
  void on_ping(std::string_view payload) override {
    messages.push_back("ping:" + std::string(payload));
  }
  void on_pong(std::string_view payload) override {
    messages.push_back("pong:" + std::string(payload));
  }
  void on_drained() override { ++drained; }
  void on_close(CloseCode code, std::string_view reason) override {
    ++closes;
    closed_with = std::to_string(static_cast<int>(code)) + " " + std::string(reason);
    connection = nullptr;
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
  WebSocketConnection* connection = nullptr;
  std::string answer;
  std::vector<std::string> messages;
  bool open_at_once = true;
  bool echo = false;
  bool busy = false;
  int drained = 0;
  int closes = 0;
  std::string closed_with;
};

}  // namespace squall::transport
