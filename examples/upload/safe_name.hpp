// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// A file's name made of what a client calls it: the last part of a path, with `_` for what
/// means something to a shell, a terminal or a file system, no dot in front, at most 100 bytes.
/// `filename` is UTF-8.
inline std::string safe_name(std::string_view filename) {
  constexpr std::size_t max_bytes = 100;
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+ ";
  const std::size_t slash = filename.find_last_of("/\\");
  if (slash != std::string_view::npos) filename.remove_prefix(slash + 1);
  std::string name;
  for (const char c : filename) {
    const bool is_ascii = static_cast<unsigned char>(c) < 0x80;
    name += !is_ascii || plain.find(c) != std::string_view::npos ? c : '_';
  }
  name.erase(0, name.find_first_not_of(". "));
  if (name.size() > max_bytes) {
    // Its ending stays, where it has a short one; no character is cut in two.
    const std::size_t dot = name.find_last_of('.');
    const std::string ending =
        dot != std::string::npos && name.size() - dot <= 16 ? name.substr(dot) : "";
    std::size_t end = max_bytes - ending.size();
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
    name = name.substr(0, end) + ending;
  }
  name.erase(name.find_last_not_of(' ') + 1);
  return name.empty() ? "file" : name;
}

/// The same name with a number, for when it is taken: `photo (2).jpg`.
inline std::string numbered_name(const std::string& name, int number) {
  const std::size_t dot = name.find_last_of('.');
  const std::size_t end = dot == std::string::npos || dot == 0 ? name.size() : dot;
  return name.substr(0, end) + " (" + std::to_string(number) + ")" + name.substr(end);
}
