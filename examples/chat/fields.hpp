// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What a client sends may have any shape: these look before they read.

/// The text at `key` without white space around it; "" if there is none.
inline std::string text_at(const squall::json::object& from, std::string_view key) {
  const squall::json::value* found = from.if_contains(key);
  if (found == nullptr || !found->is_string()) return "";
  const std::string text(found->get_string());
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

/// The whole number at `key`; -1 if there is none.
inline std::int64_t number_at(const squall::json::object& from, std::string_view key) {
  const squall::json::value* found = from.if_contains(key);
  return found != nullptr && found->is_int64() ? found->get_int64() : -1;
}

/// Whether UTF-8 text has 1 to `most` characters.
inline bool has_length(std::string_view text, std::size_t most) {
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  const auto count = std::count_if(text.begin(), text.end(), is_first_byte);
  return count > 0 && static_cast<std::size_t>(count) <= most;
}

inline bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < ' ') || c == 127; });
}
