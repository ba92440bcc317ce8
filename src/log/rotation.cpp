// SPDX-License-Identifier: Apache-2.0
#include "log/rotation.hpp"

#include <squall/base/error.hpp>

#include <array>

namespace squall::log {
namespace {

constexpr std::time_t day_seconds = 86'400;

std::tm local(std::time_t time) {
  std::tm parts{};
  ::localtime_r(&time, &parts);
  return parts;
}

/// The midnight that begins `days` days after the day of `from`; days may have 23 or 25 hours.
std::time_t midnight(std::time_t from, int days) {
  std::tm parts = local(from);
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_mday += days;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

}  // namespace

Schedule::Schedule(std::string_view when, unsigned interval) : interval_(interval) {
  if (interval == 0) throw UsageError("a log rotates every 1 or more of its times, not every 0");
  struct Known {
    std::string_view name;
    std::time_t seconds;
    const char* form;
  };
  constexpr Known known[] = {{"S", 1, "%Y-%m-%d_%H-%M-%S"},
                             {"M", 60, "%Y-%m-%d_%H-%M"},
                             {"H", 3600, "%Y-%m-%d_%H"},
                             {"D", day_seconds, "%Y-%m-%d"},
                             {"midnight", day_seconds, "%Y-%m-%d"}};
  for (const Known& one : known) {
    if (when != one.name) continue;
    kind_ = when == "midnight" ? Kind::midnight : Kind::seconds;
    seconds_ = one.seconds;
    form_ = one.form;
    return;
  }
  if (when.size() == 2 && when[0] == 'W' && when[1] >= '0' && when[1] <= '6') {
    kind_ = Kind::weekday;
    seconds_ = day_seconds;
    weekday_ = when[1] - '0';
    form_ = "%Y-%m-%d";
    return;
  }
  throw UsageError("a log cannot rotate at '" + std::string(when) +
                   "'; it is S, M, H, D, midnight, or W0 to W6");
}

std::time_t Schedule::next(std::time_t from) const {
  const int more = static_cast<int>(interval_) - 1;
  switch (kind_) {
    case Kind::midnight:
      return midnight(from, 1 + more);
    case Kind::weekday: {
      const int today = (local(from).tm_wday + 6) % 7;
      return midnight(from, 1 + (weekday_ - today + 7) % 7 + 7 * more);
    }
    default:
      return from + seconds_ * interval_;
  }
}

std::string Schedule::suffix(std::time_t end) const {
  // Midnight ends the day before it; other times begin `interval` earlier.
  const std::tm parts = local(kind_ == Kind::seconds ? end - seconds_ * interval_ : end - 1);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), form_, &parts);
  return {text.data(), size};
}

}  // namespace squall::log
