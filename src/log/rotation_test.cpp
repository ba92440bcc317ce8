// SPDX-License-Identifier: Apache-2.0
#include "log/rotation.hpp"

#include <squall/base/error.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

namespace squall {
namespace {

/// The tests' local time is Berlin's, given as a rule so that no file of zones is needed.
class LogSchedule : public ::testing::Test {
 protected:
  LogSchedule() {
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
  }
  ~LogSchedule() override {
    ::unsetenv("TZ");
    ::tzset();
  }
  static std::time_t at(int year, int month, int day, int hour = 0, int minute = 0) {
    std::tm parts{};
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = day;
    parts.tm_hour = hour;
    parts.tm_min = minute;
    parts.tm_isdst = -1;
    return std::mktime(&parts);
  }
};

TEST_F(LogSchedule, MidnightIsLocalAlsoWhenADayHas23Hours) {
  const log::Schedule midnight("midnight", 1);
  EXPECT_EQ(midnight.next(at(2026, 1, 31, 15)), at(2026, 2, 1));
  EXPECT_EQ(midnight.next(at(2026, 2, 1)), at(2026, 2, 2));
  EXPECT_EQ(midnight.next(at(2026, 3, 29, 1)), at(2026, 3, 30));  // clocks go forward
  EXPECT_EQ(at(2026, 3, 30) - at(2026, 3, 29), 23 * 3600);
  EXPECT_EQ(log::Schedule("midnight", 3).next(at(2026, 1, 1, 5)), at(2026, 1, 4));
  EXPECT_EQ(midnight.suffix(at(2026, 2, 1)), "2026-01-31");
}

TEST_F(LogSchedule, WeekdaysEndAtTheirMidnight) {
  // 2026-01-02 is a Friday, W4.
  EXPECT_EQ(log::Schedule("W4", 1).next(at(2026, 1, 2, 12)), at(2026, 1, 3));
  EXPECT_EQ(log::Schedule("W3", 1).next(at(2026, 1, 2, 12)), at(2026, 1, 9));
  EXPECT_EQ(log::Schedule("W6", 2).next(at(2026, 1, 2, 12)), at(2026, 1, 12));
}

TEST_F(LogSchedule, OtherTimesCountFromTheLastLine) {
  const std::time_t start = at(2026, 1, 2, 3, 4);
  EXPECT_EQ(log::Schedule("S", 30).next(start), start + 30);
  EXPECT_EQ(log::Schedule("M", 2).next(start), start + 120);
  EXPECT_EQ(log::Schedule("H", 1).next(start), start + 3600);
  EXPECT_EQ(log::Schedule("D", 1).next(start), start + 86'400);
  EXPECT_EQ(log::Schedule("H", 1).suffix(start + 3600), "2026-01-02_03");
  EXPECT_EQ(log::Schedule("M", 2).suffix(start + 120), "2026-01-02_03-04");
  EXPECT_EQ(log::Schedule("S", 1).suffix(start + 1), "2026-01-02_03-04-00");
}

TEST_F(LogSchedule, TimesThatAreNoneAreRefused) {
  for (const auto* when : {"", "W7", "W", "s", "noon"}) {
    EXPECT_THROW(log::Schedule(when, 1), UsageError) << when;
  }
  EXPECT_THROW(log::Schedule("D", 0), UsageError);
}

}  // namespace
}  // namespace squall
