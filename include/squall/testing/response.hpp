// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/json_fwd.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::testing {

/// What an application has answered to a test: status, fields and the whole body.
class Response {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  Response(int code, std::string reason, Fields fields, std::string body, std::string effective_url)
      : code_(code),
        reason_(std::move(reason)),
        fields_(std::move(fields)),
        body_(std::move(body)),
        effective_url_(std::move(effective_url)) {}

  /// The status: 200.
  [[nodiscard]] int code() const noexcept { return code_; }
  /// What stands behind it: "OK".
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  /// As it came: content codings are not undone, of which fetch() asks for none by itself.
  [[nodiscard]] const std::string& body() const noexcept { return body_; }
  /// The first field of that name, in any case; "" without one.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  [[nodiscard]] bool has_header(std::string_view name) const noexcept;
  /// All fields of that name, in order: of Set-Cookie there may be many.
  [[nodiscard]] std::vector<std::string_view> headers(std::string_view name) const;
  /// All fields, in order.
  [[nodiscard]] const Fields& fields() const noexcept { return fields_; }
  /// The path and query that were asked for last, after redirects.
  [[nodiscard]] const std::string& effective_url() const noexcept { return effective_url_; }
  /// The body as JSON; throws Error, with its beginning, when it is none. Include
  /// <squall/json.hpp>.
  [[nodiscard]] json::value json() const;

 private:
  int code_;
  std::string reason_;
  Fields fields_;
  std::string body_;
  std::string effective_url_;
};

}  // namespace squall::testing
