// SPDX-License-Identifier: Apache-2.0
#include <squall/base/duration.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace squall {
namespace {

using namespace std::chrono_literals;

TEST(Duration, TakesAnyChronoDuration) {
  EXPECT_EQ(Duration(5s).nanoseconds(), 5'000'000'000);
  EXPECT_EQ(Duration(250ms).nanoseconds(), 250'000'000);
  EXPECT_EQ(Duration(7ns).nanoseconds(), 7);
  EXPECT_EQ(Duration(1h), Duration(3600s));
  EXPECT_EQ(Duration(std::chrono::duration<double>(0.5)), Duration(500ms));
  EXPECT_EQ(Duration(std::chrono::duration<long, std::pico>(5000)).nanoseconds(), 5);
  EXPECT_EQ(Duration(std::chrono::days(1)), Duration(24h));
}

TEST(Duration, MillisecondsAreRoundedUp) {
  EXPECT_EQ(Duration(1ns).milliseconds(), 1);
  EXPECT_EQ(Duration(1001us).milliseconds(), 2);
  EXPECT_EQ(Duration(2ms).milliseconds(), 2);
  EXPECT_EQ(Duration().milliseconds(), 0);
}

TEST(TimePoint, AddsAndSubtracts) {
  const TimePoint start = TimePoint::from_nanoseconds(100);
  EXPECT_EQ((start + Duration(1us)) - start, Duration(1us));
  EXPECT_LT(start, start + Duration(1ns));
}

}  // namespace
}  // namespace squall
