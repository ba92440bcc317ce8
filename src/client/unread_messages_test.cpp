// SPDX-License-Identifier: Apache-2.0
#include "client/unread_messages.hpp"

#include <gtest/gtest.h>

namespace squall::client::detail {
namespace {

TEST(UnreadMessages, GivesMessagesInTheirOrder) {
  UnreadMessages unread;
  EXPECT_TRUE(unread.is_empty());
  unread.add("one", false, true);
  unread.add("two", true, true);
  EXPECT_GT(unread.bytes(), 6u);
  const auto one = unread.take(Wanted::message);
  EXPECT_EQ(one, "one");
  EXPECT_FALSE(one.is_binary());
  const auto two = unread.take(Wanted::message);
  EXPECT_EQ(two, "two");
  EXPECT_TRUE(two.is_binary());
  EXPECT_TRUE(unread.is_empty());
  EXPECT_EQ(unread.bytes(), 0u);
}

TEST(UnreadMessages, PutsPiecesTogether) {
  UnreadMessages unread;
  unread.add("a", true, false);
  unread.add("b", true, false);
  EXPECT_FALSE(unread.has(Wanted::message));
  EXPECT_TRUE(unread.has(Wanted::piece));
  unread.add("c", true, true);
  unread.add("d", false, false);
  ASSERT_TRUE(unread.has(Wanted::message));
  const auto whole = unread.take(Wanted::message);
  EXPECT_EQ(whole, "abc");
  EXPECT_TRUE(whole.is_binary());
  EXPECT_TRUE(whole.is_last());
  EXPECT_FALSE(unread.has(Wanted::message));
  const auto piece = unread.take(Wanted::piece);
  EXPECT_EQ(piece, "d");
  EXPECT_FALSE(piece.is_last());
  EXPECT_EQ(unread.bytes(), 0u);
}

TEST(UnreadMessages, AMessageIsItsOwnLastPiece) {
  UnreadMessages unread;
  unread.add("whole", false, true);
  EXPECT_TRUE(unread.take(Wanted::piece).is_last());
}

TEST(UnreadMessages, TheRestOfAMessageReadInPartIsAMessageToo) {
  UnreadMessages unread;
  unread.add("a", false, false);
  unread.add("b", false, true);
  EXPECT_EQ(unread.take(Wanted::piece), "a");
  EXPECT_EQ(unread.take(Wanted::message), "b");
}

}  // namespace
}  // namespace squall::client::detail
