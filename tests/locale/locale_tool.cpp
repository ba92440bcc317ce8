// SPDX-License-Identifier: Apache-2.0
// Asks the locale room, for the tests beside it: squall_locale_tool gettext|csv DIRECTORY
// DOMAIN|ENCODING [DEFAULT]. Each line of the input is a question, each word of it in hexadecimal
// behind an x; so is each answer.
#include <squall/base/error.hpp>
#include <squall/locale.hpp>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace squall;
using Words = std::vector<std::string>;

std::string decoded(const std::string& word) {
  std::string text;
  for (std::size_t i = 1; i + 1 < word.size(); i += 2) {
    text.push_back(static_cast<char>(std::stoi(word.substr(i, 2), nullptr, 16)));
  }
  return text;
}

Words words_of(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) words.push_back(decoded(word));
  return words;
}

void answer(std::string_view text) {
  std::string line = "x";
  for (const char c : text) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(c) & 0xff);
    line += digits;
  }
  std::cout << line << '\n';
}

std::string asked(const locale::Translations& translations, const Words& words) {
  const std::string& what = words.at(0);
  if (what == "closest") {
    const std::vector<std::string_view> codes(words.begin() + 1, words.end());
    return std::string(translations.get_closest(codes).code());
  }
  if (what == "accepted") {
    const locale::Locale* const found = translations.get_accepted(words.at(1));
    return found != nullptr ? std::string(found->code()) : "";
  }
  if (what == "errors") {
    std::string all;
    for (const auto& error : translations.errors()) all += error.file + ": " + error.what + "\n";
    return all;
  }
  const locale::Locale& locale = translations.get(words.at(1));
  const auto number = [&words](std::size_t at) { return std::stoll(words.at(at)); };
  if (what == "name") return locale.name();
  if (what == "translate") return std::string(locale.translate(words.at(2)));
  if (what == "plural") {
    return std::string(locale.translate(words.at(2), words.at(3), number(4)));
  }
  if (what == "pgettext") return std::string(locale.pgettext(words.at(2), words.at(3)));
  if (what == "npgettext") {
    return std::string(locale.pgettext(words.at(2), words.at(3), words.at(4), number(5)));
  }
  if (what == "date") {
    return locale.format_date(number(2), {.gmt_offset = static_cast<int>(number(4)),
                                          .relative = number(5) != 0,
                                          .shorter = number(6) != 0,
                                          .full_format = number(7) != 0,
                                          .now = number(3)});
  }
  if (what == "day") {
    return locale.format_day(number(2),
                             {.gmt_offset = static_cast<int>(number(3)), .dow = number(4) != 0});
  }
  if (what == "list") return locale.list(Words(words.begin() + 2, words.end()));
  if (what == "number") return locale.friendly_number(number(2));
  throw UsageError("what is " + what);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string kind = argv[1];
  const locale::LoadOptions options{.default_locale = argc > 4 ? argv[4] : "en_US"};
  const locale::Translations translations =
      kind == "csv" ? locale::load_translations(argv[2], argv[3], options)
                    : locale::load_gettext_translations(argv[2], argv[3], options);
  for (std::string line; std::getline(std::cin, line);) {
    answer(asked(translations, words_of(line)));
  }
}
