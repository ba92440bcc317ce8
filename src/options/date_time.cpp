// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"

#include <squall/options/option.hpp>

#include <array>
#include <chrono>
#include <string_view>

namespace squall {
namespace {

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

// Letters are those of strptime, with the widths it writes: %a %b %d(1-2) %H %M %S %Y %m.
// A digit of a field that may be shorter is not taken when the form goes on without a separator.
constexpr std::array<std::string_view, 11> forms = {
    "a b d H:M:S Y", "Y-m-d H:M:S", "Y-m-d H:M", "Y-m-dTH:M:S", "Y-m-dTH:M", "Ymd H:M:S",
    "Ymd H:M",       "Y-m-d",       "Ymd",       "H:M:S",       "H:M"};

bool take_digits(std::string_view& text, std::size_t least, std::size_t most, int& into) {
  std::size_t count = 0;
  into = 0;
  while (count < most && count < text.size() && ascii::is_digit(text[count])) {
    into = into * 10 + (text[count++] - '0');
  }
  text.remove_prefix(count);
  return count >= least;
}

template <std::size_t Size>
int take_name(std::string_view& text, const std::array<std::string_view, Size>& names) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (text.starts_with(names[i])) {
      text.remove_prefix(names[i].size());
      return static_cast<int>(i) + 1;
    }
  }
  return 0;
}

bool take_field(char field, std::size_t least, std::string_view& text, DateTime& into) {
  int ignored = 0;
  switch (field) {
    case 'a':
      return take_name(text, days) != 0;
    case 'b':
      into.month = take_name(text, months);
      return into.month != 0;
    case 'Y':
      return take_digits(text, 4, 4, into.year);
    case 'm':
      return take_digits(text, least, 2, into.month);
    case 'd':
      return take_digits(text, least, 2, into.day);
    case 'H':
      return take_digits(text, least, 2, into.hour);
    case 'M':
      return take_digits(text, least, 2, into.minute);
    case 'S':
      return take_digits(text, least, 2, into.second);
    default:
      return take_digits(text, 0, 0, ignored);
  }
}

bool matches(std::string_view form, std::string_view text, DateTime& into) {
  constexpr std::string_view fields = "abdHMSYm";
  const std::size_t least = form.starts_with("Ymd") ? 2 : 1;
  for (const char c : form) {
    if (fields.find(c) != std::string_view::npos) {
      if (!take_field(c, least, text, into)) return false;
    } else {
      if (!text.starts_with(c)) return false;
      text.remove_prefix(1);
      // ctime() pads the day with a blank.
      while (c == ' ' && text.starts_with(' ')) text.remove_prefix(1);
    }
  }
  return text.empty();
}

bool is_real(const DateTime& value) {
  const std::chrono::year_month_day date{std::chrono::year(value.year),
                                         std::chrono::month(static_cast<unsigned>(value.month)),
                                         std::chrono::day(static_cast<unsigned>(value.day))};
  return value.year > 0 && date.ok() && value.hour < 24 && value.minute < 60 && value.second < 60;
}

}  // namespace

void parse_option(std::string_view text, DateTime& into) {
  for (const std::string_view form : forms) {
    DateTime value;
    if (matches(form, text, value) && is_real(value)) {
      into = value;
      return;
    }
  }
  detail::refuse_value("is not a date such as '2026-01-31 15:04', 2026-01-31 or 15:04");
}

}  // namespace squall
