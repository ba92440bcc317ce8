// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.hpp"

#include "fuzz.hpp"
#include "http/ascii.hpp"
#include "http/stop_index.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <optional>
#include <string>

// A response head: however it is cut and whatever vectors are used, the same comes out, framing
// too.

namespace {

using namespace squall::http;
using Status = HeadParser::Status;

std::string describe(const ResponseHead& head, std::size_t head_bytes) {
  std::string text;
  const auto add = [&text](std::string_view part) { text.append(part).append("|"); };
  const auto add_number = [&add](std::uint64_t number) { add(std::to_string(number)); };
  add_number(head.status());
  add(head.reason());
  add_number(head.minor_version());
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    add(head.field_name(i));
    add(head.field_value(i));
    add_number(static_cast<std::uint64_t>(head.field_id(i)));
  }
  add(head.bytes());
  add_number(head_bytes);
  for (const Method method : {Method::get, Method::head, Method::connect}) {
    const ResponseFraming framing = frame_response(head, method);
    add_number(static_cast<std::uint64_t>(framing.error));
    if (framing.error != HeadError{}) continue;
    add_number(static_cast<std::uint64_t>(framing.body));
    add_number(framing.content_length);
    add_number(framing.keep_alive ? 1 : 0);
  }
  return text;
}

void check_result(const ResponseHead& head, std::string_view bytes) {
  fuzz::check(head.status() >= 100 && head.status() <= 999, "the status is one");
  fuzz::check(is_field_value(head.reason()), "the reason is text");
  fuzz::check(fuzz::is_within(head.bytes(), bytes), "the head lies in the bytes");
  fuzz::check(fuzz::is_within(head.reason(), head.bytes()), "the reason lies in the head");
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const std::string_view name = head.field_name(i), value = head.field_value(i);
    fuzz::check(is_token(name) && fuzz::is_within(name, head.bytes()), "a name is a token");
    fuzz::check(is_field_value(value) && fuzz::is_within(value, head.bytes()), "a value is one");
    fuzz::check(value == ascii::trim(value), "a value is trimmed");
    fuzz::check(head.has(name), "a field is found by its name");
  }
}

/// Parses `bytes` in pieces of `next()` bytes, from a block elsewhere each time.
template <class Next>
std::string parse(std::string_view bytes, const HeadLimits& limits, Next next) {
  static ResponseHead head;
  ResponseHeadParser parser;
  std::optional<fuzz::Exact> buffer;
  for (std::size_t size = 0;;) {
    size += std::min(next(), bytes.size() - size);
    buffer.emplace(bytes.substr(0, size));
    switch (parser.parse(buffer->view(), head, limits)) {
      case Status::done:
        check_result(head, buffer->view());
        return describe(head, parser.head_bytes());
      case Status::failed:
        return "error " + std::string(make_error_code(parser.error()).message());
      case Status::need_more:
        if (size == bytes.size()) return "need more";
    }
  }
}

void compare(std::string_view bytes, const HeadLimits& limits) {
  fuzz::Random random(bytes);
  std::string first;
  for (const VectorLevel level : {VectorLevel::none, VectorLevel::sse4, VectorLevel::avx2}) {
    if (!set_vector_level(level)) continue;
    const auto expect = [&](const std::string& result, const char* what) {
      if (first.empty()) first = result;
      fuzz::check_same(result, first, what);
    };
    expect(parse(bytes, limits, [&] { return bytes.size(); }), "whole, with another level");
    expect(parse(bytes, limits, [&] { return random.up_to(100); }), "in pieces");
    if (bytes.size() > 200) continue;
    expect(parse(bytes, limits, [] { return std::size_t{1}; }), "byte by byte");
  }
}

}  // namespace

void fuzz::run(std::string_view input) {
  compare(input, HeadLimits());
  compare(input, HeadLimits{.head_bytes = 200, .field_count = 3});
}
