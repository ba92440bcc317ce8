// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Letters and digits without a locale.
namespace squall::ascii {

inline constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
inline constexpr bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline constexpr bool is_alphanumeric(char c) noexcept { return is_alpha(c) || is_digit(c); }

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

inline void make_lower(std::string& text) noexcept {
  for (char& c : text) c = lower(c);
}

/// Equal but for the case of ASCII letters.
inline constexpr bool equal(std::string_view left, std::string_view right) noexcept {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

}  // namespace squall::ascii
