// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "locale/csv_file.hpp"
#include "locale/locale_code.hpp"
#include "locale/mo_file.hpp"
#include "locale/plural_rule.hpp"
#include "locale/text_encoding.hpp"

#include <squall/locale/accept_language.hpp>
#include <squall/locale/interpolate.hpp>

#include <string>
#include <vector>

// Files of translations, plural rules, Accept-Language fields, codes of locales.

namespace {

void ask(const squall::locale::Messages& messages, std::string_view input) {
  const std::string_view message = input.substr(0, input.size() / 2);
  for (const std::int64_t count : {0, 1, 2, 11, -1}) {
    static_cast<void>(messages.find(message, input, count));
    static_cast<void>(messages.find("club", "clubs", count));
    static_cast<void>(messages.find_in("stick", "club", "clubs", count));
  }
  static_cast<void>(messages.find(message));
  static_cast<void>(messages.find_in(message, input));
}

}  // namespace

void fuzz::run(std::string_view input) {
  using namespace squall::locale;
  std::string why, note;
  if (const auto messages = read_mo_file(std::string(input), 1000, why, note)) {
    check(why.empty(), "what is read has no error");
    ask(*messages, input);
  } else {
    check(!why.empty(), "what is refused has a reason");
  }

  why.clear();
  if (const auto text = to_utf8(std::string(input), Encoding::detect, why)) {
    std::vector<std::string> notes;
    if (const auto messages = read_csv_file(*text, 1000, why, notes)) ask(*messages, input);
    std::size_t last = 0;
    for (CSVReader reader(*text); reader.next(); last = reader.line()) {
      check(reader.line() > last, "each row begins on a line of its own");
    }
  } else {
    check(!why.empty(), "what is refused has a reason");
  }

  why.clear();
  if (const auto rule = PluralRule::parse(input, why)) {
    for (std::uint64_t n = 0; n < 1001; ++n) {
      check(rule->form(n) < rule->form_count(), "each count has a form");
    }
  } else {
    check(!why.empty(), "what is refused has a reason");
  }

  std::uint16_t weight = 1000;
  for (const LanguageRange& range : parse_accept_language(input)) {
    check(is_within(range.tag, input), "a language lies in the field");
    check(range.weight != 0 && range.weight <= weight, "what is wanted most comes first");
    weight = range.weight;
    for (const std::string& key : lookup_keys(range.tag)) check(!key.empty(), "a key is a code");
  }
  static_cast<void>(is_right_to_left(input));
  if (is_locale_code(input)) check(!lookup_keys(input).empty(), "a code can be looked up");
  if (input.find('%') == input.npos) check_same(interpolate(input, {}), input, "it is the same");
}
