// SPDX-License-Identifier: Apache-2.0
#include "locale/locale_testing.hpp"

#include <squall/locale.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <thread>

namespace squall::locale {
namespace {

// 2024-03-15 14:05:06 UTC, a Friday.
constexpr std::int64_t now = 1'710'511'506;
constexpr std::int64_t minute = 60, hour = 3600, day = 86'400;

class FormatsTest : public ::testing::Test {
 protected:
  const Locale& in(std::string_view code) {
    kept_ = Translations(code);
    return kept_.default_locale();
  }
  std::string english(std::int64_t before, FormatDateOptions options = {}) {
    options.now = now;
    return in("en_US").format_date(now - before, options);
  }
  std::string date(std::string_view code, std::int64_t before, FormatDateOptions options = {}) {
    options.now = now;
    return in(code).format_date(now - before, options);
  }

 private:
  Translations kept_;
};

// Where a language's own forms are compared: other builds have none.
#define SKIP_WITHOUT_ICU() \
  if (!has_icu()) GTEST_SKIP() << "this build has no ICU (configure SQUALL_ICU)"

TEST_F(FormatsTest, DatesAreToldAsTornadoTellsThem) {
  EXPECT_EQ(english(0), "0 seconds ago");
  EXPECT_EQ(english(1), "1 second ago");
  EXPECT_EQ(english(49), "49 seconds ago");
  EXPECT_EQ(english(50), "1 minute ago");
  EXPECT_EQ(english(150), "2 minutes ago");  // halves go to the even number
  EXPECT_EQ(english(50 * minute), "1 hour ago");
  EXPECT_EQ(english(day - 1), "24 hours ago");
  EXPECT_EQ(english(day + hour), "yesterday at 1:05 pm");
  EXPECT_EQ(english(day + hour, {.shorter = true}), "yesterday");
  EXPECT_EQ(english(day + 15 * hour), "Wednesday at 11:05 pm");
  EXPECT_EQ(english(2 * day), "Wednesday at 2:05 pm");
  EXPECT_EQ(english(2 * day, {.shorter = true}), "Wednesday");
  EXPECT_EQ(english(5 * day), "March 10 at 2:05 pm");
  EXPECT_EQ(english(5 * day, {.shorter = true}), "March 10");
  EXPECT_EQ(english(333 * day), "April 17 at 2:05 pm");
  EXPECT_EQ(english(334 * day), "April 16, 2023 at 2:05 pm");
  EXPECT_EQ(english(334 * day, {.shorter = true}), "April 16, 2023");
  EXPECT_EQ(english(0, {.full_format = true}), "March 15, 2024 at 2:05 pm");
  EXPECT_EQ(english(hour, {.relative = false}), "1:05 pm");
  EXPECT_EQ(english(day, {.relative = false}), "Thursday at 2:05 pm");
}

TEST_F(FormatsTest, FutureDatesHaveTheFullForm) {
  EXPECT_EQ(english(-59), "0 seconds ago");
  EXPECT_EQ(english(-60), "March 15, 2024 at 2:06 pm");
  EXPECT_EQ(english(-(day + 5)), "March 16, 2024 at 2:05 pm");
  EXPECT_EQ(english(-30, {.relative = false}), "March 15, 2024 at 2:05 pm");
}

TEST_F(FormatsTest, OffsetsAreMinutesBehindUTC) {
  EXPECT_EQ(english(hour, {.gmt_offset = 300, .relative = false}), "8:05 am");
  EXPECT_EQ(english(day + 10 * hour, {.gmt_offset = -60}), "yesterday at 5:05 am");
  EXPECT_EQ(in("en_US").format_day(now, {.gmt_offset = 15 * 60}), "Thursday, March 14");
}

TEST_F(FormatsTest, HoursAreTwelveInEnglish) {
  const std::int64_t midnight = 14 * hour + 5 * minute + 6;
  EXPECT_EQ(english(midnight, {.relative = false}), "12:00 am");
  EXPECT_EQ(english(midnight - 12 * hour, {.relative = false}), "12:00 pm");
  EXPECT_EQ(date("en_GB", midnight, {.relative = false}), "0:00");
}

TEST_F(FormatsTest, AnyTimeCanBeTold) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(in("en_US").format_date(most, {.shorter = true}), "December 30, 9999");
  EXPECT_EQ(in("en_US").format_date(-most, {.gmt_offset = 2'000'000'000, .shorter = true}),
            "January 1, 1");
  EXPECT_EQ(in("en_US").format_date(-1, {.shorter = true}), "December 31, 1969");
}

TEST_F(FormatsTest, TimePointsAreTimes) {
  using namespace std::chrono;
  const system_clock::time_point moment{seconds(now)};
  EXPECT_EQ(UnixTime(moment).seconds(), now);
  EXPECT_EQ(UnixTime(system_clock::time_point(milliseconds(-1))).seconds(), -1);
  EXPECT_EQ(UnixTime(sys_days(days(1))).seconds(), day);
  EXPECT_EQ(in("en_US").format_day(moment), "Friday, March 15");
  EXPECT_EQ(in("en_US").format_date(system_clock::now()), "0 seconds ago");
}

TEST_F(FormatsTest, DaysAreTold) {
  EXPECT_EQ(in("en_US").format_day(now), "Friday, March 15");
  EXPECT_EQ(in("en_US").format_day(now, {.dow = false}), "March 15");
}

TEST_F(FormatsTest, ListsAreJoined) {
  const Locale& english = in("en_US");
  EXPECT_EQ(english.list({}), "");
  EXPECT_EQ(english.list({"A"}), "A");
  EXPECT_EQ(english.list({"A", "B"}), "A and B");
  EXPECT_EQ(english.list({"A", "B", "C"}), "A, B and C");
  EXPECT_EQ(english.list({"", "", "C"}), ",  and C");
  EXPECT_EQ(english.list(std::vector<std::string>{"A", "B"}), "A and B");
}

TEST_F(FormatsTest, NumbersAreGrouped) {
  const Locale& english = in("en_US");
  EXPECT_EQ(english.friendly_number(0), "0");
  EXPECT_EQ(english.friendly_number(999), "999");
  EXPECT_EQ(english.friendly_number(1000), "1,000");
  EXPECT_EQ(english.friendly_number(-123), "-123");
  EXPECT_EQ(english.friendly_number(-1234567), "-1,234,567");
  EXPECT_EQ(english.friendly_number(std::numeric_limits<std::int64_t>::min()),
            "-9,223,372,036,854,775,808");
}

TEST_F(FormatsTest, TranslationsOfTornadosMessagesGoFirst) {
  TemporaryDirectory files;
  files.write("de_DE.csv",
              "%(minutes)d minutes ago,vor %(minutes)d Minuten her,plural\n"
              "%(month_name)s %(day)s,%(day)s. %(month_name)s\n"
              "March,Lenzing\n"
              "Friday,Freytag\n"
              "January,Hartung\n"
              "\"%(weekday)s, %(month_name)s %(day)s\",\"%(weekday)s, %(day)s. %(month_name)s\"\n"
              "%(commas)s and %(last)s,%(commas)s sowie %(last)s\n");
  const Translations some = load_translations(files.path());
  ASSERT_TRUE(some.errors().empty());
  const Locale& german = some.get("de_DE");
  EXPECT_EQ(german.format_date(now - 300, {.now = now}), "vor 5 Minuten her");
  EXPECT_EQ(german.format_day(now), "Freytag, 15. Lenzing");
  EXPECT_EQ(german.format_day(now, {.dow = false}), "15. Lenzing");
  EXPECT_EQ(german.list({"A", "B", "C"}), "A, B sowie C");
}

TEST_F(FormatsTest, WithoutICUOtherLanguagesAreToldInEnglish) {
  if (has_icu()) GTEST_SKIP() << "this build has ICU";
  EXPECT_EQ(date("de_DE", 300), "5 minutes ago");
  EXPECT_EQ(date("de_DE", day), "yesterday at 14:05");
  EXPECT_EQ(date("zh_CN", day), "yesterday at 下午2:05");
  EXPECT_EQ(in("de_DE").format_day(now), "Friday, March 15");
  EXPECT_EQ(in("fa_IR").list({"A", "B", "C"}), "A و B and C");
  EXPECT_EQ(in("de_DE").friendly_number(1234567), "1234567");
}

TEST_F(FormatsTest, UnknownLanguagesAreToldInEnglish) {
  EXPECT_EQ(date("tlh", 300), "5 minutes ago");
  EXPECT_EQ(date("tlh", day), "yesterday at 14:05");
  EXPECT_EQ(in("tlh").list({"A", "B", "C"}), "A, B and C");
  EXPECT_EQ(in("tlh").friendly_number(1234567), "1234567");
  EXPECT_EQ(in("no such thing at all").format_day(now), "Friday, March 15");
}

TEST_F(FormatsTest, LanguagesTellDatesTheirOwnWay) {
  SKIP_WITHOUT_ICU();
  EXPECT_EQ(date("de_DE", 300), "vor 5 Minuten");
  EXPECT_EQ(date("de_DE", 1), "vor 1 Sekunde");
  EXPECT_EQ(date("ru_RU", 2 * hour), "2 часа назад");
  EXPECT_EQ(date("ru_RU", 5 * hour), "5 часов назад");
  EXPECT_EQ(date("fr_FR", day, {.shorter = true}), "hier");
  EXPECT_EQ(date("de_DE", 2 * day, {.shorter = true}), "Mittwoch");
  EXPECT_EQ(date("de_DE", 5 * day, {.shorter = true}), "10. März");
  EXPECT_EQ(date("ja_JP", 334 * day, {.shorter = true}), "2023年4月16日");
  EXPECT_EQ(date("pt_BR", 334 * day, {.shorter = true}), "16 de abril de 2023");
  EXPECT_EQ(in("es").format_day(now), "viernes, 15 de marzo");
  for (const std::string_view code : {"de_DE", "fr_FR", "ru_RU", "ja_JP", "pl"}) {
    for (const std::int64_t before : {day, 2 * day, 5 * day, 334 * day}) {
      const std::string told = date(code, before);
      EXPECT_NE(told.find("14:05"), std::string::npos) << told;
    }
  }
}

TEST_F(FormatsTest, LanguagesJoinListsAndGroupNumbersTheirOwnWay) {
  SKIP_WITHOUT_ICU();
  EXPECT_EQ(in("de_DE").list({"A", "B", "C"}), "A, B und C");
  EXPECT_EQ(in("ja").list({"A", "B", "C"}), "A、B、C");
  EXPECT_EQ(in("ar").list({"A", "B"}), "A وB");
  EXPECT_EQ(in("de_DE").friendly_number(1234567), "1.234.567");
  EXPECT_EQ(in("hi_IN").friendly_number(1234567), "12,34,567");
  EXPECT_EQ(in("en_GB").friendly_number(1234567), "1,234,567");
  EXPECT_EQ(in("fa_IR").friendly_number(-12), "\u200e−۱۲");
  EXPECT_EQ(in("sr_RS@latin").list({"A", "B"}), "A i B");
  EXPECT_EQ(in("sr_RS").list({"A", "B"}), "A и B");
  EXPECT_EQ(in("zh_TW").list({"A", "B"}), "A和B");
  EXPECT_EQ(in("es_CL").name(), "español (Chile)");
}

TEST_F(FormatsTest, TheEnvironmentsLanguageDoesNotMatter) {
  SKIP_WITHOUT_ICU();
  ::setenv("LANG", "de_DE.UTF-8", 1);
  EXPECT_EQ(date("tlh", 300), "5 minutes ago");
  EXPECT_EQ(date("fr_XX", 300), "il y a 5 minutes");
}

TEST_F(FormatsTest, ThreadsHaveFormattersOfTheirOwn) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 40; ++round) {  // past what a thread keeps
        const Translations some("de_" + std::string(1, static_cast<char>('A' + round % 26)) +
                                std::string(1, static_cast<char>('A' + round / 26)));
        const std::string told = some.default_locale().format_date(now - 300, {.now = now});
        EXPECT_EQ(told, has_icu() ? "vor 5 Minuten" : "5 minutes ago");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace squall::locale
