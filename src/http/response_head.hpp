// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/head_parser.hpp"

#include <squall/http/head_fields.hpp>
#include <squall/http/method.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

/// A parsed response head: status line and fields (RFC 9112 §4 and §5).
///
/// It owns no bytes: all views point into the buffer that was parsed, and move with rebase().
class ResponseHead : public HeadFields {
 public:
  ResponseHead() noexcept {}  // not defaulted, as that of HeadFields

  /// 100 to 999 (RFC 9110 §15: an unknown one counts as the x00 of its class).
  [[nodiscard]] unsigned status() const noexcept { return status_; }
  /// What stands behind the status, mostly nothing of use; "" when there is none.
  [[nodiscard]] std::string_view reason() const noexcept { return view(reason_at_, reason_size_); }
  /// The minor version of HTTP/1.x.
  [[nodiscard]] unsigned minor_version() const noexcept { return minor_version_; }

 private:
  friend class ResponseHeadParser;

  std::uint32_t reason_at_ = 0, reason_size_ = 0;
  std::uint16_t status_ = 0;
  std::uint8_t minor_version_ = 1;
};

/// Parses a response head where its bytes lie, as RequestHeadParser does, and as strictly but for
/// the status line: the space before an empty reason may be missing, as some servers have it.
class ResponseHeadParser : public HeadParser {
 public:
  /// As RequestHeadParser::parse(). Nothing is skipped before the status line; of the limits,
  /// request_line_bytes does not count. What is no HTTP fails at its first byte.
  Status parse(std::string_view bytes, ResponseHead& head, const HeadLimits& limits = {}) noexcept;

  /// Makes it ready for the next head.
  void reset() noexcept { *this = ResponseHeadParser(); }

 private:
  bool parse_status(const char*& at, const char* end, ResponseHead& head) noexcept;
  bool parse_reason(const char*& at, const char* end, ResponseHead& head) noexcept;
};

/// How a response's body is delimited and what becomes of the connection (RFC 9112 §6.3, §9.3).
struct ResponseFraming {
  enum class Body : std::uint8_t {
    none,
    length,
    chunked,
    until_close,  ///< all that comes before the connection ends
    tunnel,       ///< the connection speaks something else from now on: 101, CONNECT
  };
  Body body = Body::none;
  std::uint64_t content_length = 0;  ///< when body is length
  bool keep_alive = true;
  HeadError error{};  ///< not zero: not to be used, the rest means nothing
};

/// Reads the framing fields of the response to a request of `method`.
[[nodiscard]] ResponseFraming frame_response(const ResponseHead& head, Method method) noexcept;

}  // namespace squall::http
