// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"

#include "http/field_lines.hpp"
#include "http/host.hpp"
#include "http/scan.hpp"

#include <algorithm>
#include <cstring>

namespace squall::http {

using detail::distance;
using detail::most_head_bytes;

namespace {

// No method of the IANA registry comes near; a longer token is noise.
constexpr std::ptrdiff_t most_method_bytes = 32;

template <std::size_t N>
bool begins_with(const char* at, const char (&literal)[N]) noexcept {
  return std::memcmp(at, literal, N - 1) == 0;
}

}  // namespace

// The functions below return true when their part is whole, and false when it is not or was
// refused; error_ tells which. `at` then is where to go on from.

RequestHeadParser::Status RequestHeadParser::parse(std::string_view bytes, RequestHead& head,
                                                   const HeadLimits& limits) noexcept {
  const std::size_t most_bytes = std::min(limits.head_bytes, most_head_bytes);
  const char* const begin = bytes.data();
  const char* const end = begin + std::min(bytes.size(), most_bytes);
  const char* at = begin + scanned_;
  bool whole = true;

  if (phase_ == Phase::leading) whole = parse_leading(at, end, head);
  head.base_ = begin + start_;
  if (whole && phase_ < Phase::line_start) {
    // Only so much is looked at that the CRLF of the longest allowed line could be seen.
    const char* line_end = end;
    if (static_cast<std::size_t>(end - begin) > limits.request_line_bytes) [[unlikely]] {
      const std::size_t most_line =
          std::min(limits.request_line_bytes, most_head_bytes) + 2 + start_;
      line_end = begin + std::min(static_cast<std::size_t>(end - begin), most_line);
    }
    whole = parse_request_line(at, line_end, head);
    if (!whole && error_ == HeadError{} && line_end != end) {
      refuse(HeadError::request_line_too_long);
    }
  }
  if (whole) {
    whole = parse_field_lines(begin, at, end, limits.field_count, head,
                              [&head](std::uint32_t at_byte, std::uint32_t size, bool plain) {
                                return take_host(at_byte, size, plain, head);
                              });
  }
  if (error_ != HeadError{}) return Status::failed;
  scanned_ = distance(begin, at);
  if (!whole) {
    if (bytes.size() < most_bytes) return Status::need_more;
    refuse(HeadError::head_too_large);
    return Status::failed;
  }
  // RFC 9112 §3.2: a server must refuse an HTTP/1.1 request without Host.
  if (head.minor_version_ != 0 && !head.has(FieldId::host)) {
    refuse(HeadError::bad_host);
    return Status::failed;
  }
  taken_ = scanned_;
  head.size_ = scanned_ - start_;
  return Status::done;
}

bool RequestHeadParser::parse_leading(const char*& at, const char* end,
                                      RequestHead& head) noexcept {
  head.size_ = head.target_at_ = head.target_size_ = head.path_at_ = head.path_size_ = 0;
  head.query_at_ = head.query_size_ = head.authority_at_ = head.authority_size_ = 0;
  head.present_ = 0;
  head.field_count_ = head.method_size_ = 0;
  head.method_ = Method::unknown;
  head.minor_version_ = 1;
  if (at == end) return false;
  if (*at == '\r') {
    if (end - at < 2) return false;
    if (at[1] != '\n') return refuse(HeadError::bad_line_ending);
    // RFC 9112 §2.2: one empty line is skipped, for clients that end a body with one too many.
    at += 2;
    start_ = 2;
  }
  phase_ = Phase::method;
  return true;
}

[[gnu::always_inline]] inline bool RequestHeadParser::parse_request_line(
    const char*& at, const char* end, RequestHead& head) noexcept {
  if (phase_ == Phase::method) {
    if (!parse_method(at, end, head)) return false;
    phase_ = Phase::target;
  }
  if (phase_ == Phase::target) {
    if (!parse_target(at, end, head)) return false;
    phase_ = Phase::version;
  }
  if (!parse_version(at, end, head)) return false;
  phase_ = Phase::line_start;
  // Only now, so that an unsupported version is told before a target in the form it may need.
  return split_target(head);
}

bool RequestHeadParser::parse_method(const char*& at, const char* end, RequestHead& head) noexcept {
  std::ptrdiff_t size = 3;
  if (end - at >= 4 && begins_with(at, "GET ")) {
    head.method_ = Method::get;
  } else {
    const char* const last = at + std::min(end - at, most_method_bytes + 1);
    const char* const stop = scan::skip_class(at, last, ascii::token);
    size = stop - at;
    // At the first byte that no method has: a TLS ClientHello sent here never ends its line.
    if (size > most_method_bytes) return refuse(HeadError::bad_request_line);
    if (stop == end) return false;
    if (*stop != ' ' || size == 0) {
      return refuse_line(stop, end, HeadError::bad_request_line);
    }
    head.method_ = http::parse_method({at, static_cast<std::size_t>(size)});
  }
  head.method_size_ = static_cast<std::uint16_t>(size);
  at += size + 1;
  head.target_at_ = distance(head.base_, at);
  return true;
}

bool RequestHeadParser::parse_target(const char*& at, const char* end, RequestHead& head) noexcept {
  // The most frequent of all; at the end of a longer one, which came in pieces, it is something
  // else.
  if (end - at >= 2 && begins_with(at, "/ ") && distance(head.base_, at) == head.target_at_) {
    head.target_size_ = 1;
    at += 2;
    return true;
  }
  for (;;) {
    at = scan::skip_target(at, end);
    if (at == end) return false;
    switch (*at) {
      case ' ':
        head.target_size_ = distance(head.base_, at) - head.target_at_;
        if (head.target_size_ == 0) return refuse(HeadError::bad_request_line);
        ++at;
        return true;
      case '?':
        ++at;
        if (head.query_at_ == 0) head.query_at_ = distance(head.base_, at);
        break;
      case '%':
        if (end - at < 2) return false;
        if (ascii::hex_value(at[1]) < 0) return refuse(HeadError::bad_target);
        if (end - at < 3) return false;
        if (ascii::hex_value(at[2]) < 0) return refuse(HeadError::bad_target);
        at += 3;
        break;
      case '\r':
      case '\n':
        return refuse_line(at, end, HeadError::bad_request_line);
      default:
        return refuse(HeadError::bad_target);
    }
  }
}

bool RequestHeadParser::parse_version(const char*& at, const char* end,
                                      RequestHead& head) noexcept {
  if (end - at >= 10 && begins_with(at, "HTTP/1.1\r\n")) {
    at += 10;
    return true;
  }
  constexpr std::string_view form = "HTTP/d.d\r\n";
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (at + i == end) return false;
    const bool fits = form[i] == 'd' ? ascii::is_digit(at[i]) : at[i] == form[i];
    if (fits) continue;
    if (i == form.size() - 1) return refuse(HeadError::bad_line_ending);
    return refuse_line(at + i, end, HeadError::bad_request_line);
  }
  if (at[5] != '1') return refuse(HeadError::unsupported_version);
  // RFC 9110 §2.5: a higher minor version is served as the highest one known.
  head.minor_version_ = at[7] == '0' ? 0 : 1;
  at += form.size();
  return true;
}

