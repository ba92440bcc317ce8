// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/http/request_head.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace squall::http {

/// Why a head was refused. status_for() has the status that a server answers to such a request, or
/// a gateway when it was a response's.
enum class HeadError : std::uint8_t {
  bad_request_line = 1,   ///< 400: not `method SP target SP HTTP-version` (RFC 9112 §3)
  bad_target,             ///< 400: a target in none of the four forms (RFC 9112 §3.2)
  bad_line_ending,        ///< 400: a bare CR or LF (RFC 9112 §2.2; request smuggling)
  bad_field_name,         ///< 400: not a token, or space before the colon (RFC 9112 §5.1)
  bad_field_value,        ///< 400: a control character (RFC 9110 §5.5)
  obsolete_folding,       ///< 400: a line that begins with white space (RFC 9112 §5.2)
  bad_host,               ///< 400: no Host in HTTP/1.1, two of them, or not a host (RFC 9112 §3.2)
  bad_content_length,     ///< 400: not digits, or values that differ (RFC 9112 §6.3)
  ambiguous_length,       ///< 400: Content-Length beside Transfer-Encoding (RFC 9112 §6.3)
  bad_transfer_encoding,  ///< 400: chunked not last, twice, or in HTTP/1.0 (RFC 9112 §6.1, §6.3)
  unknown_coding,         ///< 501: a transfer coding that is not chunked (RFC 9112 §6.1)
  unsupported_version,    ///< 505: a version that is not HTTP/1.x (RFC 9110 §15.6.6)
  request_line_too_long,  ///< 414: past the request-line limit (RFC 9110 §15.5.15)
  head_too_large,         ///< 431: past the head limit (RFC 6585 §5)
  too_many_fields,        ///< 431: past the field limit (RFC 6585 §5)
  unknown_expectation,    ///< 417: an Expect that is not 100-continue (RFC 9110 §10.1.1)
  content_too_large,      ///< 413: a Content-Length past what can be counted (RFC 9110 §15.5.14)
  bad_status_line,        ///< 502: not `HTTP-version SP status-code [SP reason]` (RFC 9112 §4)
};
std::error_code make_error_code(HeadError error) noexcept;
[[nodiscard]] std::uint16_t status_for(HeadError error) noexcept;

struct HeadLimits {
  std::size_t head_bytes = limits::head_bytes;
  std::size_t request_line_bytes = limits::request_line_bytes;
  std::size_t field_count = limits::field_count;  ///< never more than limits::field_count
};

/// What the parsers of request and response heads have in common: where they are, and the fields.
class HeadParser {
 public:
  enum class Status : std::uint8_t { need_more, done, failed };

  /// Bytes of the head, once parse() said done.
  [[nodiscard]] std::size_t head_bytes() const noexcept { return taken_; }
  /// Why, once parse() said failed.
  [[nodiscard]] HeadError error() const noexcept { return error_; }

 protected:
  enum class Phase : std::uint8_t {
    leading,      // before the first line
    method,       // in the method, looked at from its first byte
    target,       // in the target, looked at up to scanned_
    version,      // in the version and its CRLF, looked at from its first byte
    status,       // in a response's version and status code, looked at from its first byte
    reason,       // in its reason, looked at up to scanned_
    line_start,   // before a field line or the empty line
    field_name,   // in a field's name, looked at up to scanned_
    field_value,  // in its value, looked at up to scanned_
  };

  // The templates are in field_lines.hpp.
  template <class TakeHost>
  bool parse_field_lines(const char* begin, const char*& from, const char* end,
                         std::size_t field_limit, HeadFields& head, TakeHost take_host) noexcept;
  template <class Finder, class TakeHost>
  bool parse_fields(Finder& stops, const char*& from, const char* end, std::size_t field_limit,
                    HeadFields& head, TakeHost take_host) noexcept;
  bool refuse(HeadError error) noexcept {
    error_ = error;
    return false;
  }
  /// Refuses the line at `at`: for its ending when that is a bare CR or LF, else for `otherwise`. A
  /// CR that is the last byte so far decides nothing yet.
  bool refuse_line(const char* at, const char* end, HeadError otherwise) noexcept {
    if (*at == '\n') return refuse(HeadError::bad_line_ending);
    if (*at != '\r') return refuse(otherwise);
    if (end - at < 2) return false;
    return refuse(at[1] == '\n' ? otherwise : HeadError::bad_line_ending);
  }

