// SPDX-License-Identifier: Apache-2.0
#include "server/server_testing.hpp"
#include "transport/recording_delegate_testing.hpp"

#include <string>

namespace squall::server {
namespace {

using transport::close_frame;
using transport::CloseCode;
using transport::frame;
using transport::Opcode;

class WebSocketUpgradeTest : public ServerTest,
                             protected MessageDelegate,
                             protected transport::RecordingDelegate {
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
  void on_drained() override { RecordingDelegate::on_drained(); }  // of both delegates
  void on_connection_close() override {}

  void open(std::string_view more = {}) {
    connect();
    send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(more));
    run_until_answer_has("\r\n\r\n");
    EXPECT_EQ(status(), "HTTP/1.1 101 Switching Protocols");
    answer.erase(0, answer.find("\r\n\r\n") + 4);
  }

  ResponseWriter* writer = nullptr;
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
