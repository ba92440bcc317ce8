// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wire_load {

inline constexpr std::size_t receive_bytes = 256 * 1024;
inline constexpr std::string_view hello = "Hello, World!";

/// A GET as a plain client sends it; `last_header` without its line end, may be empty.
inline std::string get_request(std::string_view path, std::string_view last_header = {}) {
  std::string text = "GET ";
  text.append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  if (!last_header.empty()) text.append(last_header).append("\r\n");
  return text.append("\r\n");
}

/// The bytes of the static file and of echoed bodies: the runner writes the same into 100k.bin.
inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>((i * 131 + (i >> 8U) * 29) & 0xffU);
  }
  return bytes;
}

/// `size` bytes of ASCII that begin with a number, so that each message differs.
inline std::string text_message(std::size_t number, std::size_t size) {
  std::string text = "message " + std::to_string(number) + ' ';
  while (text.size() < size) text += static_cast<char>('a' + text.size() % 26);
  return text.substr(0, size);
}

}  // namespace wire_load
