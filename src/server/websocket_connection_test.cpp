// SPDX-License-Identifier: Apache-2.0
#include "server/websocket_connection.hpp"

#include "server/server_testing.hpp"

#include <squall/websocket/close_code.hpp>

#include <string>
#include <vector>

namespace squall::server {
namespace {

using websocket::CloseCode;
using websocket::Opcode;

/// A masked client frame with the key zero, so that its payload is readable.
std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
  std::string bytes;
  bytes.push_back(static_cast<char>((fin ? 0x80 : 0) | static_cast<int>(opcode)));
  if (payload.size() < 126) {
    bytes.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    bytes.push_back(static_cast<char>(0x80 | 126));
    bytes.push_back(static_cast<char>(payload.size() >> 8));
    bytes.push_back(static_cast<char>(payload.size() & 0xff));
  }
  bytes.append(4, '\0');
  bytes += payload;
  return bytes;
}
std::string close_frame(int code) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return frame(Opcode::close, {payload, 2});
}

class WebSocketConnectionTest : public ServerTest,
                                protected MessageDelegate,
                                protected WebSocketDelegate {
 protected:
  ~WebSocketConnectionTest() override { end(); }
  MessageDelegate& start_request(ResponseWriter& to) override {
    writer = &to;
    return *this;
  }
  void headers_received(const http::RequestHead&, const http::RequestFraming&) override {}
  void data_received(std::string_view) override {}
  void message_complete(http::Trailers*) override {
    connection = &writer->accept_websocket({}, *this);
    if (open_at_once) connection->resume();
  }
  void preserve() override {}
  void on_connection_close() override {}

  bool on_message(bool binary, std::string_view payload) override {
    messages.push_back((binary ? "b:" : "t:") + std::string(payload));
    if (echo) connection->send(binary ? Opcode::binary : Opcode::text, payload);
    return !busy;
  }
  void on_ping(std::string_view payload) override {
    messages.push_back("ping:" + std::string(payload));
  }
  void on_pong(std::string_view payload) override {
    messages.push_back("pong:" + std::string(payload));
  }
  void on_drained() override { ++drained; }
  void on_close(CloseCode code, std::string_view reason) override {
    ++closes;
    closed_with = std::to_string(static_cast<int>(code)) + " " + std::string(reason);
    connection = nullptr;
  }

  void open(std::string_view more = {}) {
    connect();
    send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(more));
    run_until_answer_has("\r\n\r\n");
    EXPECT_EQ(status(), "HTTP/1.1 101 Switching Protocols");
    answer.erase(0, answer.find("\r\n\r\n") + 4);
  }

  ResponseWriter* writer = nullptr;
  WebSocketConnection* connection = nullptr;
  std::vector<std::string> messages;
  bool open_at_once = true;
  bool echo = false;
  bool busy = false;
  int drained = 0;
  int closes = 0;
  std::string closed_with;
};

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

TEST_F(WebSocketConnectionTest, FramesBesideTheHandshakeAreNotLost) {
  open(frame(Opcode::text, "early"));
  run_until([&] { return messages.size() == 1; });
  EXPECT_EQ(messages[0], "t:early");
}

TEST_F(WebSocketConnectionTest, MessagesWaitUntilTheDelegateIsReady) {
  open_at_once = false;
  open(frame(Opcode::text, "1"));
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
  open(frame(Opcode::text, "1") + frame(Opcode::text, "2") + close_frame(1001));
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
  options.close_timeout = Duration::from_milliseconds(10);
  open_at_once = false;
  open(frame(Opcode::text, "1") + close_frame(1001));
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1001 ");
  EXPECT_TRUE(messages.empty());
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

TEST_F(WebSocketConnectionTest, AClientThatNeverAnswersOurCloseIsDropped) {
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

TEST_F(WebSocketConnectionTest, AClientThatLeavesEndsItOnce) {
  open();
  client.reset();
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1006 ");
  EXPECT_EQ(server->connection_count(), 0U);
}

TEST_F(WebSocketConnectionTest, AClientThatDoesNotReadIsDisconnectedAtTheLimit) {
  options.max_queue_bytes = 256 * 1024;
  open();
  const std::string message(60'000, 'x');
  auto result = WebSocketConnection::SendResult::sent;
  int sent = 0;
  while (result == WebSocketConnection::SendResult::sent) {
    result = connection->send(Opcode::binary, message);
    ASSERT_LT(++sent, 100) << "the queue has no limit";
  }
  EXPECT_EQ(result, WebSocketConnection::SendResult::overflow);
  EXPECT_EQ(closes, 0) << "on_close() ran inside send()";
  EXPECT_EQ(connection->send(Opcode::text, "x"), WebSocketConnection::SendResult::closed);
  run_until([&] { return closes == 1; });
}

TEST_F(WebSocketConnectionTest, AClientThatSendsMuchAndReadsNothingIsMadeToWait) {
  echo = true;
  options.max_queue_bytes = 512 * 1024;
  open();
  const std::string bytes = frame(Opcode::binary, std::string(50'000, 'x'));
  std::size_t at = 0;
  int refused = 0;
  run_until([&] {
    const ssize_t part = ::send(client.get(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
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

TEST_F(WebSocketConnectionTest, DrainingSaysGoingAway) {
  open();
  server->drain();
  run_until_answer_has("the server shuts down");
  EXPECT_EQ(answer.substr(2, 2), "\x03\xe9");
  send(close_frame(1001));
  run_until([&] { return closes == 1; });
}

}  // namespace
}  // namespace squall::server
