// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace squall::locale {

class Messages;
class Translations;

/// A moment in whole seconds since 1970, UTC; made from their number, or from a time point of
/// std::chrono::system_clock.
class UnixTime {
 public:
  constexpr UnixTime(std::int64_t seconds) noexcept : seconds_(seconds) {}  // NOLINT: implicit
  template <class TimePoint>
  requires requires(const TimePoint& moment) {
    moment.time_since_epoch().count();
    TimePoint::period::num;
  }
  constexpr UnixTime(const TimePoint& moment) noexcept {  // NOLINT: implicit by design
    const auto count = static_cast<std::int64_t>(moment.time_since_epoch().count());
    const auto num = static_cast<std::int64_t>(TimePoint::period::num);
    const auto den = static_cast<std::int64_t>(TimePoint::period::den);
    seconds_ = count / den * num + count % den * num / den - (count % den < 0 ? 1 : 0);
  }
  [[nodiscard]] constexpr std::int64_t seconds() const noexcept { return seconds_; }

 private:
  std::int64_t seconds_ = 0;
};

struct FormatDateOptions {
  int gmt_offset = 0;        ///< minutes that local time is behind UTC: 300 in New York's winter
  bool relative = true;      ///< "2 minutes ago", "yesterday at 3:12 pm"
  bool shorter = false;      ///< without the time of day
  bool full_format = false;  ///< "July 10, 1980 at 3:12 pm", however near
  /// The time that counts as now, in seconds since 1970; below zero the clock's.
  std::int64_t now = -1;
};
static_assert(std::is_trivially_destructible_v<FormatDateOptions>);

struct FormatDayOptions {
  int gmt_offset = 0;  ///< as of FormatDateOptions
  bool dow = true;     ///< with the day of the week
};
static_assert(std::is_trivially_destructible_v<FormatDayOptions>);

/// A language, perhaps of a country, with its translations. It belongs to a Translations and lives
/// as long as that; immutable, so that all threads may use it.
///
/// What dates, lists and numbers look like: a translation of Tornado's own messages, where the
/// program's files have them ("%(minutes)d minutes ago", "January", "%(commas)s and %(last)s");
/// else English for English locales; else the language's own form, of ICU (CLDR); else, in builds
/// without ICU and for languages that it does not know, English.
class Locale {
 public:
  /// Of the process-wide translations (<squall/locale/translations.hpp>).
  [[nodiscard]] static const Locale& get(std::string_view code);
  [[nodiscard]] static const Locale& get_closest(std::initializer_list<std::string_view> codes);

  Locale(const Locale&) = delete;
  Locale& operator=(const Locale&) = delete;
  ~Locale();

  /// As "pt_BR".
  [[nodiscard]] std::string_view code() const noexcept { return code_; }
  /// The language's name in itself: "Português (Brasil)"; "Unknown" when it is not known.
  [[nodiscard]] std::string name() const;
  /// Whether it is written from right to left.
  [[nodiscard]] bool rtl() const noexcept { return rtl_; }

  // The results of these four are views of the translation, or of the argument that is to be
  // translated when there is none.

  [[nodiscard]] std::string_view translate(std::string_view message) const noexcept;
  /// By the plural rule of the language, which looks at the magnitude of `count` (gettext); or the
  /// translation of `plural_message` when `count` is not 1 (CSV).
  [[nodiscard]] std::string_view translate(std::string_view message,
                                           std::string_view plural_message,
                                           std::int64_t count) const noexcept;
  /// The same for a message that means different things: `pgettext("law", "right")`. Without a
  /// translation for that context a message with a plural is looked up without it. CSV files have
  /// no contexts; the log says so once.
  [[nodiscard]] std::string_view pgettext(std::string_view context,
                                          std::string_view message) const noexcept;
  [[nodiscard]] std::string_view pgettext(std::string_view context, std::string_view message,
                                          std::string_view plural_message,
                                          std::int64_t count) const noexcept;

  /// "2 minutes ago", "yesterday at 3:12 pm", "Monday at 3:12 pm", "July 10 at 3:12 pm", "July 10,
  /// 1980 at 3:12 pm". Meant for the past: what is up to a minute ahead counts as now, and other
  /// future dates have the full form. Years are 1 to 9999.
  [[nodiscard]] std::string format_date(UnixTime date, const FormatDateOptions& options = {}) const;
  /// "Monday, January 22".
  [[nodiscard]] std::string format_day(UnixTime date, const FormatDayOptions& options = {}) const;
  /// "A, B and C".
  [[nodiscard]] std::string list(std::span<const std::string_view> parts) const;
  [[nodiscard]] std::string list(std::initializer_list<std::string_view> parts) const {
    return list(std::span<const std::string_view>(parts.begin(), parts.size()));
  }
  [[nodiscard]] std::string list(const std::vector<std::string>& parts) const;
  /// "1,234,567". Without ICU digits alone, but for "en" and "en_US".
  [[nodiscard]] std::string friendly_number(std::int64_t value) const;

 private:
  friend class Translations;
  Locale(std::string_view code, const Messages* messages);

  std::string code_;
  bool rtl_ = false;
  const Messages* messages_;  // nullptr for the language that the program is written in
};

/// Whether this build has ICU: the forms of other languages than English.
[[nodiscard]] bool has_icu() noexcept;

}  // namespace squall::locale
