// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"
#include "http/qvalue.hpp"
#include "http/tokens.hpp"

#include <squall/base/limits.hpp>
#include <squall/locale/accept_language.hpp>

#include <algorithm>

namespace squall::locale {
namespace {

namespace ascii = http::ascii;

// RFC 4647 §2.1: letters, then letters and digits, up to eight in each part; or "*".
bool is_language_range(std::string_view tag) noexcept {
  if (tag == "*") return true;
  std::size_t size = 0;
  bool first = true;
  for (const char c : tag) {
    if (c == '-') {
      if (size == 0) return false;
      size = 0;
      first = false;
    } else if (++size > 8 || !(ascii::is_alpha(c) || (!first && ascii::is_digit(c)))) {
      return false;
    }
  }
  return size != 0;
}

}  // namespace

std::vector<LanguageRange> parse_accept_language(std::string_view field) {
  std::vector<LanguageRange> ranges;
  std::size_t looked_at = 0;
  for (http::ListReader list(field); looked_at < limits::language_ranges && list.next();
       ++looked_at) {
    const auto member = http::weighted(list.element());
    if (!member || member->weight == 0 || !is_language_range(member->value)) continue;
    ranges.push_back({member->value, member->weight});
  }
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const auto& left, const auto& right) { return left.weight > right.weight; });
  return ranges;
}

}  // namespace squall::locale
