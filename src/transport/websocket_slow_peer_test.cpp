// SPDX-License-Identifier: Apache-2.0
#include "transport/outbox.hpp"
#include "transport/transport_testing.hpp"

#include <squall/base/slow_consumer.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace squall::transport {
namespace {

constexpr std::size_t large_bytes = 30'000;

/// The messages are numbers with much behind them.
class SlowPeerTest : public ConnectionTest {
 protected:
  static std::string numbered(int number) {
    std::string text = std::to_string(number) + " ";
    text.resize(large_bytes, '.');
    return text;
  }
  SendResult send_number(int number, std::string_view key = {}) {
    return connection->send(Opcode::text, numbered(number), key);
  }
  /// Sends until the result is not `sent`, and returns how many were.
  int fill(SendResult& result) {
    for (int number = 0;; ++number) {
      result = send_number(number);
      if (result != SendResult::sent) return number;
      run_turns(1);
      EXPECT_LT(number, 1000) << "the queue has no limit";
      if (number == 1000) return number;
    }
  }
  /// What the peer reads: the numbers of whole messages, and -1 for a message that is not whole.
  std::vector<int> numbers() {
    std::span<char> bytes(answer);
    websocket::MessageParser parser(websocket::MessageParser::Role::client);
    std::vector<int> found;
    for (;;) {
      const auto event = parser.next(bytes);
      if (event.kind != websocket::MessageParser::Kind::text) break;
      found.push_back(event.payload.size() == large_bytes ? std::stoi(std::string(event.payload))
                                                          : -1);
    }
    return found;
  }
  void read_all() {
    run_until([&] {
      receive();
      return connection->pending_bytes() == 0;
    });
    run_turns(2);
    receive();
  }
};

TEST_F(SlowPeerTest, ByDefaultItIsDisconnected) {
  options.max_queue_bytes = 256 * 1024;
  open();
  SendResult result;
  fill(result);
  EXPECT_EQ(result, SendResult::overflow);
  EXPECT_EQ(closes, 0) << "on_close() ran inside send()";
  EXPECT_EQ(send_number(0), SendResult::closed);
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1006 ");
}

TEST_F(SlowPeerTest, APeerThatTakesNothingForAWhileIsDisconnected) {
  options.stall_timeout = Duration::from_milliseconds(20);
  options.max_queue_bytes = 16 * 1024 * 1024;
  open();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(send_number(i), SendResult::sent);
  run_until([&] { return closes == 1; });
}

TEST_F(SlowPeerTest, DropOldestKeepsTheNewestWithinTheLimit) {
  options.max_queue_bytes = 256 * 1024;
  options.slow_consumer = SlowConsumer::drop_oldest;
  options.stall_timeout = Duration::from_milliseconds(1);
  open();
  SendResult result;
  int number = fill(result);
  EXPECT_EQ(result, SendResult::displaced);
  for (int more = 0; more < 100; ++more) {
    EXPECT_EQ(send_number(++number), SendResult::displaced);
    EXPECT_LE(connection->pending_bytes(), options.max_queue_bytes + 2 * Outbox::low_mark_bytes);
  }
  read_all();
  const std::vector<int> got = numbers();
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got.back(), number);
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
  EXPECT_EQ(std::count(got.begin(), got.end(), -1), 0) << "a part of a message is missing";
  EXPECT_EQ(closes, 0);
  EXPECT_EQ(send_number(7), SendResult::sent) << "it has caught up";
}

