// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/client/websocket.hpp>
#include <squall/coro/task.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/testing/response.hpp>
#include <squall/websocket/message.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace squall::web {
class Application;
}

namespace squall::testing {

/// How the requests of fetch() come to the application.
enum class Transport : std::uint8_t {
  memory,  ///< over a socket pair of the process: no port, no network
  tcp,     ///< over TCP, as the WebSockets of a test always do
};

struct HTTPTestOptions {
  Transport transport = Transport::memory;
  /// Time stands still while anything happens and skips to the next timer when nothing does, so
  /// that a time-out of an hour is over at once. Of the loop's time that is: sleep(), timers,
  /// time-outs, IOLoop::time(); not of the wall clock, and not of other threads' loops.
  bool virtual_time = false;
  /// For what a test waits at most, in true time.
  Duration timeout = Duration::from_seconds(5);
};
static_assert(std::is_trivially_destructible_v<HTTPTestOptions>);

struct Header {
  std::string_view name;
  std::string_view value;
};

struct FetchOptions {
  std::string_view method = "GET";
  std::initializer_list<Header> headers = {};
  /// With a type that is to be said in `headers`.
  std::string_view body = {};
  /// Within the application; another host's answer is not asked for.
  bool follow_redirects = true;
  int max_redirects = 5;
  /// In true time; zero is the test's.
  Duration timeout = {};
  std::size_t max_body_size = limits::stream_read_bytes;
};
static_assert(std::is_trivially_destructible_v<FetchOptions>);

/// Serves an application within a test, on the thread's loop, and asks it.
///
///     web::Application app({{"/hello", web::handler<Hello>}});
///     testing::HTTPTest test(app);
///     EXPECT_EQ(test.fetch("/hello").body(), "Hello");
///
/// It belongs to no framework of tests; HTTPTestCase is a fixture for some. The
/// application outlives it and is one that does not listen yet; its signals are left alone. Cookies
/// that it sets are sent again, as a browser does, by their names alone.
class HTTPTest {
 public:
  explicit HTTPTest(web::Application& application, const HTTPTestOptions& options = {});
  HTTPTest(const HTTPTest&) = delete;
  HTTPTest& operator=(const HTTPTest&) = delete;
  ~HTTPTest();

  /// Asks for `path`, which begins with a slash, and waits for the whole answer. Statuses are no
  /// errors. Throws Error when there is no whole answer, TimeoutError past the timeout, UsageError
  /// for what is no request.
  Response fetch(std::string_view path, const FetchOptions& options = {});
  /// The same for tests that are coroutines, and for several requests at once. What it needs is
  /// copied; FetchOptions::timeout does not count: run() has one.
  [[nodiscard]] Task<Response> async_fetch(std::string_view path, const FetchOptions& options = {});

  /// Opens a WebSocket; throws client::WebSocketConnectError when it is refused.
  client::WebSocket websocket_connect(std::string_view path,
                                      const client::WebSocketOptions& options = {});
  /// Waits for a message; an empty one at the end of the WebSocket.
  websocket::OptionalMessage read_message(client::WebSocket& socket);

  /// Runs the loop until `task` has ended, and gives its value or throws its exception. Throws
  /// TimeoutError past the timeout, in true time.
  template <class T>
  T run(Task<T> task, Duration timeout = {}) {
    const Deadline deadline(*this, timeout);
    try {
      return IOLoop::current().run_sync(std::move(task));
    } catch (...) {
      rethrow("a task");
    }
  }
  /// Lets that much time pass: with virtual time at once, all timers firing in order.
  void advance(Duration time);

  /// Where others can connect to: "http://127.0.0.1:45678/path".
  [[nodiscard]] std::string get_url(std::string_view path) const;
  [[nodiscard]] std::uint16_t get_http_port() const noexcept;

  /// The value of a cookie that the application has set; "" without one.
  [[nodiscard]] std::string cookie(std::string_view name) const;
  void clear_cookies() noexcept;

  struct Impl;  ///< the library's

 private:
  class Deadline {
   public:
    Deadline(HTTPTest& test, Duration timeout);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

   private:
    HTTPTest& test_;
  };
  [[noreturn]] void rethrow(std::string_view what);

  Impl* impl_;
};

/// A socket that listens on a free port of 127.0.0.1, for Application::listen_socket(), and its
/// port.
struct UnusedPort {
  int socket;
  std::uint16_t port;
};
[[nodiscard]] UnusedPort bind_unused_port();

}  // namespace squall::testing
