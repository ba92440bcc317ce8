// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

/// The parsers side by side. Each is given a whole head in one buffer and must end with the method,
/// the target and every field's name and value at hand, and with the body's framing known.
namespace parsers {

struct Field {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::size_t most_fields = 128;

/// What a parser that hands out views has noted. The table is not cleared between heads.
struct Noted {
  std::string_view method;
  std::string_view target;
  std::size_t field_count = 0;
  Field fields[most_fields];
};

/// Looks at a parsed head, for the comparison before anything is measured.
class Visitor {
 public:
  virtual void on_request_line(std::string_view method, std::string_view target) = 0;
  virtual void on_field(std::string_view name, std::string_view value) = 0;

 protected:
  ~Visitor() = default;
};

/// Parses `head` once, and says whether it was taken. `visitor`, where not null, is shown the
/// result.
using Parse = bool(std::string_view head, Visitor* visitor);

Parse squall_head;       ///< ours, as the server uses it: RequestHead, then frame_request()
Parse beast_message;     ///< Beast's own: request_parser, which copies fields into its container
Parse beast_views;       ///< basic_parser of Beast with the least in it: views are noted
Parse node_http_parser;  ///< libhttp-parser, its callbacks note views

}  // namespace parsers
