// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Classes of characters and comparisons without a locale.
namespace squall::http::ascii {

enum Class : std::uint8_t {
  token = 1,   ///< tchar (RFC 9110 §5.6.2)
  value = 2,   ///< VCHAR, obs-text, SP, HTAB (RFC 9110 §5.5)
  target = 4,  ///< what a request target may hold besides `%` and `?`
  host = 8,    ///< reg-name (RFC 3986 §3.2.2) without `%` and without comma
};

inline constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
inline constexpr bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

inline constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    const bool alphanumeric = code < 128 && (is_digit(c) || is_alpha(c));
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

inline constexpr std::array<std::int8_t, 256> hex_values = [] {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (int i = 0; i < 10; ++i)
    table[static_cast<unsigned char>('0' + i)] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    table[static_cast<unsigned char>('a' + i)] = static_cast<std::int8_t>(10 + i);
    table[static_cast<unsigned char>('A' + i)] = static_cast<std::int8_t>(10 + i);
  }
  return table;
}();

/// The value of a hexadecimal digit, or -1.
inline constexpr int hex_value(char c) noexcept {
  return hex_values[static_cast<unsigned char>(c)];
}

inline constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Equal but for the case of ASCII letters.
inline constexpr bool equal(std::string_view left, std::string_view right) noexcept {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

inline constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// Without the optional white space around it (OWS, RFC 9110 §5.6.3).
inline constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace squall::http::ascii
