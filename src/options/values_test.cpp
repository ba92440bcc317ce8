// SPDX-License-Identifier: Apache-2.0
#include "options/options_testing.hpp"

#include <squall/options/values.hpp>

#include <chrono>

namespace squall {
namespace {

using namespace std::chrono_literals;

template <class T>
T read(std::string_view text) {
  T value{};
  parse_option(text, value);
  return value;
}

template <class T>
std::string refused(std::string_view text) {
  return thrown<OptionError>([&] { (void)read<T>(text); });
}

TEST(OptionValues, WholeNumbersKeepToTheRangeOfTheirType) {
  EXPECT_EQ(read<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(read<int>("-7"), -7);
  EXPECT_EQ(read<int>("+7"), 7);
  EXPECT_EQ(read<std::int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(read<std::uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(refused<std::uint16_t>("65536"), "is not a whole number between 0 and 65535");
  EXPECT_EQ(refused<std::int8_t>("-129"), "is not a whole number between -128 and 127");
  for (const auto* text :
       {"", " 1", "1 ", "1.0", "0x10", "abc", "1e3", "--1", "+-1", "-1", "18446744073709551616"}) {
    EXPECT_NE(refused<std::uint64_t>(text), "nothing was thrown") << text;
  }
}

TEST(OptionValues, FlagsAreWordsThatMeanYesOrNo) {
  for (const auto* text : {"true", "YES", "on", "t", "1"}) EXPECT_TRUE(read<bool>(text)) << text;
  for (const auto* text : {"False", "no", "OFF", "f", "0"}) EXPECT_FALSE(read<bool>(text)) << text;
  EXPECT_EQ(refused<bool>("maybe"), "is neither true nor false");
  EXPECT_EQ(refused<bool>(""), "is neither true nor false");
}

TEST(OptionValues, NumbersAreFinite) {
  EXPECT_DOUBLE_EQ(read<double>("-2.5e3"), -2500);
  EXPECT_FLOAT_EQ(read<float>("0.5"), 0.5F);
  for (const auto* text : {"", "x", "1,5", "nan", "inf", "1e999"}) {
    EXPECT_EQ(refused<double>(text), "is not a number") << text;
  }
}

TEST(OptionValues, TextIsUtf8) {
  EXPECT_EQ(read<std::string>("größe"), "größe");
  EXPECT_EQ(refused<std::string>("\xff"), "is not UTF-8");
}

TEST(OptionValues, DurationsAddTheirParts) {
  EXPECT_EQ(read<Duration>("45"), Duration(45s));
  EXPECT_EQ(read<Duration>("1h 30m"), Duration(90min));
  EXPECT_EQ(read<Duration>("1h30m"), Duration(90min));
  EXPECT_EQ(read<Duration>("1.5d"), Duration(36h));
  EXPECT_EQ(read<Duration>("250ms"), Duration(250ms));
  EXPECT_EQ(read<Duration>("2 weeks 1 day"), Duration(15 * 24h));
  EXPECT_EQ(read<Duration>("-3us"), Duration(-3us));
  EXPECT_EQ(read<Duration>("0"), Duration(0s));
  for (const auto* text : {"", "h", "1x", "1h-30m", "-", "1..5s", "1e3s"}) {
    EXPECT_EQ(refused<Duration>(text), "is not a duration such as 90, 1.5h or '1h 30m'") << text;
  }
  EXPECT_EQ(refused<Duration>("20000w"), "is longer than 292 years");
}

TEST(OptionValues, SizesKnowBothKindsOfUnits) {
  EXPECT_EQ(read<ByteCount>("100").count, 100U);
  EXPECT_EQ(read<ByteCount>("64KiB").count, 65536U);
  EXPECT_EQ(read<ByteCount>("64k").count, 65536U);
  EXPECT_EQ(read<ByteCount>("1.5 MB").count, 1'500'000U);
  EXPECT_EQ(read<ByteCount>("2G").count, 2'147'483'648U);
  EXPECT_EQ(read<ByteCount>("18446744073709551615").count, UINT64_MAX);
  EXPECT_EQ(refused<ByteCount>("99999999TiB"), "is too large");
  for (const auto* text : {"", "-1", "k", "1 2", "1kk", "1x"}) {
    EXPECT_EQ(refused<ByteCount>(text), "is not a size such as 4096, 64KiB or 1.5MB") << text;
  }
}

TEST(OptionValues, DatesAreReadInTornadosTenForms) {
  const DateTime whole{2026, 1, 2, 15, 4, 5}, minutes{2026, 1, 2, 15, 4, 0};
  EXPECT_EQ(read<DateTime>("Fri Jan  2 15:04:05 2026"), whole);
  EXPECT_EQ(read<DateTime>("Fri Jan 02 15:04:05 2026"), whole);
  EXPECT_EQ(read<DateTime>("2026-01-02 15:04:05"), whole);
  EXPECT_EQ(read<DateTime>("2026-01-02 15:04"), minutes);
  EXPECT_EQ(read<DateTime>("2026-01-02T15:04"), minutes);
  EXPECT_EQ(read<DateTime>("2026-01-02T15:04:05"), whole);
  EXPECT_EQ(read<DateTime>("20260102 15:04:05"), whole);
  EXPECT_EQ(read<DateTime>("20260102 15:04"), minutes);
  EXPECT_EQ(read<DateTime>("2026-01-02"), (DateTime{2026, 1, 2}));
  EXPECT_EQ(read<DateTime>("20260102"), (DateTime{2026, 1, 2}));
  EXPECT_EQ(read<DateTime>("15:04:05"), (DateTime{1900, 1, 1, 15, 4, 5}));
  EXPECT_EQ(read<DateTime>("15:04"), (DateTime{1900, 1, 1, 15, 4, 0}));
}

TEST(OptionValues, DatesThatTheCalendarDoesNotHaveAreRefused) {
  EXPECT_EQ(read<DateTime>("2024-02-29").day, 29);
  for (const auto* text : {"", "2026-02-29", "2026-13-01", "24:00", "2026-01-02 15:60", "2026",
                           "202612", "2026-01-02 ", "tomorrow", "0000-01-01"}) {
    EXPECT_NE(refused<DateTime>(text), "nothing was thrown") << text;
  }
}

TEST(OptionValues, WhatIsWrittenIsReadBackAsTheSame) {
  for (const Duration value :
       {Duration(0s), Duration(90min), Duration(-1500us), Duration(36h + 1ns)}) {
    EXPECT_EQ(read<Duration>(format_option(value)), value) << format_option(value);
  }
  EXPECT_EQ(format_option(Duration(90min)), "1h30m");
  for (const std::uint64_t count : {0ULL, 1ULL, 1024ULL, 1536ULL, 3ULL << 40, 1'000'001ULL}) {
    EXPECT_EQ(read<ByteCount>(format_option(ByteCount{count})).count, count);
  }
  EXPECT_EQ(format_option(ByteCount{65536}), "64KiB");
  const DateTime date{2026, 1, 2, 3, 4, 5};
  EXPECT_EQ(read<DateTime>(format_option(date)), date);
  EXPECT_EQ(read<double>(format_option(0.1)), 0.1);
}

}  // namespace
}  // namespace squall
