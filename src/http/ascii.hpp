// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ascii.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Classes of characters in the protocol, without a locale.
namespace squall::http::ascii {

enum Class : std::uint8_t {
  token = 1,   ///< tchar (RFC 9110 §5.6.2)
  value = 2,   ///< VCHAR, obs-text, SP, HTAB (RFC 9110 §5.5)
  target = 4,  ///< what a request target may hold besides `%` and `?`
  host = 8,    ///< reg-name (RFC 3986 §3.2.2) without `%` and without comma
};

using squall::ascii::equal;
using squall::ascii::hex_value;
using squall::ascii::is_alpha;
using squall::ascii::is_digit;
using squall::ascii::lower;

inline constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    const bool alphanumeric = squall::ascii::is_alphanumeric(c);
    const auto among = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
    unsigned bits = 0;
    if (alphanumeric || (code != 0 && among("!#$%&'*+-.^_`|~"))) bits |= token;
    if ((code >= 0x20 && code != 0x7f) || c == '\t') bits |= value;
    if (code > 0x20 && code != 0x7f && c != '#' && c != '%' && c != '?') bits |= target;
    // A comma is legal in a reg-name, but here it is what a proxy makes of two Host fields.
    if (alphanumeric || (code != 0 && among("-._~!$&'()*+;="))) bits |= host;
    table[code] = static_cast<std::uint8_t>(bits);
  }
  return table;
}();

inline constexpr bool is(char c, Class wanted) noexcept {
  return (classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

inline constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// Without the optional white space around it (OWS, RFC 9110 §5.6.3).
inline constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace squall::http::ascii
