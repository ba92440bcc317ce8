// SPDX-License-Identifier: Apache-2.0
#include "parsers.hpp"

#include <http_parser.h>

namespace parsers {
namespace {

Noted& noted_of(http_parser* parser) { return *static_cast<Noted*>(parser->data); }

int on_url(http_parser* parser, const char* at, std::size_t size) {
  noted_of(parser).target = {at, size};
  return 0;
}

int on_name(http_parser* parser, const char* at, std::size_t size) {
  Noted& noted = noted_of(parser);
  if (noted.field_count == most_fields) return 1;
  noted.fields[noted.field_count++].name = {at, size};
  return 0;
}

int on_value(http_parser* parser, const char* at, std::size_t size) {
  Noted& noted = noted_of(parser);
  noted.fields[noted.field_count - 1].value = {at, size};
  return 0;
}

int on_headers_complete(http_parser* parser) {
  Noted& noted = noted_of(parser);
  noted.method = http_method_str(static_cast<http_method>(parser->method));
  return 0;
}

constexpr http_parser_settings settings = [] {
  http_parser_settings made{};
  made.on_url = on_url;
  made.on_header_field = on_name;
  made.on_header_value = on_value;
  made.on_headers_complete = on_headers_complete;
  return made;
}();

}  // namespace

bool node_http_parser(std::string_view head, Visitor* visitor) {
  static Noted noted;
  noted.field_count = 0;
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = &noted;
  const std::size_t taken = http_parser_execute(&parser, &settings, head.data(), head.size());
  // An upgrade ends the execution with all of it taken, and no error.
  if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || taken != head.size()) return false;
  if (visitor != nullptr) {
    visitor->on_request_line(noted.method, noted.target);
    for (std::size_t i = 0; i < noted.field_count; ++i) {
      visitor->on_field(noted.fields[i].name, noted.fields[i].value);
    }
  }
  return true;
}

}  // namespace parsers
