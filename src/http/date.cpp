// SPDX-License-Identifier: Apache-2.0
#include "http/date.hpp"

#include "http/ascii.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace squall::http {
namespace {

using namespace std::chrono;

constexpr std::string_view day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::int64_t first_second = -62'135'596'800;  // 1 January of the year 1
constexpr std::int64_t last_second = 253'402'300'799;   // 31 December 9999

struct Fields {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void put_number(char* out, unsigned value, unsigned digits) noexcept {
  for (; digits != 0; --digits, value /= 10) {
    out[digits - 1] = static_cast<char>('0' + value % 10);
  }
}

/// Takes a date apart from the left; once something does not fit, all that follows fails.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  bool literal(std::string_view expected) noexcept {
    if (!rest_.starts_with(expected)) return ok_ = false;
    rest_.remove_prefix(expected.size());
    return ok_;
  }
  unsigned number(std::size_t digits) noexcept {
    unsigned value = 0;
    if (rest_.size() < digits) {
      ok_ = false;
      return 0;
    }
    for (std::size_t i = 0; i < digits; ++i) {
      if (!ascii::is_digit(rest_[i])) ok_ = false;
      value = value * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  unsigned month() noexcept {
    const std::string_view name = rest_.substr(0, 3);
    const std::size_t at = month_names.find(name);
    if (name.size() < 3 || at == std::string_view::npos || at % 3 != 0) {
      ok_ = false;
      return 0;
    }
    rest_.remove_prefix(3);
    return static_cast<unsigned>(at / 3) + 1;
  }
  void time(Fields& fields) noexcept {
    fields.hour = number(2);
    literal(":");
    fields.minute = number(2);
    literal(":");
    fields.second = number(2);
  }
  [[nodiscard]] bool next_is(char c) const noexcept { return rest_.starts_with(c); }
  [[nodiscard]] bool ended_well() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<std::int64_t> to_seconds(const Fields& fields) noexcept {
  const year_month_day date{year{fields.year}, month{fields.month}, day{fields.day}};
  // 60 is a leap second, which falls on the next minute's first.
  if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) return {};
  const std::int64_t days = sys_days{date}.time_since_epoch().count();
  return days * 86'400 + fields.hour * 3'600 + fields.minute * 60 + fields.second;
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, after the comma
std::optional<std::int64_t> parse_imf(Reader reader) noexcept {
  Fields fields;
  reader.literal(" ");
  fields.day = reader.number(2);
  reader.literal(" ");
  fields.month = reader.month();
  reader.literal(" ");
  fields.year = static_cast<int>(reader.number(4));
  reader.literal(" ");
  reader.time(fields);
  reader.literal(" GMT");
  return reader.ended_well() ? to_seconds(fields) : std::nullopt;
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`, after the comma
std::optional<std::int64_t> parse_rfc850(Reader reader, std::int64_t now) noexcept {
  Fields fields;
  reader.literal(" ");
  fields.day = reader.number(2);
  reader.literal("-");
  fields.month = reader.month();
  reader.literal("-");
  const int two_digits = static_cast<int>(reader.number(2));
  reader.literal(" ");
  reader.time(fields);
  reader.literal(" GMT");
  if (!reader.ended_well()) return {};
  now = std::clamp(now, first_second, last_second);
  const sys_days today{floor<days>(seconds{now})};
  const int this_year = static_cast<int>(year_month_day{today}.year());
  fields.year = this_year - this_year % 100 + 100 + two_digits;
  while (fields.year > this_year + 50) fields.year -= 100;
  const std::optional<std::int64_t> moment = to_seconds(fields);
  constexpr std::int64_t fifty_years = std::int64_t{18'262} * 86'400;
  if (!moment || *moment <= now + fifty_years) return moment;
  fields.year -= 100;
  return to_seconds(fields);
}

/// `Sun Nov  6 08:49:37 1994`, after the day
std::optional<std::int64_t> parse_asctime(Reader reader) noexcept {
  Fields fields;
  reader.literal(" ");
  fields.month = reader.month();
  reader.literal(" ");
  const bool padded = reader.next_is(' ');
  if (padded) reader.literal(" ");
  fields.day = reader.number(padded ? 1 : 2);
  reader.literal(" ");
  reader.time(fields);
  reader.literal(" ");
  fields.year = static_cast<int>(reader.number(4));
  return reader.ended_well() ? to_seconds(fields) : std::nullopt;
}

}  // namespace

void format_http_date(std::int64_t unix_seconds, char* out) noexcept {
  const std::int64_t moment = std::clamp(unix_seconds, first_second, last_second);
  const sys_days today{floor<days>(seconds{moment})};
  const year_month_day date{today};
  const auto second = static_cast<unsigned>(moment - today.time_since_epoch().count() * 86'400);
  std::memcpy(out, "Day, dd Mon yyyy hh:mm:ss GMT", http_date_size);
  std::memcpy(out, day_names[weekday{today}.c_encoding()].data(), 3);
  put_number(out + 5, static_cast<unsigned>(date.day()), 2);
  std::memcpy(out + 8, month_names.data() + 3 * (static_cast<unsigned>(date.month()) - 1), 3);
  put_number(out + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_number(out + 17, second / 3'600, 2);
  put_number(out + 20, second / 60 % 60, 2);
  put_number(out + 23, second % 60, 2);
}

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) noexcept {
  for (const std::string_view day : day_names) {
    if (!text.starts_with(day.substr(0, 3))) continue;
    if (text.substr(3).starts_with(',')) return parse_imf(Reader(text.substr(4)));
    if (text.substr(3).starts_with(' ')) return parse_asctime(Reader(text.substr(3)));
    if (text.starts_with(day) && text.substr(day.size()).starts_with(',')) {
      return parse_rfc850(Reader(text.substr(day.size() + 1)), now);
    }
    return {};
  }
  return {};
}

}  // namespace squall::http
