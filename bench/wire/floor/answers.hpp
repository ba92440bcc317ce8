// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace bench_floor {

inline constexpr std::string_view server_headers =
    "Server: floor\r\nDate: Sun, 22 Nov 2026 22:22:22 GMT\r\n";

/// A fixed 200 with the headers a real server sends.
inline std::string answer(std::string_view type, std::string_view body, bool closing = false) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  text.append(server_headers).append("Content-Type: ").append(type);
  text.append("\r\nContent-Length: ").append(std::to_string(body.size()));
  if (closing) text.append("\r\nConnection: close");
  return text.append("\r\n\r\n").append(body);
}

/// The head of an answer whose body is sent from elsewhere; written without allocating.
class BinaryHead {
 public:
  explicit BinaryHead(std::size_t length) {
    char* const end = text_.data() + text_.size();
    char* at = std::copy(prefix().begin(), prefix().end(), text_.data());
    at = std::to_chars(at, end, length).ptr;
    constexpr std::string_view blank_line = "\r\n\r\n";
    at = std::copy(blank_line.begin(), blank_line.end(), at);
    size_ = static_cast<std::size_t>(at - text_.data());
  }

  std::string_view text() const { return {text_.data(), size_}; }

 private:
  static std::string_view prefix() {
    static const std::string text = "HTTP/1.1 200 OK\r\n" + std::string(server_headers) +
                                    "Content-Type: application/octet-stream\r\nContent-Length: ";
    return text;
  }

  std::array<char, 256> text_;
  std::size_t size_ = 0;
};

}  // namespace bench_floor
