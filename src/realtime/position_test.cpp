// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/realtime/position.hpp>

#include <gtest/gtest.h>

namespace squall::realtime {
namespace {

TEST(Position, ItsTextIsReadBack) {
  const Position position("k3x9-1_Z", 18446744073709551615U);
  EXPECT_EQ(position.to_string(), "k3x9-1_Z:18446744073709551615");
  const auto read = Position::parse(position.to_string());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, position);
  EXPECT_EQ(Position("e", 0).to_string(), "e:0");
}

TEST(Position, NoPositionIsAnEmptyTextWhichIsNotRead) {
  EXPECT_TRUE(Position().is_empty());
  EXPECT_EQ(Position().to_string(), "");
  EXPECT_FALSE(Position::parse(""));
}

TEST(Position, WhatAnEpochOrAnOffsetCannotBeIsRefused) {
  for (const std::string_view bad :
       {":1", "e", "e:", "e:x", "e:1x", "e:-1", "e:+1", "e: 1", "e:01", "e:1:2", "a b:1", "\n:1",
        "e:18446744073709551616", "abcdefghijklmnopqrstuvwx:1"}) {
    EXPECT_FALSE(Position::parse(bad)) << bad;
  }
  EXPECT_TRUE(Position::parse("abcdefghijklmnopqrstuvw:1"));
  EXPECT_THROW(Position("", 1), UsageError);
  EXPECT_THROW(Position("a:b", 1), UsageError);
}

TEST(Position, EpochsAreComparedWhole) {
  EXPECT_FALSE(Position("a", 1).has_epoch_of(Position("ab", 1)));
  EXPECT_FALSE(Position("a", 1) == Position("b", 1));
  EXPECT_TRUE(Position("a", 1).at(2) == Position("a", 2));
}

}  // namespace
}  // namespace squall::realtime