  std::uint32_t scanned_ = 0;   // bytes that need not be looked at again
  std::uint32_t taken_ = 0;     // bytes of the head, once it is whole
  std::uint32_t name_at_ = 0;   // where the unfinished field line begins
  std::uint32_t value_at_ = 0;  // the byte after its colon
  std::uint8_t start_ = 0;      // where the first line begins: after an empty line or none
  Phase phase_ = Phase::leading;
  HeadError error_{};
};

/// Parses a request head, strictly (RFC 9112), where its bytes lie.
///
/// Resumable at any byte in linear time: feed it the head's bytes from the first on each time
/// (they may have moved), it looks only at those it has not seen.
class RequestHeadParser : public HeadParser {
 public:
  /// Looks at `bytes`, which begin with the first byte after the previous message. One empty line
  /// before the request line is skipped (RFC 9112 §2.2) and counts as part of the head.
  ///
  /// Give it the same `head` until it says done or failed. `head` then points into `bytes`; after
  /// failed it holds what had been read (at least a method or Method::unknown), for the log.
  /// A head that has not ended within limits.head_bytes fails as soon as so many bytes are there.
  /// What is refused does not depend on how the bytes were cut. No allocation.
  Status parse(std::string_view bytes, RequestHead& head, const HeadLimits& limits) noexcept;

  /// Makes it ready for the next head.
  void reset() noexcept { *this = RequestHeadParser(); }

 private:
  // Those that are inline are so for head_parser.cpp, the only one to call them.
  inline bool parse_leading(const char*& at, const char* end, RequestHead& head) noexcept;
  inline bool parse_request_line(const char*& at, const char* end, RequestHead& head) noexcept;
  inline bool parse_method(const char*& at, const char* end, RequestHead& head) noexcept;
  inline bool parse_target(const char*& at, const char* end, RequestHead& head) noexcept;
  inline bool parse_version(const char*& at, const char* end, RequestHead& head) noexcept;
  inline bool split_target(RequestHead& head) noexcept;
  bool split_absolute(std::uint32_t path_end, RequestHead& head) noexcept;
  static bool take_host(std::uint32_t at, std::uint32_t size, bool plain,
                        RequestHead& head) noexcept;
};

/// How a request's body is delimited and what becomes of the connection (RFC 9112 §6.3, §9.3).
struct RequestFraming {
  enum class Body : std::uint8_t { none, length, chunked };
  Body body = Body::none;
  std::uint64_t content_length = 0;  ///< when body is length
  bool keep_alive = true;            ///< HTTP/1.1 unless `close`; HTTP/1.0 only with `keep-alive`
  bool expect_continue = false;      ///< HTTP/1.1 and `Expect: 100-continue`
  bool upgrade = false;              ///< `Upgrade` named in Connection (RFC 9110 §7.8)
  HeadError error{};                 ///< not zero: refused, the rest means nothing
};

namespace detail {
[[nodiscard]] RequestFraming read_framing(const RequestHead& head) noexcept;
}

/// Reads the framing fields of a parsed head. Content-Length of zero is Body::none.
[[nodiscard]] inline RequestFraming frame_request(const RequestHead& head) noexcept {
  if (head.has(FieldId::connection) || head.has(FieldId::content_length) ||
      head.has(FieldId::transfer_encoding) || head.has(FieldId::expect)) {
    return detail::read_framing(head);
  }
  RequestFraming framing;
  framing.keep_alive = head.minor_version() != 0;
  return framing;
}

}  // namespace squall::http

template <>
struct std::is_error_code_enum<squall::http::HeadError> : std::true_type {};
