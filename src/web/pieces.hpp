// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/number.hpp"

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace squall::web {

/// Appends `5:bytes,`: texts of any bytes, one after the other.
inline void append_piece(std::string& out, std::string_view bytes) {
  out.append(std::to_string(bytes.size())).append(1, ':').append(bytes).append(1, ',');
}

/// Takes the next piece off `from`; false when that is not what stands there.
inline bool take_piece(std::string_view& from, std::string_view& piece) noexcept {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), size);
  const auto digits = static_cast<std::size_t>(end - from.data());
  if (error != std::errc() || digits == from.size() || from[digits] != ':') return false;
  const std::size_t rest = from.size() - digits - 1;
  if (size >= rest || from[digits + 1 + size] != ',') return false;
  piece = from.substr(digits + 1, size);
  from.remove_prefix(digits + 1 + size + 1);
  return true;
}

/// Takes a piece that is a number.
template <class Number>
bool take_number_piece(std::string_view& from, Number& number) noexcept {
  std::string_view piece;
  return take_piece(from, piece) && read_number(piece, number);
}

}  // namespace squall::web
