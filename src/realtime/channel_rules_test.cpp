// SPDX-License-Identifier: Apache-2.0
#include "realtime/channel_rules.hpp"

#include <squall/base/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall::realtime::detail {
namespace {

ChannelOptions keeping(std::size_t size) {
  ChannelOptions options;
  options.history_size = size;
  return options;
}

TEST(ChannelRules, AStarStandsForAnyText) {
  EXPECT_TRUE(matches("chat:*", "chat:"));
  EXPECT_TRUE(matches("chat:*", "chat:a:b"));
  EXPECT_FALSE(matches("chat:*", "chat"));
  EXPECT_TRUE(matches("*:end", "a:end:end"));
  EXPECT_TRUE(matches("a*b*c", "aXXbYYbZc"));
  EXPECT_FALSE(matches("a*b*c", "aXXcYYb"));
  EXPECT_TRUE(matches("*", ""));
  // No exponential backtracking.
  EXPECT_FALSE(matches("*a*a*a*a*a*a*a*b", std::string(255, 'a')));
}

TEST(ChannelRules, TheMostSpecificPatternWins) {
  ChannelRules rules;
  rules.set("*", keeping(1));
  rules.set("chat:vip:*", keeping(3));
  rules.set("chat:*", keeping(2));
  rules.set("chat:vip:1", keeping(4));
  EXPECT_EQ(rules.find("news").history_size, 1U);
  EXPECT_EQ(rules.find("chat:x").history_size, 2U);
  EXPECT_EQ(rules.find("chat:vip:2").history_size, 3U);
  EXPECT_EQ(rules.find("chat:vip:1").history_size, 4U);
  rules.set("*:1", keeping(5));  // an exact name still wins, and so do more letters
  EXPECT_EQ(rules.find("chat:vip:1").history_size, 4U);
  EXPECT_EQ(rules.find("news:1").history_size, 5U);
  rules.set("chat:*", keeping(6));
  EXPECT_EQ(rules.find("chat:x").history_size, 6U);
}

TEST(ChannelRules, WithoutARuleNothingIsKept) {
  EXPECT_EQ(ChannelRules().find("x").history_size, 0U);
}

TEST(ChannelRules, OptionsThatContradictEachOtherAreRefused) {
  ChannelRules rules;
  ChannelOptions latest;
  latest.recovery = RecoveryMode::latest;
  EXPECT_THROW(rules.set("*", latest), UsageError);
  ChannelOptions joins;
  joins.join_leave = true;
  EXPECT_THROW(rules.set("*", joins), UsageError);
  ChannelOptions timeless = keeping(1);
  timeless.history_ttl = Duration();
  EXPECT_THROW(rules.set("*", timeless), UsageError);
  EXPECT_THROW(rules.set("", keeping(1)), UsageError);
}

}  // namespace
}  // namespace squall::realtime::detail
