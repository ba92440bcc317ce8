// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.hpp"

#include "http/field_lines.hpp"

#include <algorithm>

namespace squall::http {

ResponseHeadParser::Status ResponseHeadParser::parse(std::string_view bytes, ResponseHead& head,
                                                     const HeadLimits& limits) noexcept {
  const std::size_t most_bytes = std::min(limits.head_bytes, detail::most_head_bytes);
  const char* const begin = bytes.data();
  const char* const end = begin + std::min(bytes.size(), most_bytes);
  const char* at = begin + scanned_;
  bool whole = true;

  head.base_ = begin;
  if (phase_ == Phase::leading) {
    head.size_ = head.present_ = head.reason_at_ = head.reason_size_ = 0;
    head.field_count_ = head.status_ = 0;
    head.minor_version_ = 1;
    phase_ = Phase::status;
  }
  if (phase_ == Phase::status) whole = parse_status(at, end, head);
  if (whole && phase_ == Phase::reason) whole = parse_reason(at, end, head);
  if (whole) {
    // A Host in a response means nothing.
    whole = parse_field_lines(begin, at, end, limits.field_count, head,
                              [](std::uint32_t, std::uint32_t, bool) { return true; });
  }
  if (error_ != HeadError{}) return Status::failed;
  scanned_ = detail::distance(begin, at);
  if (!whole) {
    if (bytes.size() < most_bytes) return Status::need_more;
    refuse(HeadError::head_too_large);
    return Status::failed;
  }
  taken_ = scanned_;
  head.size_ = scanned_;
  return Status::done;
}

bool ResponseHeadParser::parse_status(const char*& at, const char* end,
                                      ResponseHead& head) noexcept {
  constexpr std::string_view form = "HTTP/d.d ddd";
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (at + i == end) return false;
    const bool fits = form[i] == 'd' ? ascii::is_digit(at[i]) : at[i] == form[i];
    if (!fits) return refuse_line(at + i, end, HeadError::bad_status_line);
  }
  if (at[5] != '1') return refuse(HeadError::unsupported_version);
  if (at[9] == '0') return refuse(HeadError::bad_status_line);
  head.minor_version_ = at[7] == '0' ? 0 : 1;  // RFC 9110 §2.5
  head.status_ =
      static_cast<std::uint16_t>((at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0'));
  at += form.size();
  phase_ = Phase::reason;
  return true;
}

bool ResponseHeadParser::parse_reason(const char*& at, const char* end,
                                      ResponseHead& head) noexcept {
  if (head.reason_at_ == 0) {
    if (at == end) return false;
    if (*at == ' ') {
      ++at;
    } else if (*at != '\r') {
      return refuse_line(at, end, HeadError::bad_status_line);
    }
    head.reason_at_ = detail::distance(head.base_, at);
  }
  at = scan::skip_value(at, end);
  if (end - at < 2) {
    if (at != end && *at != '\r') return refuse_line(at, end, HeadError::bad_status_line);
    return false;
  }
  if (at[0] != '\r' || at[1] != '\n') return refuse_line(at, end, HeadError::bad_status_line);
  head.reason_size_ = detail::distance(head.base_, at) - head.reason_at_;
  at += 2;
  phase_ = Phase::line_start;
  return true;
}

}  // namespace squall::http
