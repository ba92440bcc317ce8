// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/web/application.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace squall::web {

/// Serves an application on this thread's loop while a client thread talks to it with plain
/// sockets.
class WebTest : public ::testing::Test {
 protected:
  WebTest() {
    log::set_sink(
        [](void* self, log::Level, std::string_view channel, std::string_view message) {
          auto& test = *static_cast<WebTest*>(self);
          const std::scoped_lock lock(test.log_mutex_);
          test.log_.append(channel).append(": ").append(message).append("\n");
        },
        this);
  }
  ~WebTest() override { log::set_sink(nullptr, nullptr); }

  /// Sends `bytes` on one connection, closes the sending side when `half_close` says so, and gives
  /// all that comes back until the server closes.
  std::string send(Application& app, std::string_view bytes, bool half_close = true) {
    const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
    std::string answer;
    std::thread client([&] {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const timeval patience{10, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(bytes.size()));
      if (half_close) ::shutdown(fd, SHUT_WR);
      char buffer[4096];
      ssize_t got;
      while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0) {
        answer.append(buffer, static_cast<std::size_t>(got));
      }
      if (got < 0) answer += "<broken>";
      ::close(fd);
      loop_->post([this] { loop_->stop(); });
    });
    loop_->start();
    client.join();
    return answer;
  }

  /// One request whose answer the connection ends with.
  std::string request(Application& app, std::string_view line, std::string_view fields = {},
                      std::string_view body = {}) {
    std::string bytes(line);
    bytes += " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
    bytes += fields;
    if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    bytes += "\r\n";
    bytes += body;
    return send(app, bytes, false);
  }

  static std::string status_of(std::string_view answer) {
    return std::string(answer.substr(0, answer.find("\r\n")));
  }
  static std::string body_of(std::string_view answer) {
    const std::size_t at = answer.find("\r\n\r\n");
    return at == std::string_view::npos ? "<no head>" : std::string(answer.substr(at + 4));
  }
  /// The value of the first field of that name, "" without one.
  static std::string field(std::string_view answer, std::string_view name) {
    const std::string wanted = "\r\n" + std::string(name) + ": ";
    const std::size_t at = answer.substr(0, answer.find("\r\n\r\n") + 2).find(wanted);
    if (at == std::string_view::npos) return {};
    const std::size_t begin = at + wanted.size();
    return std::string(answer.substr(begin, answer.find("\r\n", begin) - begin));
  }
  /// The status code alone.
  static std::string code(std::string_view answer) { return std::string(answer.substr(9, 3)); }
  static bool has_line(std::string_view answer, std::string_view line) {
    const std::string wanted = "\r\n" + std::string(line) + "\r\n";
    return answer.substr(0, answer.find("\r\n\r\n") + 2).find(wanted) != std::string_view::npos;
  }

  /// Runs the loop until an application that shuts down has come to its end.
  void run_until_shut_down() {
    while (log_text().find("all requests have finished") == std::string::npos) {
      const TimeoutHandle look =
          loop_->call_later(Duration::from_milliseconds(1), [this] { loop_->stop(); });
      loop_->start();
      loop_->remove_timeout(look);
    }
    loop_->post([this] { loop_->stop(); });  // beside a stop that may still wait
    loop_->start();
  }

  std::string log_text() {
    const std::scoped_lock lock(log_mutex_);
    return log_;
  }

 private:
  IOLoop* loop_ = &IOLoop::current();
  std::mutex log_mutex_;
  std::string log_;
};

}  // namespace squall::web
