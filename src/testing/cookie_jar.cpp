// SPDX-License-Identifier: Apache-2.0
#include "testing/cookie_jar.hpp"

#include "base/number.hpp"
#include "http/ascii.hpp"
#include "http/cookie.hpp"
#include "http/date.hpp"

#include <ctime>
#include <optional>

namespace squall::testing {
namespace {

using http::ascii::trim;

/// The part before `separator`, which goes from `rest` with it.
std::string_view take_part(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = trim(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

void CookieJar::take(std::string_view set_cookie) {
  std::string_view pair = take_part(set_cookie, ';');
  const std::string name(take_part(pair, '='));
  std::optional<bool> is_over_by_age;
  bool is_over = false;
  while (!set_cookie.empty()) {
    std::string_view value = take_part(set_cookie, ';');
    const std::string_view attribute = take_part(value, '=');
    value = trim(value);
    if (http::ascii::equal(attribute, "max-age")) {
      std::int64_t seconds = 0;
      if (read_number(value, seconds)) is_over_by_age = seconds <= 0;
    } else if (http::ascii::equal(attribute, "expires")) {
      if (const auto date = http::parse_http_date(value)) is_over = *date <= std::time(nullptr);
    }
  }
  // Max-Age goes before Expires.
  if (is_over_by_age.value_or(is_over)) {
    values_.erase(name);
  } else {
    values_[name] = std::string(trim(pair));
  }
}

std::string CookieJar::field() const {
  std::string text;
  for (const auto& [name, value] : values_) {
    if (!text.empty()) text += "; ";
    text += name + "=" + value;
  }
  return text;
}

std::string CookieJar::value(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : http::unquote_cookie(found->second);
}

}  // namespace squall::testing
