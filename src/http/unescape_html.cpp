// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "base/utf8.hpp"

#include <squall/escape.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace squall {
namespace {

struct Entity {
  std::string_view name;  // without the ampersand
  std::string_view text;
};

constexpr Entity entities[] = {
#include "http/entity_table.inc"
};
// What 0x80 to 0x9F mean in Windows-1252, which is what authors meant (WHATWG HTML §13.2.5.80).
constexpr std::uint16_t windows_1252[] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

/// The bytes of a reference that `text` begins with, behind its ampersand; 0 when it is none.
std::size_t read_numeric(std::string_view text, std::string& out) {
  const bool is_hex = text.size() > 1 && (text[1] == 'x' || text[1] == 'X');
  const std::size_t first = is_hex ? 2 : 1;
  std::size_t at = first;
  std::uint32_t code = 0;
  for (; at < text.size(); ++at) {
    const int digit = ascii::hex_value(text[at]);
    if (digit < 0 || (!is_hex && digit > 9)) break;
    code = std::min<std::uint32_t>(code * (is_hex ? 16U : 10U) + static_cast<std::uint32_t>(digit),
                                   0x110000);
  }
  if (at == first) return 0;
  if (at < text.size() && text[at] == ';') ++at;
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  if (code >= 0x80 && code < 0xA0) code = windows_1252[code - 0x80];
  append_utf8(out, code);
  return at;
}

/// The same for a name: of those that `text` begins with the longest.
std::size_t read_named(std::string_view text, std::string& out) {
  const auto is_before = [](std::string_view name, const Entity& entity) {
    return name < entity.name;
  };
  while (text.size() > 1) {
    const auto* const after =
        std::upper_bound(std::begin(entities), std::end(entities), text, is_before);
    if (after == std::begin(entities)) return 0;
    const Entity& last = *std::prev(after);
    if (text.starts_with(last.name)) {
      out += last.text;
      return last.name.size();
    }
    // A name that is longer than what the two have in common would stand behind `last`.
    const auto common = std::mismatch(text.begin(), text.end(), last.name.begin(), last.name.end());
    text = text.substr(0, static_cast<std::size_t>(common.first - text.begin()));
  }
  return 0;
}

}  // namespace

std::string xhtml_unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (;;) {
    const std::size_t plain = text.find('&');
    out += text.substr(0, plain);
    if (plain == std::string_view::npos) return out;
    text.remove_prefix(plain + 1);
    const std::size_t used =
        text.starts_with('#') ? read_numeric(text, out) : read_named(text, out);
    if (used == 0) out += '&';
    text.remove_prefix(used);
  }
}

}  // namespace squall
