// SPDX-License-Identifier: Apache-2.0
#include "transport/transport_testing.hpp"
#include "websocket/deflate.hpp"

#include <squall/base/slow_consumer.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace squall::transport {
namespace {

using websocket::DeflateParameters;
using Parser = websocket::MessageParser;

/// Our end is a server, and the test is its client, which inflates what comes.
class DeflateTest : public ConnectionTest {
 protected:
  void open_deflating() {
    open_at_once = false;
    open();
    connection->set_deflate(parameters, compression);
    connection->resume();
    client.set_deflate(parameters);
  }
  /// The messages that have come back.
  std::vector<std::string> received() {
    std::vector<std::string> all;
    std::span<char> bytes(answer);
    for (;;) {
      const Parser::Event event = client.next(bytes);
      if (event.kind == Parser::Kind::need_more) break;
      all.push_back((event.kind == Parser::Kind::text     ? "t:"
                     : event.kind == Parser::Kind::binary ? "b:"
                                                          : "?:") +
                    std::string(event.payload));
    }
    answer.clear();
    return all;
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::vector<std::string> all;
    run_until([&] {
      receive();
      for (std::string& one : received()) all.push_back(std::move(one));
      return all.size() >= count;
    });
    return all;
  }
  static std::string compressed(std::string_view message) {
    std::string bytes;
    websocket::Deflater deflater({});
    deflater.finish(message, bytes);
    return bytes;
  }
  static std::string compressed_frame(std::string_view message) {
    std::string bytes = frame(Opcode::text, compressed(message));
    bytes[0] = static_cast<char>(bytes[0] | 0x40);
    return bytes;
  }

