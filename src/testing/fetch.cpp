// SPDX-License-Identifier: Apache-2.0
#include "base/url.hpp"
#include "client/receive_head.hpp"
#include "http/ascii.hpp"
#include "http/tokens.hpp"
#include "testing/http_test_impl.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace squall::testing {
namespace {

Response response_of(const client::ReceivedHead& received, std::string body, std::string target) {
  const http::ResponseHead& head = received.head();
  Response::Fields fields;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    fields.emplace_back(head.field_name(i), head.field_value(i));
  }
  return Response(static_cast<int>(head.status()), std::string(head.reason()), std::move(fields),
                  std::move(body), std::move(target));
}

[[noreturn]] void fail(const Request& request, const std::error_code& why) {
  throw Error(request.describe() + ": no whole answer: " + why.message());
}

/// Sends a request and waits for the answer. Nothing came of it when the connection had waited, and
/// the server has closed it meanwhile.
Task<std::optional<Response>> ask_once(HTTPTest::Impl* test, const Request* request,
                                       net::Stream stream, bool has_waited) {
  const http::Method method = http::parse_method(request->method);
  // Not awaited: the server may answer before it has read all.
  std::string text = test->text_of(*request);
  stream.set_write_limit(text.size() + limits::write_buffer_bytes);
  stream.write_owned(std::move(text));
  client::ReceivedHead received;
  const std::error_code no_head = co_await client::receive_head(&stream, &received);
  if (no_head) {
    if (has_waited && received.rest().empty()) co_return std::nullopt;
    fail(*request, no_head);
  }
  std::string body;
  const std::error_code no_body =
      co_await client::receive_body(&stream, &received, method, request->max_body_size, &body);
  if (no_body) fail(*request, no_body);
  if (http::frame_response(received.head(), method).keep_alive) {
    test->idle.push_back(std::move(stream));
  }
  co_return response_of(received, std::move(body), request->target);
}

}  // namespace

Request::Request(std::string_view path, const FetchOptions& options)
    : method(options.method),
      target(path),
      body(options.body),
      follow_redirects(options.follow_redirects),
      redirects_left(options.max_redirects),
      max_body_size(options.max_body_size) {
  const auto is_fit = [](char c) {
    return http::ascii::is(c, http::ascii::target) || c == '%' || c == '?';
  };
  if (!path.starts_with('/') || !std::all_of(path.begin(), path.end(), is_fit)) {
    throw UsageError("fetch() takes a path that begins with a slash, percent-encoded, not \"" +
                     target + "\"");
  }
  if (!http::is_token(method)) throw UsageError("\"" + method + "\" is no method");
  if (!body.empty() && (method == "GET" || method == "HEAD")) {
    throw UsageError("a request with " + method + " has no body: give FetchOptions::method");
  }
  for (const Header& header : options.headers) {
    if (!http::is_token(header.name) || !http::is_field_value(header.value)) {
      throw UsageError("\"" + std::string(header.name) + ": " + std::string(header.value) +
                       "\" is no header field");
    }
    has_own_cookies = has_own_cookies || http::ascii::equal(header.name, "cookie");
    has_own_host = has_own_host || http::ascii::equal(header.name, "host");
    fields.append(header.name).append(": ").append(header.value).append("\r\n");
  }
}

std::string HTTPTest::Impl::text_of(const Request& request) const {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  if (!request.has_own_host) text += "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
  text += request.fields;
  const std::string own = request.has_own_cookies ? std::string() : cookies.field();
  if (!own.empty()) text += "Cookie: " + own + "\r\n";
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

bool HTTPTest::Impl::redirect(Request& request, const Response& response) const {
  const int code = response.code();
  const bool keeps_method = code == 307 || code == 308;
  const bool is_redirect = keeps_method || (code >= 301 && code <= 303);
  const std::string_view location = response.header("Location");
  if (!request.follow_redirects || !is_redirect || location.empty()) return false;
  const Result<Url> from = parse_url(base_url() + request.target);
  if (!from) return false;
  const Result<Url> to = resolve_url(*from, location);
  if (!to || to->host_and_port() != from->host_and_port() || to->scheme != "http") return false;
  if (request.redirects_left-- <= 0) {
    throw Error(request.describe() + ": more redirects than FetchOptions::max_redirects allows");
  }
  request.target = to->target;
  if (!keeps_method && request.method != "HEAD") {
    request.method = "GET";
    request.body.clear();
  }
  return true;
}

Task<Response> ask(HTTPTest::Impl* test, Request request) {
  for (;;) {
    std::optional<Response> response;
    while (!response) {
      const bool has_waited = !test->idle.empty();
      net::Stream stream;
      if (has_waited) {
        stream = std::move(test->idle.back());
        test->idle.pop_back();
      } else {
        stream = co_await test->open_connection();
      }
      response = co_await ask_once(test, &request, std::move(stream), has_waited);
    }
    for (const std::string_view field : response->headers("Set-Cookie")) test->cookies.take(field);
    const bool goes_on = test->redirect(request, *response);
    if (!goes_on) co_return std::move(*response);
  }
}

}  // namespace squall::testing
