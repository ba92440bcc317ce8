// SPDX-License-Identifier: Apache-2.0
#include "transport/outbox.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::transport {
namespace {

class OutboxTest : public ::testing::Test {
 protected:
  SendResult add(std::string_view text, std::string_view key = {}) {
    return outbox.add(SharedBytes(text), key, policy, max_bytes);
  }
  std::string drain() {
    std::string all;
    while (!outbox.is_empty()) all.append(outbox.take().view()).append(" ");
    return all;
  }

  /// Room for three messages of four bytes and no key.
  std::size_t max_bytes = 3 * (4 + Outbox::entry_bytes);
  SlowConsumer policy = SlowConsumer::disconnect;
  Outbox outbox;
};

TEST_F(OutboxTest, MessagesComeOutInTheirOrder) {
  EXPECT_EQ(add("aaaa"), SendResult::sent);
  EXPECT_EQ(add("bbbb"), SendResult::sent);
  EXPECT_EQ(outbox.bytes(), 2 * (4 + Outbox::entry_bytes));
  EXPECT_EQ(drain(), "aaaa bbbb ");
  EXPECT_EQ(outbox.bytes(), 0U);
}

TEST_F(OutboxTest, DisconnectSaysOverflowPastTheLimitAndNotAtIt) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(add("aaaa"), SendResult::sent);
  EXPECT_EQ(add(""), SendResult::overflow);
  EXPECT_EQ(drain(), "aaaa aaaa aaaa ");
}

TEST_F(OutboxTest, DropNewestKeepsWhatWaits) {
  policy = SlowConsumer::drop_newest;
  for (const char* text : {"1111", "2222", "3333"}) EXPECT_EQ(add(text), SendResult::sent);
  EXPECT_EQ(add("4444"), SendResult::dropped);
  EXPECT_EQ(outbox.take_lost(), 1U);
  EXPECT_EQ(outbox.take_lost(), 0U);
  EXPECT_EQ(drain(), "1111 2222 3333 ");
  EXPECT_EQ(add("5555"), SendResult::sent);
}

TEST_F(OutboxTest, DropOldestMakesRoomForTheNew) {
  policy = SlowConsumer::drop_oldest;
  for (const char* text : {"1111", "2222", "3333"}) EXPECT_EQ(add(text), SendResult::sent);
  EXPECT_EQ(add(std::string(4 + 4 + Outbox::entry_bytes, '4')), SendResult::displaced);
  EXPECT_EQ(outbox.take_lost(), 2U);
  EXPECT_LE(outbox.bytes(), max_bytes);
  EXPECT_EQ(drain(), "3333 " + std::string(8 + Outbox::entry_bytes, '4') + " ");
}

TEST_F(OutboxTest, AMessageThatIsTooLargeAloneDisplacesNone) {
  policy = SlowConsumer::drop_oldest;
  EXPECT_EQ(add("1111"), SendResult::sent);
  EXPECT_EQ(add(std::string(max_bytes, 'x')), SendResult::dropped);
  EXPECT_EQ(drain(), "1111 ");
}

TEST_F(OutboxTest, ConflateKeepsTheLatestOfAKeyInTheFirstOnesPlace) {
  policy = SlowConsumer::conflate;
  max_bytes = 1000;
  EXPECT_EQ(add("a1", "a"), SendResult::sent);
  EXPECT_EQ(add("b1", "b"), SendResult::sent);
  EXPECT_EQ(add("x1"), SendResult::sent);
  EXPECT_EQ(add("x2"), SendResult::sent) << "those without a key replace none";
  const std::size_t before = outbox.bytes();
  EXPECT_EQ(add("a22", "a"), SendResult::conflated);
  EXPECT_EQ(outbox.bytes(), before + 1);
  EXPECT_EQ(outbox.take().view(), "a22");
  EXPECT_EQ(add("a3", "a"), SendResult::sent) << "the one before has left";
  EXPECT_EQ(drain(), "b1 x1 x2 a3 ");
}

TEST_F(OutboxTest, TheLatestOfAKeySurvivesWhereItHasNoRoomInPlace) {
  policy = SlowConsumer::conflate;
  max_bytes = 3 * (5 + Outbox::entry_bytes);
  for (const char* key : {"a", "b", "c"}) EXPECT_EQ(add("1111", key), SendResult::sent);
  EXPECT_EQ(add("22222222", "b"), SendResult::conflated) << "the oldest went";
  EXPECT_EQ(add("3333", "d"), SendResult::displaced);
  EXPECT_EQ(add(std::string(2 * Outbox::entry_bytes, '4'), "c"), SendResult::displaced);
  EXPECT_LE(outbox.bytes(), max_bytes);
  EXPECT_EQ(drain(), std::string(2 * Outbox::entry_bytes, '4') + " ");
}

TEST_F(OutboxTest, KeysAreForgottenWithTheirMessages) {
  policy = SlowConsumer::conflate;
  max_bytes = 3 * (5 + Outbox::entry_bytes);
  for (int i = 0; i < 1000; ++i) add("1111", std::to_string(i % 10));
  EXPECT_LE(outbox.bytes(), max_bytes);
  EXPECT_EQ(drain(), "1111 1111 1111 ");
}

}  // namespace
}  // namespace squall::transport
