// SPDX-License-Identifier: Apache-2.0
#include "http/etag.hpp"

#include "http/ascii.hpp"

namespace squall::http {
namespace {

std::string_view without_weakness(std::string_view tag) noexcept {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

}  // namespace

bool none_match(std::string_view if_none_match, std::string_view etag) noexcept {
  std::string_view rest = ascii::trim(if_none_match);
  if (rest == "*") return false;
  const std::string_view wanted = without_weakness(etag);
  while (!rest.empty()) {
    if (rest.front() == ',' || ascii::is_blank(rest.front())) {
      rest.remove_prefix(1);
      continue;
    }
    rest = without_weakness(rest);
    // A comma may stand between the quotes, so the list cannot be cut at commas (RFC 9110 §8.8.3).
    if (!rest.starts_with('"')) return true;
    const std::size_t close = rest.find('"', 1);
    if (close == std::string_view::npos) return true;
    if (rest.substr(0, close + 1) == wanted) return false;
    rest = ascii::trim(rest.substr(close + 1));
    if (!rest.empty() && rest.front() != ',') return true;
  }
  return true;
}

}  // namespace squall::http
