// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Forms of dates, lists and numbers in a language's own way, by ICU's data (CLDR). Each gives
/// nothing in builds without ICU, and of a language that it does not know. Any thread may call
/// them: each keeps formatters of its own (limits::locale_formatters).
namespace squall::locale::own {

enum class Unit : std::uint8_t { second, minute, hour };

enum class DateForm : std::uint8_t {
  time,
  yesterday,
  yesterday_time,
  weekday,
  weekday_time,
  month_day,
  month_day_time,
  full,
  full_time,
  weekday_month_day,
};
inline constexpr std::size_t date_form_count = 10;

/// "vor 5 Minuten".
[[nodiscard]] std::optional<std::string> ago(std::string_view code, Unit unit, std::int64_t count);
/// Of local time, in seconds since 1970. Of yesterday's forms the date says the time alone.
[[nodiscard]] std::optional<std::string> date(std::string_view code, DateForm form,
                                              std::int64_t local_seconds);
[[nodiscard]] std::optional<std::string> list(std::string_view code,
                                              std::span<const std::string_view> parts);
[[nodiscard]] std::optional<std::string> number(std::string_view code, std::int64_t value);
/// Of the locale, in its language.
[[nodiscard]] std::optional<std::string> name(std::string_view code);

}  // namespace squall::locale::own
