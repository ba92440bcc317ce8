// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"

#include <string>

namespace squall::http {
namespace {

const char* text_of(HeadError error) noexcept {
  switch (error) {
    case HeadError::bad_request_line:
      return "malformed request line";
    case HeadError::bad_target:
      return "malformed request target";
    case HeadError::bad_line_ending:
      return "bare CR or LF in the head";
    case HeadError::bad_field_name:
      return "malformed field name";
    case HeadError::bad_field_value:
      return "control character in a field value";
    case HeadError::obsolete_folding:
      return "folded field line";
    case HeadError::bad_host:
      return "missing, repeated or malformed Host";
    case HeadError::bad_content_length:
      return "malformed or contradictory Content-Length";
    case HeadError::ambiguous_length:
      return "both Content-Length and Transfer-Encoding";
    case HeadError::bad_transfer_encoding:
      return "malformed Transfer-Encoding";
    case HeadError::unknown_coding:
      return "unknown transfer coding";
    case HeadError::unsupported_version:
      return "unsupported HTTP version";
    case HeadError::request_line_too_long:
      return "request line too long";
    case HeadError::head_too_large:
      return "request head too large";
    case HeadError::too_many_fields:
      return "too many header fields";
    case HeadError::unknown_expectation:
      return "unknown expectation";
    case HeadError::content_too_large:
      return "Content-Length too large";
    case HeadError::bad_status_line:
      return "malformed status line";
  }
  return "unknown error";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.http.head"; }
  std::string message(int value) const override { return text_of(static_cast<HeadError>(value)); }
};

}  // namespace

std::error_code make_error_code(HeadError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

std::uint16_t status_for(HeadError error) noexcept {
  switch (error) {
    case HeadError::unknown_coding:
      return 501;
    case HeadError::unsupported_version:
      return 505;
    case HeadError::request_line_too_long:
      return 414;
    case HeadError::head_too_large:
    case HeadError::too_many_fields:
      return 431;
    case HeadError::unknown_expectation:
      return 417;
    case HeadError::content_too_large:
      return 413;
    case HeadError::bad_status_line:
      return 502;
    default:
      return 400;
  }
}

}  // namespace squall::http
