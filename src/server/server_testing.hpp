// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"
#include "server/http1_connection.hpp"
#include "server/http_server.hpp"

#include <squall/base/log.hpp>
#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace squall::server {

/// A server connection on this thread's loop; the test holds the client's end of a socket pair.
class ServerTest : public ::testing::Test, public ServerDelegate {
 protected:
  ServerTest() {
    log::set_sink([](void*, log::Level, std::string_view, std::string_view) {}, nullptr);
  }
  ~ServerTest() override {
    end();
    run_until([] { return loop::LoopCore::current().open_streams() == 0; });
    log::set_sink(nullptr, nullptr);
  }

  /// Ends the server; to be called by the destructor of who receives its calls.
  void end() {
    client.reset();
    server.reset();
  }

  void connect() {
    if (!server) {
      server = std::make_unique<HTTPServer>(loop::LoopCore::current(), *this, options);
    }
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    client.reset(ends[1]);
    HTTP1Connection::start(server->plain_port(), UniqueFd(ends[0]),
                           net::SocketAddress::parse("192.0.2.1", 7));
  }

  void send(std::string_view bytes) {
    ASSERT_EQ(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  static void run_until(const std::function<bool()>& condition) { loop::run_until(condition); }

  /// Adds what has come back to `answer`; true once the server has closed.
  bool receive() {
    char buffer[4096];
    ssize_t got;
    while ((got = ::recv(client.get(), buffer, sizeof buffer, 0)) > 0) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
    return got == 0 || errno == ECONNRESET;
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
  [[nodiscard]] std::string status() const { return answer.substr(0, answer.find("\r\n")); }

  ServerOptions options;
  std::unique_ptr<HTTPServer> server;
  UniqueFd client;
  std::string answer;
};

}  // namespace squall::server
