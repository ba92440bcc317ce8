// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <string_view>
#include <system_error>

namespace squall {

/// Reads a text that is a number as a whole, in decimal: no white space, no plus sign, and a minus
/// only where `Number` has negative values. False for other texts and for what does not fit.
template <class Number>
[[nodiscard]] bool read_number(std::string_view text, Number& number) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end;
}

}  // namespace squall
