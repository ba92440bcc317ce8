// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/ascii.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::http {

/// Thousandths of a qvalue (RFC 9110 §12.4.2), or nothing when it is none.
[[nodiscard]] inline std::optional<std::uint16_t> qvalue(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return {};
  unsigned value = text[0] == '1' ? 1000 : 0;
  if (text.size() > 1 && text[1] != '.') return {};
  unsigned unit = 100;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (!ascii::is_digit(text[i])) return {};
    value += unit * static_cast<unsigned>(text[i] - '0');
  }
  if (value > 1000) return {};
  return static_cast<std::uint16_t>(value);
}

}  // namespace squall::http
