// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/ascii.hpp"
#include "http/cookie.hpp"
#include "http/set_cookie.hpp"
#include "http/tokens.hpp"

#include <string>

// The first line is a Cookie field; the next are name, value, domain, path and SameSite of a
// Set-Cookie field, whose value must come back as it was.

namespace {

using namespace squall::http;

void read(std::string_view field) {
  std::size_t count = 0;
  parse_cookie(field, [&](std::string_view name, std::string_view value) {
    ++count;
    fuzz::check(fuzz::is_within(name, field) || name.empty(), "a name lies in the field");
    fuzz::check(fuzz::is_within(value, field) || value.empty(), "a value lies in the field");
    fuzz::check(name.find(';') == name.npos && value.find(';') == value.npos, "pairs are apart");
    fuzz::check(name == ascii::trim(name), "a name is trimmed");
    fuzz::check(unquote_cookie(value).size() <= value.size(), "unquoting makes nothing longer");
    fuzz::check(find_cookie(field, name).has_value(), "a cookie is found by its name");
  });
  fuzz::check(count <= squall::limits::cookie_count, "cookies are limited");
}

void write(std::string_view lines) {
  SetCookie cookie{.name = fuzz::take(lines)};
  cookie.value = fuzz::take(lines);
  cookie.domain = fuzz::take(lines);
  cookie.path = fuzz::take(lines);
  cookie.samesite = fuzz::take(lines);
  fuzz::Random random(lines);
  const auto number = [&random] {
    return static_cast<std::int64_t>(random.up_to(1U << 31) - (1U << 30)) * 1000;
  };
  if (random.up_to(2) == 1) cookie.expires = number();
  if (random.up_to(2) == 1) cookie.max_age = number();
  cookie.secure = random.up_to(2) == 1;
  const auto text = serialize(cookie);
  if (!text) return;
  fuzz::check(is_field_value(*text), "it may be sent");
  fuzz::check(is_token(cookie.name), "its name is a token");
  const std::string_view pair = std::string_view(*text).substr(0, text->find(';'));
  const auto found = find_cookie(pair, cookie.name);
  fuzz::check(found.has_value(), "what is sent is found when it comes back");
  if (found) fuzz::check_same(unquote_cookie(*found), cookie.value, "with its value");
}

}  // namespace

void fuzz::run(std::string_view input) {
  read(take(input));
  write(input);
}
