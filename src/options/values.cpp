// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"
#include "options/text.hpp"

#include <squall/options/values.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <initializer_list>

namespace squall {
namespace {

/// What is left after a number, or an error for a text that begins with none.
template <class Number>
bool take_number(std::string_view& text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// Decimal digits and a point, nothing else: no exponent, whose letter could be a unit's.
bool take_decimal(std::string_view& text, double& into) {
  const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
  if (end == 0) return false;
  const auto [last, error] =
      std::from_chars(text.data(), text.data() + end, into, std::chars_format::fixed);
  if (error != std::errc() || last != text.data() + end) return false;
  text.remove_prefix(end);
  return true;
}

std::string_view take_word(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && ascii::is_alpha(text[size])) ++size;
  const std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

template <class Float>
void parse_real(std::string_view text, Float& into) {
  std::string_view rest = text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  if (!take_number(rest, into) || !rest.empty() || !std::isfinite(into)) {
    detail::refuse_value("is not a number");
  }
}

struct Unit {
  std::initializer_list<std::string_view> names;
  double size;
};

/// 0 for a word that is no unit.
double unit_size(std::string_view word, std::initializer_list<Unit> units) {
  for (const Unit& unit : units) {
    for (const std::string_view name : unit.names) {
      if (ascii::equal(word, name)) return unit.size;
    }
  }
  return 0;
}

double duration_unit(std::string_view word) {
  return unit_size(word, {{{"", "s", "sec", "secs", "second", "seconds"}, 1e9},
                          {{"ns", "nanosecond", "nanoseconds"}, 1},
                          {{"us", "microsecond", "microseconds"}, 1e3},
                          {{"ms", "millisecond", "milliseconds"}, 1e6},
                          {{"m", "min", "mins", "minute", "minutes"}, 60e9},
                          {{"h", "hour", "hours"}, 3600e9},
                          {{"d", "day", "days"}, 86'400e9},
                          {{"w", "week", "weeks"}, 7 * 86'400e9}});
}

double byte_unit(std::string_view word) {
  constexpr double kib = 1024;
  return unit_size(word, {{{"", "b", "byte", "bytes"}, 1},
                          {{"kb"}, 1e3},
                          {{"mb"}, 1e6},
                          {{"gb"}, 1e9},
                          {{"tb"}, 1e12},
                          {{"k", "kib"}, kib},
                          {{"m", "mib"}, kib * kib},
                          {{"g", "gib"}, kib * kib * kib},
                          {{"t", "tib"}, kib * kib * kib * kib}});
}

}  // namespace

namespace detail {

void refuse_value(const std::string& why) { throw OptionError(why); }

std::int64_t parse_whole(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  std::string_view rest = text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  if (!take_number(rest, value) || !rest.empty() || value < least || value > most) {
    refuse_value(fmt::format("is not a whole number between {} and {}", least, most));
  }
  return value;
}

std::uint64_t parse_whole(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  std::string_view rest = text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  if (!take_number(rest, value) || !rest.empty() || value > most) {
    refuse_value(fmt::format("is not a whole number between 0 and {}", most));
  }
  return value;
}

}  // namespace detail

void parse_option(std::string_view text, bool& into) {
  for (const std::string_view word : {"true", "yes", "on", "t", "y", "1"}) {
    if (ascii::equal(text, word)) {
      into = true;
      return;
    }
  }
  for (const std::string_view word : {"false", "no", "off", "f", "n", "0"}) {
    if (ascii::equal(text, word)) {
      into = false;
      return;
    }
  }
  detail::refuse_value("is neither true nor false");
}

void parse_option(std::string_view text, double& into) { parse_real(text, into); }
void parse_option(std::string_view text, float& into) { parse_real(text, into); }

void parse_option(std::string_view text, std::string& into) {
  if (!is_utf8(text)) detail::refuse_value("is not UTF-8");
  into = text;
}

void parse_option(std::string_view text, Duration& into) {
  constexpr auto why = "is not a duration such as 90, 1.5h or '1h 30m'";
  std::string_view rest = options_text::trim(text);
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  double total = 0;
  do {
    double number = 0;
    if (!take_decimal(rest, number)) detail::refuse_value(why);
    rest = options_text::trim(rest);
    const double unit = duration_unit(take_word(rest));
    if (unit == 0) detail::refuse_value(why);
    total += number * unit;
    rest = options_text::trim(rest);
  } while (!rest.empty());
  if (total >= 9.2e18) detail::refuse_value("is longer than 292 years");
  into = Duration::from_nanoseconds(std::llround(is_negative ? -total : total));
}

void parse_option(std::string_view text, ByteCount& into) {
  constexpr auto why = "is not a size such as 4096, 64KiB or 1.5MB";
  std::string_view rest = options_text::trim(text);
  std::string_view whole = rest;
  std::uint64_t count = 0;
  // Whole bytes are exact up to the last; a double is not.
  if (take_number(whole, count) && whole.empty()) {
    into.count = count;
    return;
  }
  double number = 0;
  if (!take_decimal(rest, number)) detail::refuse_value(why);
  rest = options_text::trim(rest);
  const double unit = byte_unit(take_word(rest));
  if (unit == 0 || !rest.empty()) detail::refuse_value(why);
  if (number * unit >= 1.8e19) detail::refuse_value("is too large");
  into.count = static_cast<std::uint64_t>(number * unit + 0.5);
}

std::string format_option(bool value) { return value ? "true" : "false"; }
std::string format_option(double value) { return fmt::format("{}", value); }
std::string format_option(float value) { return fmt::format("{}", value); }
std::string format_option(const std::string& value) { return value; }

std::string format_option(Duration value) {
  const std::int64_t count = value.nanoseconds();
  if (count == 0) return "0s";
  auto rest = count < 0 ? -static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  std::string text = count < 0 ? "-" : "";
  struct {
    std::string_view name;
    std::uint64_t size;
  } constexpr units[] = {{"d", 86'400'000'000'000},
                         {"h", 3'600'000'000'000},
                         {"m", 60'000'000'000},
                         {"s", 1'000'000'000},
                         {"ms", 1'000'000},
                         {"us", 1000},
                         {"ns", 1}};
  for (const auto& unit : units) {
    if (rest >= unit.size) text += std::to_string(rest / unit.size).append(unit.name);
    rest %= unit.size;
  }
  return text;
}

std::string format_option(ByteCount value) {
  constexpr std::string_view names[] = {"", "KiB", "MiB", "GiB", "TiB"};
  std::size_t power = 0;
  std::uint64_t count = value.count;
  while (count != 0 && count % 1024 == 0 && power + 1 < std::size(names)) {
    count /= 1024;
    ++power;
  }
  return std::to_string(count).append(names[power]);
}

std::string format_option(const DateTime& value) {
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", value.year, value.month, value.day,
                     value.hour, value.minute, value.second);
}

}  // namespace squall
