// SPDX-License-Identifier: Apache-2.0
#include "locale/locale_code.hpp"
#include "locale/messages.hpp"
#include "locale/own_forms.hpp"

#include <squall/locale/interpolate.hpp>
#include <squall/locale/locale.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

// Dates, lists and numbers. It stands apart so that a program that has none is not linked with ICU.
namespace squall::locale {
namespace {

using own::DateForm;

constexpr std::int64_t minute_seconds = 60, hour_seconds = 60 * minute_seconds,
                       day_seconds = 24 * hour_seconds;
// 0001-01-02 and 9999-12-30: with any offset still within the years that a calendar shows.
constexpr std::int64_t least_time = -62'135'510'400, most_time = 253'402'128'000;
constexpr int most_offset = 24 * 60;

constexpr std::string_view month_names[] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
constexpr std::string_view weekday_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};

struct Calendar {
  explicit Calendar(std::int64_t seconds) {
    using namespace std::chrono;
    const sys_seconds moment{std::chrono::seconds(seconds)};
    const sys_days date = floor<days>(moment);
    const year_month_day parts{date};
    year = static_cast<int>(parts.year());
    month = static_cast<unsigned>(parts.month());
    day = static_cast<unsigned>(parts.day());
    weekday = std::chrono::weekday(date).c_encoding();
    const auto of_day = static_cast<unsigned>((moment - date).count());
    hour = of_day / 3600;
    minute = of_day / 60 % 60;
  }
  int year;
  unsigned month;  // 1 to 12
  unsigned day;
  unsigned weekday;  // 0 is Sunday
  unsigned hour;
  unsigned minute;
};

// The messages are Tornado's own, so that its translations of them serve.
struct FormMessage {
  DateForm form;
  std::string_view message;
};
constexpr FormMessage form_messages[] = {
    {DateForm::time, "%(time)s"},
    {DateForm::yesterday, "yesterday"},
    {DateForm::yesterday_time, "yesterday at %(time)s"},
    {DateForm::weekday, "%(weekday)s"},
    {DateForm::weekday_time, "%(weekday)s at %(time)s"},
    {DateForm::month_day, "%(month_name)s %(day)s"},
    {DateForm::month_day_time, "%(month_name)s %(day)s at %(time)s"},
    {DateForm::full, "%(month_name)s %(day)s, %(year)s"},
    {DateForm::full_time, "%(month_name)s %(day)s, %(year)s at %(time)s"},
    {DateForm::weekday_month_day, "%(weekday)s, %(month_name)s %(day)s"},
};

struct AgoMessage {
  own::Unit unit;
  std::string_view one;
  std::string_view many;
  std::string_view name;
};
constexpr AgoMessage ago_messages[] = {
    {own::Unit::second, "1 second ago", "%(seconds)d seconds ago", "seconds"},
    {own::Unit::minute, "1 minute ago", "%(minutes)d minutes ago", "minutes"},
    {own::Unit::hour, "1 hour ago", "%(hours)d hours ago", "hours"},
};

// Halves go to the even number, as Python rounds.
std::int64_t rounded(std::int64_t value, std::int64_t unit) noexcept {
  const std::int64_t whole = value / unit;
  const std::int64_t twice = value % unit * 2;
  return twice > unit || (twice == unit && whole % 2 != 0) ? whole + 1 : whole;
}

std::string time_of_day(std::string_view code, const Calendar& at) {
  const unsigned hour = at.hour % 12 == 0 ? 12 : at.hour % 12;
  if (code == "zh_CN") {
    return fmt::format("{}{}:{:02}", at.hour < 12 ? "上午" : "下午", hour, at.minute);
  }
  if (code != "en" && code != "en_US") return fmt::format("{}:{:02}", at.hour, at.minute);
  return fmt::format("{}:{:02} {}", hour, at.minute, at.hour < 12 ? "am" : "pm");
}

std::int64_t system_now() {
  using namespace std::chrono;
  return floor<seconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t clamp_time(std::int64_t seconds) noexcept {
  return std::clamp(seconds, least_time, most_time);
}

std::int64_t offset_seconds(int minutes) noexcept {
  return std::clamp(minutes, -most_offset, most_offset) * minute_seconds;
}

// How one locale says it: by a translation of the message, or in English, or as ICU says.
class Speaker {
 public:
  Speaker(std::string_view code, const Messages* messages)
      : code_(code), messages_(messages), english_(language_of(code) == "en") {}

  [[nodiscard]] std::string ago(own::Unit unit, std::int64_t count) const {
    const AgoMessage& message = ago_messages[static_cast<std::size_t>(unit)];
    std::string_view text;
    if (messages_ != nullptr) text = messages_->find(message.one, message.many, count);
    if (text.data() == nullptr) {
      if (!english_) {
        if (auto said = own::ago(code_, unit, count)) return *std::move(said);
      }
      text = count == 1 ? message.one : message.many;
    }
    return interpolate(text, {{message.name, fmt::format("{}", count)}});
  }

  [[nodiscard]] std::string date(DateForm form, std::int64_t local) const {
    const std::string_view message = form_messages[static_cast<std::size_t>(form)].message;
    std::string_view text = translation(message);
    if (text.data() == nullptr) {
      if (!english_ && !names_are_translated()) {
        if (auto said = own::date(code_, form, local)) return *std::move(said);
      }
      text = message;
    }
    const Calendar at(local);
    return interpolate(text, {{"month_name", or_same(month_names[at.month - 1])},
                              {"weekday", or_same(weekday_names[at.weekday])},
                              {"day", fmt::format("{}", at.day)},
                              {"year", fmt::format("{}", at.year)},
                              {"time", time_of_day(code_, at)}});
  }

  [[nodiscard]] std::string list(std::span<const std::string_view> parts) const {
    constexpr std::string_view message = "%(commas)s and %(last)s";
    std::string_view text = translation(message);
    if (text.data() == nullptr) {
      if (!english_) {
        if (auto said = own::list(code_, parts)) return *std::move(said);
      }
      text = message;
    }
    const std::string_view comma = language_of(code_) == "fa" ? " و " : ", ";
    std::string commas;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      if (i != 0) commas += comma;
      commas += parts[i];
    }
    return interpolate(text, {{"commas", commas}, {"last", parts.back()}});
  }

 private:
  [[nodiscard]] std::string_view translation(std::string_view message) const {
    return messages_ != nullptr ? messages_->find(message) : std::string_view();
  }
  // A program that translates the months means them to be used.
  [[nodiscard]] bool names_are_translated() const {
    return translation(month_names[0]).data() != nullptr;
  }
  [[nodiscard]] std::string_view or_same(std::string_view message) const {
    const std::string_view found = translation(message);
    return found.data() != nullptr ? found : message;
  }

  std::string_view code_;
  const Messages* messages_;
  bool english_;
};

}  // namespace

