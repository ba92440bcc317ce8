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

/// One element of a list with weights, as Accept-Encoding and Accept-Language have it.
struct Weighted {
  std::string_view value;
  std::uint16_t weight = 1000;  ///< thousandths; 0 is refused
};

/// Nothing when what stands behind the value is no weight.
[[nodiscard]] inline std::optional<Weighted> weighted(std::string_view element) noexcept {
  const std::size_t semicolon = element.find(';');
  const std::string_view value = ascii::trim(element.substr(0, semicolon));
  if (semicolon == std::string_view::npos) return Weighted{value};
  const std::string_view parameter = ascii::trim(element.substr(semicolon + 1));
  if (!ascii::equal(parameter.substr(0, 2), "q=")) return {};
  const auto weight = qvalue(parameter.substr(2));
  if (!weight) return {};
  return Weighted{value, *weight};
}

}  // namespace squall::http
