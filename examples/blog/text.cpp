// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <array>
#include <ctime>

namespace {

std::string formatted(std::int64_t time, const char* format) {
  const std::time_t seconds = time;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text;
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

bool is_white(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else if (c == '\'') {
      result += "&#39;";
    } else if (byte >= ' ' || c == '\n' || c == '\t') {
      result += c;
    }
  }
  return result;
}

std::string paragraphs(std::string_view text) {
  std::string result;
  bool is_open = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (is_white(line)) {
      if (is_open) result += "</p>\n";
      is_open = false;
      continue;
    }
    result += is_open ? "<br>\n" : "<p>";
    result += escaped(line);
    is_open = true;
  }
  if (is_open) result += "</p>\n";
  return result;
}

std::string slug_of(std::string_view title) {
  constexpr std::size_t max_bytes = 80;
  std::string slug;
  for (char c : title) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool is_kept =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (is_kept) {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  if (slug.size() > max_bytes) {
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(slug[end]) & 0xC0) == 0x80) --end;
    slug.resize(end);
  }
  slug.erase(slug.find_last_not_of('-') + 1);
  return slug.empty() ? "entry" : slug;
}

// The program's locale is "C": the months are English.
std::string date_in_words(std::int64_t time) { return formatted(time, "%-d %B %Y"); }
std::string timestamp(std::int64_t time) { return formatted(time, "%Y-%m-%dT%H:%M:%SZ"); }
