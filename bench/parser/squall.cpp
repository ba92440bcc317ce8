// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"
#include "parsers.hpp"

namespace parsers {

bool squall_head(std::string_view bytes, Visitor* visitor) {
  using namespace squall::http;
  static RequestHead head;
  RequestHeadParser parser;
  if (parser.parse(bytes, head, HeadLimits()) != RequestHeadParser::Status::done) return false;
  if (frame_request(head).error != HeadError{}) return false;
  if (visitor != nullptr) {
    visitor->on_request_line(head.method_name(), head.target());
    for (std::size_t i = 0; i < head.field_count(); ++i) {
      visitor->on_field(head.field_name(i), head.field_value(i));
    }
  }
  return true;
}

}  // namespace parsers