TEST_F(SlowPeerTest, DropNewestKeepsTheOldest) {
  options.max_queue_bytes = 256 * 1024;
  options.slow_consumer = SlowConsumer::drop_newest;
  open();
  SendResult result;
  const int queued = fill(result);
  EXPECT_EQ(result, SendResult::dropped);
  read_all();
  const std::vector<int> got = numbers();
  ASSERT_EQ(got.size(), static_cast<std::size_t>(queued));
  for (int i = 0; i < queued; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
}

TEST_F(SlowPeerTest, ConflateSendsTheLatestOfEachKey) {
  options.slow_consumer = SlowConsumer::conflate;
  open();
  int number = 0;
  while (send_number(number) == SendResult::sent && number < 30) ++number;  // without a key
  run_turns(3);
  EXPECT_EQ(send_number(100, "a"), SendResult::sent);
  EXPECT_EQ(send_number(200, "b"), SendResult::sent);
  EXPECT_EQ(send_number(101, "a"), SendResult::conflated);
  EXPECT_EQ(send_number(102, "a"), SendResult::conflated);
  read_all();
  const std::vector<int> got = numbers();
  ASSERT_GE(got.size(), 2U);
  EXPECT_EQ(got[got.size() - 2], 102);
  EXPECT_EQ(got.back(), 200);
}

TEST_F(SlowPeerTest, APolicyCanBeSetForOneConnection) {
  open();
  connection->set_slow_consumer(SlowConsumer::drop_newest, 100'000);
  SendResult result;
  fill(result);
  EXPECT_EQ(result, SendResult::dropped);
  EXPECT_LE(connection->pending_bytes(), 100'000 + 2 * large_bytes + Outbox::low_mark_bytes);
  connection->set_slow_consumer(SlowConsumer::disconnect, 100'000);
  EXPECT_EQ(send_number(1), SendResult::overflow);
  run_until([&] { return closes == 1; });
}

TEST_F(SlowPeerTest, ASharedMessageIsTheSameAsAnother) {
  options.slow_consumer = SlowConsumer::drop_oldest;
  options.max_queue_bytes = 256 * 1024;
  open();
  SharedFrame& large = SharedFrame::create(Opcode::text, numbered(5));
  SharedFrame& small = SharedFrame::create(Opcode::binary, "small");
  EXPECT_EQ(large.payload(), numbered(5));
  EXPECT_EQ(connection->send(small), SendResult::sent);
  SendResult result = SendResult::sent;
  int sent = 0;
  while (result == SendResult::sent && sent < 1000) {
    result = connection->send(large);
    run_turns(1);
    ++sent;
  }
  EXPECT_EQ(result, SendResult::displaced);
  large.release();
  small.release();
  read_all();
  ASSERT_EQ(answer.substr(0, 7), "\x82\x05small");
  answer.erase(0, 7);
  const std::vector<int> got = numbers();
  EXPECT_GE(got.size(), 8U);
  EXPECT_EQ(std::count(got.begin(), got.end(), 5), static_cast<long>(got.size()));
}

TEST_F(SlowPeerTest, WholeMessagesWaitForTheEndOfOneInParts) {
  open();
  EXPECT_EQ(connection->send_part(Opcode::text, "one", false), SendResult::sent);
  EXPECT_EQ(connection->send(Opcode::ping, "p"), SendResult::sent);
  EXPECT_EQ(connection->send(Opcode::binary, "b"), SendResult::sent);
  connection->send_part(Opcode::text, "two", false);
  connection->send_part(Opcode::text, "", true);
  EXPECT_EQ(connection->send(Opcode::binary, "c"), SendResult::sent);
  run_until_answer_has(
      "\x82\x01"
      "c");
  EXPECT_EQ(answer, std::string("\x01\x03one\x89\x01p\x00\x03two\x80\x00\x82\x01"
                                "b\x82\x01"
                                "c",
                                21));
}

TEST_F(SlowPeerTest, WhatWaitsGoesOutBeforeTheCloseFrame) {
  options.slow_consumer = SlowConsumer::drop_newest;
  open();
  int number = 0;
  while (connection->pending_bytes() < 500'000) {
    send_number(number++);
    run_turns(1);
  }
  connection->close(CloseCode::normal, {});
  run_until([&] {
    receive();
    return answer.size() >= static_cast<std::size_t>(number) * (large_bytes + 4) + 4;
  });
  EXPECT_EQ(numbers().size(), static_cast<std::size_t>(number));
  EXPECT_EQ(answer.substr(answer.size() - 4), "\x88\x02\x03\xe8");
}

TEST_F(SlowPeerTest, AFloodOfPingsIsAnsweredWithinBounds) {  // RFC 6455 §5.5.3
  open();
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += frame(Opcode::ping, std::string(125, 'p'));
  std::size_t at = 0;
  int refused = 0;
  run_until([&] {
    const ssize_t part = ::send(peer.get(), pings.data() + at, pings.size() - at, MSG_NOSIGNAL);
    if (part <= 0) return true;
    at = (at + static_cast<std::size_t>(part)) % pings.size();
    EXPECT_LE(connection->pending_bytes(), options.max_queue_bytes);
    return ++refused > 200;
  });
  EXPECT_EQ(closes, 0);
  read_all();
  EXPECT_EQ(answer.substr(0, 2), "\x8a\x7d");
}

}  // namespace
}  // namespace squall::transport