  DeflateParameters parameters{15, 15, true, true};
  websocket::CompressionOptions compression{.enabled = true};
  Parser client{Parser::Role::client};
  const std::string text = std::string(2000, 'a') + std::string(2000, 'b');
};

TEST_F(DeflateTest, MessagesAreCompressedBothWays) {
  echo = true;
  open_deflating();
  send(compressed_frame(text) + frame(Opcode::text, "short"));
  run_until([&] {
    receive();
    return messages.size() == 2 && answer.size() > 9;
  });
  EXPECT_EQ(messages[0], "t:" + text);
  EXPECT_EQ(static_cast<unsigned char>(answer[0]), 0xc1) << "RSV1";
  EXPECT_LT(answer.size(), 100U);
  EXPECT_EQ(answer.substr(answer.size() - 7), "\x81\x05short") << "below the least size";
  EXPECT_EQ(received(), (std::vector<std::string>{"t:" + text, "t:short"}));
}

TEST_F(DeflateTest, ContextTakeoverMakesTheSecondSmaller) {
  parameters = {15, 15, false, false};
  compression.server_context_takeover = true;
  open_deflating();
  std::string noise;
  for (unsigned i = 0, x = 1; i < 2000; ++i, x = x * 1664525 + 1013904223)
    noise += char('a' + x % 26);
  connection->send(Opcode::text, noise);
  run_until([&] {
    receive();
    return answer.size() > 1000;
  });
  const std::size_t first = answer.size();
  EXPECT_EQ(received(), (std::vector<std::string>{"t:" + noise}));
  connection->send(Opcode::text, noise);
  run_until([&] { return receive() || !answer.empty(); });
  EXPECT_LT(answer.size(), first / 10);
  EXPECT_EQ(received(), (std::vector<std::string>{"t:" + noise}));
}

TEST_F(DeflateTest, AMessageThatInflatesPastTheLimitIs1009) {
  options.max_message_bytes = 10'000;
  open_deflating();
  send(compressed_frame(std::string(10'000, 'a')));
  run_until([&] { return messages.size() == 1; });
  send(compressed_frame(std::string(10'001, 'a')));
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with.substr(0, 4), "1009");
  EXPECT_EQ(messages.size(), 1U);
}

TEST_F(DeflateTest, ACompressedMessageThatWasNotAgreedOnIs1002) {
  open();
  send(compressed_frame(text));
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with.substr(0, 4), "1002");
}

TEST_F(DeflateTest, ASharedMessageIsCompressedOnceForEqualSettings) {
  open_deflating();
  SharedFrame& shared = SharedFrame::create(Opcode::text, text);
  connection->send(shared);
  EXPECT_EQ(wait_for(1), (std::vector<std::string>{"t:" + text}));
  const websocket::DeflateSettings settings =
      websocket::deflate_settings(websocket::Role::server, parameters, compression);
  const SharedBytes& first = shared.compressed(settings);
  EXPECT_LT(first.size(), 100U);
  EXPECT_EQ(shared.compressed(settings).view().data(), first.view().data());
  websocket::DeflateSettings others = settings;
  others.window_bits = 10;
  EXPECT_NE(shared.compressed(others).view().data(), first.view().data());
  EXPECT_EQ(shared.compressed(settings).view().data(), first.view().data());
  shared.release();
}

TEST_F(DeflateTest, WhatIsDroppedTakesNothingFromTheContextOfTheRest) {
  parameters = {15, 15, false, false};
  compression.server_context_takeover = true;
  options.slow_consumer = SlowConsumer::drop_oldest;
  options.max_queue_bytes = 256 * 1024;
  open_deflating();
  std::string noise;
  for (unsigned i = 0, x = 7; i < 40'000; ++i, x = x * 1664525 + 1013904223) {
    noise += static_cast<char>(x >> 24);
  }
  SharedFrame& shared = SharedFrame::create(Opcode::binary, noise);
  int displaced = 0;
  int last = 0;
  for (int i = 0; i < 200; ++i) {
    noise[0] = static_cast<char>(i);  // no message is like another
    for (std::size_t at = 1; at < noise.size(); at += 7) ++noise[at];
    last = i;
    if (connection->send(Opcode::binary, noise) == SendResult::displaced) ++displaced;
    if (i % 10 == 0) connection->send(shared);
    run_turns(1);
  }
  EXPECT_GT(displaced, 10);
  std::vector<std::string> all;
  run_until([&] {
    receive();
    for (std::string& one : received()) all.push_back(std::move(one));
    return connection == nullptr || connection->pending_bytes() == 0;
  });
  run_turns(3);
  receive();
  for (std::string& one : received()) all.push_back(std::move(one));
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(closes, 0);
  EXPECT_EQ(all.back().substr(0, 3), std::string("b:") + static_cast<char>(last));
  for (const std::string& one : all) EXPECT_EQ(one.size(), 2 + noise.size());
  shared.release();
}

TEST_F(DeflateTest, PartsAreCompressedAsOneMessage) {
  open_deflating();
  connection->send_part(Opcode::text, text, false);
  connection->send(Opcode::text, "after");
  connection->send_part(Opcode::text, text, true);
  EXPECT_EQ(wait_for(2), (std::vector<std::string>{"t:" + text + text, "t:after"}));
}

class PiecesTest : public DeflateTest {
 protected:
  bool on_piece(bool binary, std::string_view piece, bool last) override {
    pieces.push_back((binary ? "b" : "t") + std::to_string(piece.size()) + (last ? "." : ""));
    bytes += piece;
    return !busy;
  }
  std::vector<std::string> pieces;
  std::string bytes;
};

TEST_F(PiecesTest, MessagesComeInPiecesWhereThatIsWanted) {
  open();
  connection->set_streaming(true);
  const std::string message = frame(Opcode::binary, std::string(1000, 'x'));
  send(message.substr(0, 208));
  run_until([&] { return bytes.size() == 200; });
  connection->set_streaming(false);
  send(message.substr(208) + frame(Opcode::text, "whole"));
  run_until([&] { return messages.size() == 1; });
  EXPECT_EQ(messages[0], "t:whole");
  EXPECT_EQ(pieces.back(), "b800.");
  EXPECT_EQ(bytes, std::string(1000, 'x'));
}

TEST_F(PiecesTest, PiecesWaitForADelegateThatIsBusy) {
  open_deflating();
  connection->set_streaming(true);
  busy = true;
  const std::string large(100'000, 'z');
  send(compressed_frame(large));
  run_until([&] { return !pieces.empty(); });
  run_turns(3);
  EXPECT_EQ(pieces.size(), 1U);
  busy = false;
  connection->resume();
  EXPECT_EQ(bytes, large);
  EXPECT_EQ(pieces.back().back(), '.');
}

class PingTest : public ConnectionTest {
 protected:
  PingTest() {
    options.ping_interval = Duration::from_milliseconds(20);
    options.close_timeout = Duration::from_milliseconds(20);
  }
  std::size_t pings() {
    std::size_t count = 0;
    for (std::size_t at = answer.find("\x89"); at != std::string::npos;
         at = answer.find("\x89", at + 1))
      ++count;
    return count;
  }
};

TEST_F(PingTest, PingsComeWhileTheDelegateIsBusy) {
  open_at_once = false;
  open();
  send(frame(Opcode::text, "waits"));
  run_until([&] {
    const std::size_t before = pings();
    receive();
    if (pings() > before) send(frame(Opcode::pong, ""));
    return pings() >= 4;
  });
  EXPECT_EQ(closes, 0);
}

TEST_F(PingTest, APeerThatSaysNothingIsDropped) {
  options.ping_timeout = Duration::from_milliseconds(5);
  open();
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1006 no answer to a ping");
  receive();
  EXPECT_EQ(answer, (std::string{"\x89\x00", 2}));
}

TEST_F(PingTest, AnythingThatComesCountsAsAnAnswer) {
  open();
  run_until([&] {
    const std::size_t before = pings();
    receive();
    if (pings() > before) send(frame(Opcode::text, "x"));
    return pings() >= 3;
  });
  EXPECT_EQ(closes, 0);
  EXPECT_GE(messages.size(), 2U);
}

TEST_F(PingTest, APeerThatLeavesBehindABusyDelegateIsNoticed) {
  options.ping_interval = Duration::from_seconds(0);
  options.max_queue_bytes = 1000;
  open_at_once = false;
  open();
  send(frame(Opcode::text, std::string(1001, 'x')));
  run_turns(3);
  send(frame(Opcode::text, "is not read any more"));
  peer.reset();
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1006 ");
}

TEST_F(PingTest, AnIdleConnectionHasNothingBesideItself) {
  options.ping_interval = Duration::from_seconds(0);
  echo = true;
  open();
  send(frame(Opcode::text, "hello"));
  run_until_answer_has("hello");
  EXPECT_LE(sizeof(WebSocketConnection), 104U);
}

}  // namespace
}  // namespace squall::transport
