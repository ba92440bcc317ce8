// SPDX-License-Identifier: Apache-2.0
#include "locale/locale_code.hpp"

#include "http/ascii.hpp"

#include <algorithm>
#include <iterator>

namespace squall::locale {
namespace {

namespace ascii = http::ascii;

struct Name {
  std::string_view code;
  std::string_view name;
};
constexpr Name locale_names[] = {
#include "locale/locale_names_table.inc"
};

std::string_view take_part(std::string_view& key) noexcept {
  const std::size_t end = key.find('_');
  const std::string_view part = key.substr(0, end);
  key.remove_prefix(end == std::string_view::npos ? key.size() : end + 1);
  return part;
}

bool all(std::string_view text, bool (*is)(char) noexcept) noexcept {
  return std::all_of(text.begin(), text.end(), is);
}
bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) noexcept { return ascii::is_digit(c); }
bool is_alpha(char c) noexcept { return ascii::is_alpha(c); }

bool is_script(std::string_view part) noexcept { return part.size() == 4 && all(part, is_alpha); }
bool is_region(std::string_view part) noexcept {
  return (part.size() == 2 && all(part, is_alpha)) || (part.size() == 3 && all(part, is_digit));
}

}  // namespace

std::string code_key(std::string_view code) {
  std::string key(code);
  for (char& c : key) c = c == '-' ? '_' : ascii::lower(c);
  return key;
}

std::vector<std::string> lookup_keys(std::string_view code) {
  std::vector<std::string> keys;
  if (code.empty() || code.starts_with('*')) return keys;
  std::string key = code_key(code);
  std::string by_country;
  std::string_view rest = key;
  const std::string_view language = take_part(rest);
  if (is_script(take_part(rest))) {
    const std::string_view region = take_part(rest);
    if (is_region(region)) by_country.append(language).append("_").append(region);
  }
  for (;;) {
    const std::size_t end = key.rfind('_');
    if (end == std::string::npos && !by_country.empty()) keys.push_back(by_country);
    keys.push_back(key);
    if (end == std::string::npos) return keys;
    key.resize(end);
    // A single character introduces what stands behind it, and goes with that.
    if (key.size() >= 2 && key[key.size() - 2] == '_') key.resize(key.size() - 2);
  }
}

std::string language_of(std::string_view code) {
  return code_key(code.substr(0, std::min(code.find_first_of("_-@."), code.size())));
}

bool is_right_to_left(std::string_view code) {
  const std::string key = code_key(code);
  std::string_view rest = key;
  take_part(rest);
  const std::string_view script = take_part(rest);
  if (is_script(script)) {
    constexpr std::string_view scripts[] = {"arab", "hebr", "thaa", "syrc",
                                            "nkoo", "adlm", "rohg", "aran"};
    return std::find(std::begin(scripts), std::end(scripts), script) != std::end(scripts);
  }
  constexpr std::string_view languages[] = {"ar",  "arc", "ckb", "dv", "fa", "he", "iw",
                                            "nqo", "ps",  "sd",  "ug", "ur", "yi"};
  const std::string language = language_of(code);
  return std::find(std::begin(languages), std::end(languages), language) != std::end(languages);
}

bool is_locale_code(std::string_view code) noexcept {
  const std::string_view language = take_part(code);
  if (language.empty() || language.size() > 8 || !all(language, is_lower)) return false;
  if (code.empty()) return code.data() == language.data() + language.size();
  std::string_view part = take_part(code);
  if (is_script(part)) {
    if (code.empty()) return is_upper(part.front());
    part = take_part(code);
  }
  return code.empty() && !part.empty() &&
         (all(part, is_upper) || (part.size() == 3 && all(part, is_digit)));
}

std::string_view known_locale_name(std::string_view code) noexcept {
  const auto found = std::lower_bound(
      std::begin(locale_names), std::end(locale_names), code,
      [](const Name& name, std::string_view wanted) { return name.code < wanted; });
  return found != std::end(locale_names) && found->code == code ? found->name : std::string_view();
}

}  // namespace squall::locale
