// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_server.hpp"
#include "testing/cookie_jar.hpp"

#include <squall/http/method.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/loop/unique_fd.hpp>
#include <squall/net/stream.hpp>
#include <squall/testing/http_test.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::testing {

/// A request as it is repeated after a redirect.
struct Request {
  std::string method;
  std::string target;
  std::string fields;  // those of the caller, each with its CRLF
  std::string body;
  bool has_own_cookies = false;
  bool has_own_host = false;
  bool follow_redirects = true;
  int redirects_left = 0;
  std::size_t max_body_size = 0;

  /// Throws UsageError for what is no request.
  Request(std::string_view path, const FetchOptions& options);
  [[nodiscard]] std::string describe() const { return method + " " + target; }
};

struct HTTPTest::Impl {
  Impl(web::Application& of, const HTTPTestOptions& with);
  ~Impl();

  [[nodiscard]] std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port); }
  [[nodiscard]] Task<net::Stream> open_connection();
  /// The bytes of a request; the jar's cookies are those of now.
  [[nodiscard]] std::string text_of(const Request& request) const;
  /// Turns `request` into what a redirect asks for; false when the answer is not to be followed.
  [[nodiscard]] bool redirect(Request& request, const Response& response) const;
  void arm(Duration timeout);
  void disarm() noexcept;

  web::Application& application;
  IOLoop& loop = IOLoop::current();
  HTTPTestOptions options;
  std::uint16_t port = 0;
  std::vector<net::Stream> idle;  // connections that may take another request
  CookieJar cookies;
  UniqueFd deadline;  // a timer of the kernel, as the loop's may be virtual
  bool is_past_deadline = false;
};

/// One request and its answer, redirects followed.
[[nodiscard]] Task<Response> ask(HTTPTest::Impl* test, Request request);

}  // namespace squall::testing
