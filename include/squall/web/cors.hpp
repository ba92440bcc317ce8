// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/web/middleware.hpp>

#include <initializer_list>
#include <string_view>
#include <type_traits>

namespace squall::web {

/// Which pages of other origins may read responses, and send requests that a form could not (CORS;
/// the Fetch standard). Lists are copied; they are to be written inside the braces.
struct CORSOptions {
  /// As browsers write them: "https://example.com", "http://localhost:8080". "*" for any.
  std::initializer_list<std::string_view> origins = {};
  /// Asked about origins that the list does not have.
  bool (*allow_origin)(std::string_view origin) = nullptr;
  /// With the user's cookies and passwords. An origin that is allowed can do as the user then: "*"
  /// anywhere, and "null", are a UsageError with it.
  bool credentials = false;
  /// Methods that pages may use; none means GET, HEAD, POST, PUT, PATCH and DELETE. What a path
  /// does not have is still 405.
  std::initializer_list<std::string_view> methods = {};
  /// Header fields of requests, beside Accept, Accept-Language, Content-Language and Content-Type.
  /// "*" for any.
  std::initializer_list<std::string_view> headers = {};
  /// Header fields of responses that pages may read, beside the few that they always may.
  std::initializer_list<std::string_view> exposed_headers = {};
  /// For how long browsers remember the answer to a preflight; zero says nothing, and they take 5
  /// s.
  Duration max_age = {};
};
static_assert(std::is_trivially_destructible_v<CORSOptions>);

/// A middleware that answers preflights and marks responses, errors too. Put it before what may
/// refuse a request: preflights have no cookies. A preflight that asks for what is not allowed is
/// 403 and says why; other requests go on, and the browser keeps the response from the page. Throws
/// UsageError for options that do not go together.
///
///     app.use(web::cors({.origins = {"https://app.example.com"}, .credentials = true}));
[[nodiscard]] Middleware cors(const CORSOptions& options);

}  // namespace squall::web
