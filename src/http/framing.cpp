// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"
#include "http/head_parser.hpp"
#include "http/response_head.hpp"
#include "http/tokens.hpp"

#include <limits>

namespace squall::http {
namespace {

constexpr std::uint64_t most_content = std::numeric_limits<std::int64_t>::max();

/// Reads 1*DIGIT. No sign, no white space, no hexadecimal: where two parsers of one connection
/// read a length differently, a request can be smuggled (RFC 9112 §11.2).
HeadError read_length(std::string_view digits, std::uint64_t& length) noexcept {
  if (digits.empty()) return HeadError::bad_content_length;
  std::uint64_t value = 0;
  bool too_large = false;
  for (const char c : digits) {
    if (!ascii::is_digit(c)) return HeadError::bad_content_length;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    too_large = too_large || value > (most_content - digit) / 10;
    if (!too_large) value = value * 10 + digit;
  }
  length = value;
  return too_large ? HeadError::content_too_large : HeadError{};
}

/// Repeated lengths are taken for one when all are equal (RFC 9112 §6.3, point 5).
HeadError read_content_length(const HeadFields& head, std::uint64_t& length) noexcept {
  bool first = true;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (head.field_id(i) != FieldId::content_length) continue;
    ListReader list(head.field_value(i));
    while (list.next()) {
      std::uint64_t value = 0;
      const HeadError error = read_length(list.element(), value);
      if (error != HeadError{}) return error;
      if (!first && value != length) return HeadError::bad_content_length;
      length = value;
      first = false;
    }
  }
  return {};
}

/// Only `chunked`, once and last, has an end that can be found (RFC 9112 §6.3, point 4).
HeadError read_transfer_encoding(const HeadFields& head) noexcept {
  bool chunked = false;
  bool unknown = false;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (head.field_id(i) != FieldId::transfer_encoding) continue;
    ListReader list(head.field_value(i));
    while (list.next()) {
      if (chunked) return HeadError::bad_transfer_encoding;  // something after it, or it again
      const std::string_view coding = list.element();
      if (ascii::equal(coding, "chunked")) {
        chunked = true;
        continue;
      }
      // `chunked` has no parameters (RFC 9112 §7.1); one with them is not it, and not unknown.
      const std::string_view name = ascii::trim(coding.substr(0, coding.find(';')));
      if (!is_token(name) || ascii::equal(name, "chunked")) {
        return HeadError::bad_transfer_encoding;
      }
      unknown = true;
    }
  }
  if (!chunked) return HeadError::bad_transfer_encoding;
  return unknown ? HeadError::unknown_coding : HeadError{};
}

struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

ConnectionOptions read_connection(const HeadFields& head) noexcept {
  ConnectionOptions found;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (head.field_id(i) != FieldId::connection) continue;
    ListReader list(head.field_value(i));
    while (list.next()) {
      const std::string_view option = list.element();
      switch (option.size()) {
        case 5:
          found.close = found.close || ascii::equal(option, "close");
          break;
        case 7:
          found.upgrade = found.upgrade || ascii::equal(option, "upgrade");
          break;
        case 10:
          found.keep_alive = found.keep_alive || ascii::equal(option, "keep-alive");
          break;
        default:
          break;
      }
    }
  }
  return found;
}

/// RFC 9112 §9.3.
bool stays(const ConnectionOptions& options, unsigned minor_version) noexcept {
  return !options.close && (minor_version != 0 || options.keep_alive);
}

/// RFC 9110 §10.1.1: 100-continue is the only expectation there is; HTTP/1.0 has none.
HeadError read_expect(const RequestHead& head) noexcept {
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (head.field_id(i) != FieldId::expect) continue;
    ListReader list(head.field_value(i));
    while (list.next()) {
      if (!ascii::equal(list.element(), "100-continue")) return HeadError::unknown_expectation;
    }
  }
  return {};
}

}  // namespace

RequestFraming detail::read_framing(const RequestHead& head) noexcept {
  RequestFraming framing;
  framing.keep_alive = head.minor_version() != 0;
  if (head.has(FieldId::connection)) {
    const ConnectionOptions options = read_connection(head);
    framing.keep_alive = stays(options, head.minor_version());
    // RFC 9110 §7.8: a server must ignore Upgrade in an HTTP/1.0 request.
    framing.upgrade = options.upgrade && head.has(FieldId::upgrade) && head.minor_version() != 0;
  }

  const bool has_length = head.has(FieldId::content_length);
  if (head.has(FieldId::transfer_encoding)) {
    // RFC 9112 §6.3, point 3 lets a server go on, but it is how requests are smuggled.
    if (has_length) {
      framing.error = HeadError::ambiguous_length;
    } else if (head.minor_version() == 0) {  // RFC 9112 §6.1: the framing is faulty
      framing.error = HeadError::bad_transfer_encoding;
    } else {
      framing.error = read_transfer_encoding(head);
      framing.body = RequestFraming::Body::chunked;
    }
  } else if (has_length) {
    framing.error = read_content_length(head, framing.content_length);
    if (framing.content_length != 0) framing.body = RequestFraming::Body::length;
  }
  if (framing.error != HeadError{}) return framing;

  if (head.has(FieldId::expect) && head.minor_version() != 0) {
    framing.error = read_expect(head);
    framing.expect_continue = true;
  }
  return framing;
}

ResponseFraming frame_response(const ResponseHead& head, Method method) noexcept {
  using Body = ResponseFraming::Body;
  ResponseFraming framing;
  framing.keep_alive = stays(read_connection(head), head.minor_version());
  const unsigned status = head.status();
  if (status == 101 || (method == Method::connect && status / 100 == 2)) {
    framing.body = Body::tunnel;  // RFC 9110 §9.3.6: length and coding mean nothing here
    return framing;
  }
  if (method == Method::head || status / 100 == 1 || status == 204 || status == 304) return framing;
  if (head.has(FieldId::transfer_encoding)) {
    if (head.minor_version() == 0) {  // RFC 9112 §6.1: the framing is faulty
      framing.error = HeadError::bad_transfer_encoding;
      return framing;
    }
    framing.error = read_transfer_encoding(head);
    framing.body = Body::chunked;
    // RFC 9112 §6.3, point 3: the coding counts, but who answers so may be read otherwise by
    // others, and what follows belongs to nobody.
    if (head.has(FieldId::content_length)) framing.keep_alive = false;
  } else if (head.has(FieldId::content_length)) {
    framing.error = read_content_length(head, framing.content_length);
    if (framing.content_length != 0) framing.body = Body::length;
  } else {
    framing.body = Body::until_close;
    framing.keep_alive = false;
  }
  return framing;
}

}  // namespace squall::http
