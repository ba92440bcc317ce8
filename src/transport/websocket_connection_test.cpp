// SPDX-License-Identifier: Apache-2.0
#include "transport/websocket_connection.hpp"

#include "transport/transport_testing.hpp"

#include <squall/base/error.hpp>

#include <string>
#include <vector>

namespace squall::transport {
namespace {

class WebSocketConnectionTest : public ConnectionTest {};

TEST_F(WebSocketConnectionTest, MessagesGoBothWays) {
  echo = true;
  open();
  send(frame(Opcode::text, "hello") + frame(Opcode::binary, "1"));
  run_until([&] { return messages.size() == 2; });
  run_until_answer_has(
      "\x82\x01"
      "1");
  EXPECT_EQ(messages, (std::vector<std::string>{"t:hello", "b:1"}));
  EXPECT_EQ(answer,
            "\x81\x05hello\x82\x01"
            "1");
}

TEST_F(WebSocketConnectionTest, MessagesWaitUntilTheDelegateIsReady) {
  open_at_once = false;
  open();
  send(frame(Opcode::text, "1"));
  send(frame(Opcode::text, "2") + frame(Opcode::ping, "p") + frame(Opcode::text, "3"));
  run_until_answer_has("\x8a\x01p");
  EXPECT_EQ(messages, (std::vector<std::string>{"ping:p"})) << "pings do not wait";
  busy = true;
  connection->resume();
  EXPECT_EQ(messages.size(), 2U) << "one at a time";
  busy = false;
  connection->resume();
  EXPECT_EQ(messages, (std::vector<std::string>{"ping:p", "t:1", "t:2", "t:3"}));
}

TEST_F(WebSocketConnectionTest, ThePeersCloseIsAnsweredWithItsCode) {  // RFC 6455 §5.5.1
  open();
  send(close_frame(1001));
  run_until([&] { return closes == 1; });
  run_until_closed();
  EXPECT_EQ(answer, (std::string{"\x88\x02\x03\xe9", 4}));
  EXPECT_EQ(closed_with, "1001 ");
}

TEST_F(WebSocketConnectionTest, MessagesBeforeThePeersCloseAreHandedOverFirst) {
  open_at_once = false;
  open();
  send(frame(Opcode::text, "1") + frame(Opcode::text, "2") + close_frame(1001));
  int turns = 0;
  run_until([&] { return ++turns > 3; });
  EXPECT_EQ(closes, 0);
  EXPECT_EQ(answer, "");
  connection->resume();
  EXPECT_EQ(messages, (std::vector<std::string>{"t:1", "t:2"}));
  run_until([&] { return closes == 1; });
  run_until_closed();
  EXPECT_EQ(closed_with, "1001 ");
  EXPECT_EQ(answer, (std::string{"\x88\x02\x03\xe9", 4}));
}

TEST_F(WebSocketConnectionTest, ADelegateThatStaysBusyDoesNotHoldTheEndBack) {
  options.handling_timeout = Duration::from_milliseconds(10);
  open_at_once = false;
  open();
  send(frame(Opcode::text, "1") + close_frame(1001));
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1001 ");
  EXPECT_TRUE(messages.empty());
}

TEST_F(WebSocketConnectionTest, ADelegateMayHaveAllTheTimeItWants) {
  options.handling_timeout = Duration();
  options.ping_interval = Duration::from_milliseconds(5);  // whose timer must not end it either
  open_at_once = false;
  open();
  send(frame(Opcode::text, "1") + close_frame(1001));
  int turns = 0;
  run_until([&] { return ++turns > 20; });
  EXPECT_EQ(closes, 0);
  connection->resume();
  run_until([&] { return closes == 1; });
  EXPECT_EQ(messages, (std::vector<std::string>{"t:1"}));
  EXPECT_EQ(closed_with, "1001 ");
}

TEST_F(WebSocketConnectionTest, OurCloseWaitsForThePeers) {  // RFC 6455 §7.1.2
  open();
  connection->close(CloseCode::normal, "bye");
  EXPECT_EQ(connection->send(Opcode::text, "late"), WebSocketConnection::SendResult::closed);
  run_until_answer_has("bye");
  EXPECT_EQ(closes, 0);
  send(frame(Opcode::text, "ignored") + close_frame(1000));
  run_until([&] { return closes == 1; });
  EXPECT_TRUE(messages.empty());
  EXPECT_EQ(closed_with, "1000 ");
}

TEST_F(WebSocketConnectionTest, APeerThatNeverAnswersOurCloseIsDropped) {
  options.close_timeout = Duration::from_milliseconds(10);
  open();
  connection->close(CloseCode::normal, {});
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1006 ");
}

TEST_F(WebSocketConnectionTest, AViolationFailsTheConnectionWithItsCode) {
  open();
  send("\x81\x01x");  // not masked: RFC 6455 §5.1
  run_until([&] { return closes == 1; });
  run_until_closed();
  EXPECT_EQ(answer.substr(0, 1), "\x88");
  EXPECT_EQ(closed_with.substr(0, 4), "1002");
}

TEST_F(WebSocketConnectionTest, APeerThatLeavesEndsItOnce) {
  open();
  peer.reset();
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1006 ");
  EXPECT_EQ(owner->size(), 0U);
  EXPECT_EQ(owner->ended, 1);
}

TEST_F(WebSocketConnectionTest, APeerThatSendsMuchAndReadsNothingIsMadeToWait) {
  echo = true;
  options.max_queue_bytes = 512 * 1024;
  open();
  const std::string bytes = frame(Opcode::binary, std::string(50'000, 'x'));
  std::size_t at = 0;
  int refused = 0;
  run_until([&] {
    const ssize_t part = ::send(peer.get(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (part <= 0) return ++refused > 30;
    refused = 0;
    at = (at + static_cast<std::size_t>(part)) % bytes.size();
    return false;
  });
  EXPECT_EQ(closes, 0) << "its own echoes must not disconnect it";
  const std::size_t handled = messages.size();
  run_until([&] {
    receive();
    return messages.size() > handled || answer.size() > 4'000'000;
  });
}

TEST_F(WebSocketConnectionTest, AClientMasksAndWantsNoMask) {  // RFC 6455 §5.1
  open(WebSocketConnection::Role::client);
  connection->send(Opcode::text, "hello");
  connection->send(Opcode::binary, std::string(70'000, 'x'));
  run_until([&] {
    receive();
    return answer.size() == 11 + 14 + 70'000;
  });
  std::span<char> bytes(answer);
  websocket::MessageParser parser(WebSocketConnection::Role::server);
  EXPECT_EQ(parser.next(bytes).payload, "hello");
  EXPECT_EQ(parser.next(bytes).payload, std::string(70'000, 'x'));
  EXPECT_NE(answer.substr(2, 4), std::string(4, '\0')) << "the key";
  send(frame(Opcode::text, "from the server", true, false));
  run_until([&] { return messages.size() == 1; });
  EXPECT_EQ(messages[0], "t:from the server");
  send(frame(Opcode::text, "masked"));
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with.substr(0, 4), "1002");
}

TEST_F(WebSocketConnectionTest, AClientLeavesItToTheServerToEndTheConnection) {  // RFC 6455 §7.1.1
  open(WebSocketConnection::Role::client);
  connection->close(CloseCode::normal, {});
  run_until([&] {
    receive();
    return answer.size() == 8;
  });
  send(close_frame(1000, false));
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1000 ");
  run_turns(3);
  EXPECT_FALSE(receive()) << "the client ended the connection first";
  peer.reset();
  run_until([] { return loop::LoopCore::current().open_streams() == 0; });
}

}  // namespace
}  // namespace squall::transport