std::string Locale::name() const {
  if (const std::string_view known = known_locale_name(code_); !known.empty()) {
    return std::string(known);
  }
  return own::name(code_).value_or("Unknown");
}

std::string Locale::format_date(UnixTime date, const FormatDateOptions& options) const {
  const Speaker speaker(code_, messages_);
  const std::int64_t now = clamp_time(options.now < 0 ? system_now() : options.now);
  std::int64_t then = clamp_time(date.seconds());
  bool full = options.full_format;
  if (then > now) {
    // Clocks differ a little.
    if (options.relative && then - now < minute_seconds) {
      then = now;
    } else {
      full = true;
    }
  }
  const std::int64_t local = then - offset_seconds(options.gmt_offset);
  const std::int64_t past = now - then;
  const std::int64_t days = past / day_seconds;
  const auto form = [&options](DateForm short_form, DateForm with_time) {
    return options.shorter ? short_form : with_time;
  };
  if (!full) {
    if (options.relative && days == 0) {
      if (past < 50) return speaker.ago(own::Unit::second, past);
      if (past < 50 * minute_seconds) {
        return speaker.ago(own::Unit::minute, rounded(past, minute_seconds));
      }
      return speaker.ago(own::Unit::hour, rounded(past, hour_seconds));
    }
    const Calendar yesterday(now - offset_seconds(options.gmt_offset) - day_seconds);
    if (days == 0) return speaker.date(DateForm::time, local);
    if (days == 1 && Calendar(local).day == yesterday.day && options.relative) {
      return speaker.date(form(DateForm::yesterday, DateForm::yesterday_time), local);
    }
    if (days < 5) return speaker.date(form(DateForm::weekday, DateForm::weekday_time), local);
    // Eleven months: with the same month of last year one would not know which is meant.
    if (days < 334) {
      return speaker.date(form(DateForm::month_day, DateForm::month_day_time), local);
    }
  }
  return speaker.date(form(DateForm::full, DateForm::full_time), local);
}

std::string Locale::format_day(UnixTime date, const FormatDayOptions& options) const {
  return Speaker(code_, messages_)
      .date(options.dow ? DateForm::weekday_month_day : DateForm::month_day,
            clamp_time(date.seconds()) - offset_seconds(options.gmt_offset));
}

std::string Locale::list(std::span<const std::string_view> parts) const {
  if (parts.empty()) return {};
  if (parts.size() == 1) return std::string(parts.front());
  return Speaker(code_, messages_).list(parts);
}

std::string Locale::list(const std::vector<std::string>& parts) const {
  const std::vector<std::string_view> views(parts.begin(), parts.end());
  return list(std::span<const std::string_view>(views));
}

std::string Locale::friendly_number(std::int64_t value) const {
  if (code_ != "en" && code_ != "en_US") {
    return own::number(code_, value).value_or(fmt::format("{}", value));
  }
  std::string digits = fmt::format("{}", value);
  const std::ptrdiff_t first = value < 0 ? 2 : 1;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at >= first; at -= 3) {
    digits.insert(digits.begin() + at, ',');
  }
  return digits;
}

}  // namespace squall::locale
