// SPDX-License-Identifier: Apache-2.0
#include "server/server_testing.hpp"
#include "transport/websocket_connection.hpp"
#include "transport/websocket_delegate.hpp"

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

class WebSocketUpgradeTest : public ServerTest,
                             protected MessageDelegate,
                             protected WebSocketDelegate {
 protected:
  ~WebSocketUpgradeTest() override { end(); }
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

TEST_F(WebSocketUpgradeTest, FramesBesideTheHandshakeAreNotLost) {
  open(frame(Opcode::text, "early"));
  run_until([&] { return messages.size() == 1; });
  EXPECT_EQ(messages[0], "t:early");
}

TEST_F(WebSocketUpgradeTest, AClientThatLeavesEndsItOnce) {
  open();
  client.reset();
  run_until([&] { return closes == 1; });
  EXPECT_EQ(closed_with, "1006 ");
  EXPECT_EQ(server->connection_count(), 0U);
}

TEST_F(WebSocketUpgradeTest, DrainingSaysGoingAway) {
  open();
  server->drain();
  run_until_answer_has("the server shuts down");
  EXPECT_EQ(answer.substr(2, 2), "\x03\xe9");
  send(close_frame(1001));
  run_until([&] { return closes == 1; });
}

}  // namespace
}  // namespace squall::server
