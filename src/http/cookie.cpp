// SPDX-License-Identifier: Apache-2.0
#include "http/cookie.hpp"

#include "http/ascii.hpp"

namespace squall::http {
namespace {

bool is_octal_escape(std::string_view text) noexcept {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  return text.size() >= 3 && text[0] <= '3' && octal(text[0]) && octal(text[1]) && octal(text[2]);
}

}  // namespace

bool CookieReader::next() noexcept {
  while (!rest_.empty() && count_ < limits::cookie_count) {
    const std::size_t semicolon = rest_.find(';');
    const std::string_view pair = rest_.substr(0, semicolon);
    rest_.remove_prefix(semicolon == std::string_view::npos ? rest_.size() : semicolon + 1);
    const std::size_t equals = pair.find('=');
    // Browsers send a cookie without a name as its bare value.
    const bool named = equals != std::string_view::npos;
    name_ = named ? ascii::trim(pair.substr(0, equals)) : std::string_view();
    value_ = ascii::trim(named ? pair.substr(equals + 1) : pair);
    if (name_.empty() && value_.empty()) continue;
    ++count_;
    return true;
  }
  return false;
}

std::optional<std::string_view> find_cookie(std::string_view field,
                                            std::string_view name) noexcept {
  std::optional<std::string_view> found;
  for (CookieReader reader(field); reader.next();) {
    if (reader.name() == name) found = reader.raw_value();
  }
  return found;
}

std::string unquote_cookie(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return std::string(raw);
  raw = raw.substr(1, raw.size() - 2);
  std::string value;
  value.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      value += raw[i];
    } else if (is_octal_escape(raw.substr(i + 1))) {
      const int code = (raw[i + 1] - '0') * 64 + (raw[i + 2] - '0') * 8 + (raw[i + 3] - '0');
      value += static_cast<char>(code);
      i += 3;
    } else {
      value += raw[++i];
    }
  }
  return value;
}

}  // namespace squall::http
