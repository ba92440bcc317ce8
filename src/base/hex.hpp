// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace squall {

/// Writes each byte as two hexadecimal digits in lower case (RFC 4648 §8, but for the case).
inline void write_hex(char* out, std::string_view bytes) noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
}

inline void append_hex(std::string& out, std::string_view bytes) {
  const std::size_t had = out.size();
  out.resize(had + 2 * bytes.size());
  write_hex(out.data() + had, bytes);
}

}  // namespace squall
