// SPDX-License-Identifier: Apache-2.0
#include "http/tokens.hpp"

#include "http/scan.hpp"

namespace squall::http {

bool is_token(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return !text.empty() && scan::skip_token(text.data(), end) == end;
}

bool is_field_value(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return scan::skip_value(text.data(), end) == end;
}

bool ListReader::next() noexcept {
  if (ended_) return false;
  const std::size_t comma = rest_.find(',');
  element_ = ascii::trim(rest_.substr(0, comma));
  ended_ = comma == std::string_view::npos;
  if (!ended_) rest_.remove_prefix(comma + 1);
  return true;
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  ListReader reader(list);
  while (reader.next()) {
    if (ascii::equal(reader.element(), token)) return true;
  }
  return false;
}

}  // namespace squall::http
