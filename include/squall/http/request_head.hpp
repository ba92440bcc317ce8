// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/head_fields.hpp>
#include <squall/http/method.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

namespace detail {
/// Where the parts of a request line are. It stands before the table of fields, beside what is
/// looked at first.
struct RequestLine {
  std::uint32_t target_at_ = 0, target_size_ = 0;
  std::uint32_t path_at_ = 0, path_size_ = 0;
  std::uint32_t query_at_ = 0, query_size_ = 0;
  std::uint32_t authority_at_ = 0, authority_size_ = 0;
  std::uint16_t method_size_ = 0;
  Method method_ = Method::unknown;
  std::uint8_t minor_version_ = 1;
};
}  // namespace detail

/// A parsed request head: request line and fields (RFC 9112 §3 and §5).
///
/// It owns no bytes: all views point into the buffer that was parsed, and move with rebase().
class RequestHead : private detail::RequestLine, public HeadFields {
 public:
  RequestHead() noexcept {}  // not defaulted: `RequestHead{}` would clear the whole field table

  [[nodiscard]] Method method() const noexcept { return method_; }
  /// The method's token, also for methods that are not known.
  [[nodiscard]] std::string_view method_name() const noexcept { return view(0, method_size_); }
  /// The request target as it was sent (RFC 9112 §3.2).
  [[nodiscard]] std::string_view target() const noexcept { return view(target_at_, target_size_); }
  /// The path of the target, not percent-decoded; "*" for the asterisk-form, "/" for an
  /// absolute-form target without a path and for the authority-form (CONNECT).
  [[nodiscard]] std::string_view path() const noexcept {
    return path_size_ == 0 ? std::string_view("/") : view(path_at_, path_size_);
  }
  /// The query without its question mark; "" when there is none.
  [[nodiscard]] std::string_view query() const noexcept { return view(query_at_, query_size_); }
  /// The authority that the request is for: that of an absolute-form target (RFC 9112 §3.2.2) or
  /// an authority-form target, else the Host field's value; "" when there is neither.
  [[nodiscard]] std::string_view authority() const noexcept {
    return view(authority_at_, authority_size_);
  }
  /// The minor version of HTTP/1.x.
  [[nodiscard]] unsigned minor_version() const noexcept { return minor_version_; }

  /// Becomes a copy of `other`'s index; costs its number of fields, not the table's size.
  void assign(const RequestHead& other) noexcept;

 private:
  friend class RequestHeadParser;
};

}  // namespace squall::http