bool RequestHeadParser::split_target(RequestHead& head) noexcept {
  const std::string_view target = head.target();
  const std::uint32_t target_end = head.target_at_ + head.target_size_;
  std::uint32_t path_end = target_end;
  if (head.query_at_ != 0) {
    head.query_size_ = target_end - head.query_at_;
    path_end = head.query_at_ - 1;
  }
  if (head.method_ == Method::connect) {  // authority-form, RFC 9112 §3.2.3
    if (!is_authority(target, PortRule::required)) return refuse(HeadError::bad_target);
    head.authority_at_ = head.target_at_;
    head.authority_size_ = head.target_size_;
    return true;
  }
  if (target.front() == '/' || (target == "*" && head.method_ == Method::options)) {
    head.path_at_ = head.target_at_;
    head.path_size_ = path_end - head.target_at_;
    return true;
  }
  return split_absolute(path_end, head);
}

bool RequestHeadParser::split_absolute(std::uint32_t path_end, RequestHead& head) noexcept {
  const std::string_view rest = head.target().substr(0, path_end - head.target_at_);
  std::size_t scheme = 0;
  if (ascii::equal(rest.substr(0, 7), "http://")) {
    scheme = 7;
  } else if (ascii::equal(rest.substr(0, 8), "https://")) {
    scheme = 8;
  } else {
    return refuse(HeadError::bad_target);
  }
  const std::size_t path = std::min(rest.find('/', scheme), rest.size());
  // `@` is in no host, so user information is refused here too (RFC 9110 §4.2.4).
  if (!is_authority(rest.substr(scheme, path - scheme))) return refuse(HeadError::bad_target);
  head.authority_at_ = head.target_at_ + static_cast<std::uint32_t>(scheme);
  head.authority_size_ = static_cast<std::uint32_t>(path - scheme);
  head.path_at_ = head.target_at_ + static_cast<std::uint32_t>(path);
  head.path_size_ = path_end - head.path_at_;
  return true;
}

bool RequestHeadParser::take_host(std::uint32_t at, std::uint32_t size, bool plain,
                                  RequestHead& head) noexcept {
  // Two hosts are two opinions of whom the request is for (RFC 9112 §3.2).
  if (head.has(FieldId::host)) return false;
  if (!plain && !is_authority(head.view(at, size))) return false;
  if (head.authority_size_ == 0) {
    head.authority_at_ = at;
    head.authority_size_ = size;
  }
  return true;
}

}  // namespace squall::http
