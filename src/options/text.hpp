// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ascii.hpp"

#include <squall/options/option.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace squall::options_text {

inline std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\r";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// The key of a name: `-` and `_` are the same.
inline std::string key_of(std::string_view name) {
  std::string key(name);
  std::ranges::replace(key, '-', '_');
  return key;
}

/// A name as it is written on the command line.
inline std::string dashed(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

}  // namespace squall::options_text
