// SPDX-License-Identifier: Apache-2.0
#include "tools/output_text.hpp"

#include "base/ascii.hpp"
#include "base/utf8.hpp"

#include <algorithm>

namespace squall::tools {
namespace {

constexpr std::string_view left_out = "[...]\n";

/// ECMA-48 §5.4: ESC, '[', parameters, and a final byte; other sequences are two bytes long.
std::size_t escape_size(std::string_view text) noexcept {
  if (text.size() < 2 || text[1] != '[') return std::min<std::size_t>(2, text.size());
  const auto is_final = [](char c) { return c >= '@' && c <= '~'; };
  const auto end = std::find_if(text.begin() + 2, text.end(), is_final);
  return static_cast<std::size_t>(end - text.begin()) + (end != text.end() ? 1 : 0);
}

/// Of ninja, "[3/9] Building", and of make, "[ 33%] Building".
bool is_progress(std::string_view line) noexcept {
  if (!line.starts_with('[')) return false;
  const std::size_t end = line.find(']');
  if (end == std::string_view::npos || end < 2) return false;
  return std::all_of(line.begin() + 1, line.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char c) { return ascii::is_digit(c) || c == '/' || c == '%' || c == ' '; });
}

void append_valid(std::string& out, std::string_view line) {
  if (is_utf8(line)) {
    out += line;
    return;
  }
  for (const char c : line) out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
}

}  // namespace

void OutputText::add(std::string_view bytes) {
  if (keep_ == Keep::first) {
    const std::size_t room = max_bytes_ - bytes_.size();
    cut_ = cut_ || bytes.size() > room;
    bytes_ += bytes.substr(0, room);
    return;
  }
  bytes_ += bytes;
  if (bytes_.size() <= max_bytes_) return;
  cut_ = true;
  bytes_.erase(0, bytes_.size() - max_bytes_);
}

std::string OutputText::text() const {
  std::string plain;
  for (std::size_t at = 0; at < bytes_.size();) {
    if (bytes_[at] == '\033') {
      at += escape_size(std::string_view(bytes_).substr(at));
    } else {
      if (bytes_[at] == '\n' || bytes_[at] == '\t' ||
          (static_cast<unsigned char>(bytes_[at]) >= 0x20 && bytes_[at] != 0x7F)) {
        plain += bytes_[at];
      }
      ++at;
    }
  }
  std::string text;
  if (cut_ && keep_ == Keep::last) text += left_out;
  for (std::size_t at = 0; at < plain.size();) {
    const std::size_t end = std::min(plain.find('\n', at), plain.size());
    const std::string_view line = std::string_view(plain).substr(at, end - at);
    at = end + 1;
    if (is_progress(line)) continue;
    append_valid(text, line);
    text += '\n';
  }
  if (cut_ && keep_ == Keep::first) text += left_out;
  return text;
}

}  // namespace squall::tools
