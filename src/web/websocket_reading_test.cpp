// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_testing.hpp"
#include "web/web_testing.hpp"
#include "websocket/deflate.hpp"
#include "websocket/frame.hpp"
#include "websocket/message_parser.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/shared_message.hpp>
#include <squall/web/websocket_handler.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

using namespace std::chrono_literals;
using websocket::Opcode;

std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
  char head[websocket::max_frame_head_bytes];
  const std::size_t size =
      websocket::encode_masked_frame_head(head, opcode, fin, payload.size(), {0, 0, 0, 0});
  return std::string(head, size) + std::string(payload);
}
std::string text(std::string_view payload) { return frame(Opcode::text, payload); }
const std::string close_1000 = frame(Opcode::close, std::string("\x03\xe8", 2));
const std::string answer_1000("\x88\x02\x03\xe8", 4);

std::vector<std::string> lines;
/// When the handlers have said `last`.
std::string take_lines(std::string_view last) {
  loop::run_until([last] { return !lines.empty() && lines.back() == last; });
  std::string all;
  for (const std::string& line : std::exchange(lines, {})) all += line + ";";
  return all;
}

class WebSocketReadingTest : public WebTest {
 protected:
  /// The handshake and then `frames` in one go; what comes back after the 101.
  std::string talk(Application& app, std::string_view frames, std::string_view fields = {}) {
    std::string bytes =
        "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    bytes.append(fields).append("\r\n").append(frames);
    handshake = send(app, bytes, false);
    const std::size_t at = handshake.find("\r\n\r\n");
    const std::string rest = handshake.substr(at + 4);
    handshake.resize(at + 4);
    return rest;
  }
  std::string handshake;
};

struct Reading : WebSocketHandler {
  Task<> open() {
    for (;;) {
      auto message = co_await read();
      if (!message) break;
      lines.push_back((message->is_binary() ? "b:" : "t:") + *message);
      write_message(*message);
      if (*message == "slow") co_await sleep(2ms);
      if (*message == "enough") co_return;
    }
    co_await sleep(1ms);  // the end does not cancel who has seen it
    lines.push_back("end " + std::to_string(close_code()));
  }
  void on_close() { lines.push_back("on_close"); }
};

TEST_F(WebSocketReadingTest, OpenReadsMessagesUntilTheyEnd) {
  Application app({{"/", handler<Reading>}});
  const std::string answer =
      talk(app, text("1") + text("slow") + frame(Opcode::binary, "2") + close_1000);
  EXPECT_EQ(take_lines("on_close"), "t:1;t:slow;b:2;end 1000;on_close;");
  EXPECT_EQ(answer, std::string("\x81\x01"
                                "1\x81\x04slow\x82\x01"
                                "2") +
                        answer_1000);
}

TEST_F(WebSocketReadingTest, WhenItReturnsTheConnectionIsClosedWith1000) {
  Application app({{"/", handler<Reading>}});
  const std::string answer = talk(app, text("enough") + text("unread") + close_1000);
  EXPECT_EQ(take_lines("on_close"), "t:enough;on_close;");
  EXPECT_EQ(answer, std::string("\x81\x06") + "enough" + answer_1000);
}

TEST_F(WebSocketReadingTest, AClientThatBreaksOffEndsTheReading) {
  Application app({{"/", handler<Reading>}});
  talk(app, text("1") + "\x81\x01x");  // not masked: the connection fails with 1002
  EXPECT_EQ(take_lines("on_close"), "t:1;end 1002;on_close;");
}

struct Sleeping : WebSocketHandler {
  Task<> open() {
    auto first = co_await read();
    try {
      co_await sleep(60s);
    } catch (const CancelledError&) {
      lines.push_back("cancelled");
      throw;
    }
  }
};

TEST_F(WebSocketReadingTest, WhoWaitsForSomethingElseIsCancelled) {
  Application app({{"/", handler<Sleeping>}});
  talk(app, text("1") + "\x81\x01x");
  EXPECT_EQ(take_lines("cancelled"), "cancelled;");
}

struct Mixing : WebSocketHandler {
  Task<> open() {
    try {
      auto message = co_await read();
    } catch (const UsageError& error) {
      write_message(error.what());
    }
  }
  void on_message(std::string_view) {}
};

TEST_F(WebSocketReadingTest, ItIsNotMixedWithOnMessage) {
  Application app({{"/", handler<Mixing>}});
  EXPECT_NE(talk(app, close_1000).find("has on_message()"), std::string::npos);
}

struct Pieces : WebSocketHandler {
  Task<> open() {
    for (;;) {
      auto piece = co_await read_piece();
      if (!piece) break;
      lines.push_back(*piece + (piece->is_last() ? "." : ""));
      write_piece(*piece, piece->is_last());
      if (*piece == "inside") {
        try {
          auto whole = co_await read();
        } catch (const UsageError&) {
          lines.push_back("refused");
        }
      }
      if (*piece == "next is whole") {
        auto whole = co_await read();
        lines.push_back("whole " + *whole);
      }
    }
  }
};

TEST_F(WebSocketReadingTest, LargeMessagesGoInPiecesBothWays) {
  Application app({{"/", handler<Pieces>}});
  const std::string answer = talk(
      app, frame(Opcode::text, "inside", false) + frame(Opcode::continuation, "more", false) +
               frame(Opcode::continuation, "", true) + text("next is whole") +
               frame(Opcode::text, "a", false) + frame(Opcode::continuation, "b") + close_1000);
  EXPECT_EQ(take_lines("whole ab"), "inside;refused;more;.;next is whole.;whole ab;");
  EXPECT_EQ(answer.substr(0, 16), std::string("\x01\x06inside\x00\x04more\x80\x00", 16));
}

struct Compressing : WebSocketHandler {
  websocket::CompressionOptions get_compression_options() override {
    websocket::CompressionOptions wanted = WebSocketHandler::get_compression_options();
    if (request().query() == "off") wanted.enabled = false;
    return wanted;
  }
  void on_message(std::string_view message) {
    write_message(message);
    write_message(SharedMessage(message));
  }
};

TEST_F(WebSocketReadingTest, MessagesAreCompressedWhereBothWantIt) {
  Application app({{"/", handler<Compressing>}}, {.websocket_compression = {.enabled = true}});
  const std::string large(5000, 'x');
  std::string bytes = frame(Opcode::text, large);
  std::string answer =
      talk(app, bytes + close_1000, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  EXPECT_NE(handshake.find("Sec-WebSocket-Extensions: permessage-deflate"), std::string::npos);
  EXPECT_LT(answer.size(), 200U);
  websocket::MessageParser client(websocket::MessageParser::Role::client);
  client.set_deflate({15, 15, true, true});
  std::span<char> in(answer);
  EXPECT_EQ(client.next(in).payload, large);
  EXPECT_EQ(client.next(in).payload, large);
  EXPECT_EQ(talk(app, bytes + close_1000).size(), 2 * 5004 + 4U) << "the client does not want it";
  EXPECT_EQ(handshake.find("Sec-WebSocket-Extensions"), std::string::npos);
  talk(app, close_1000, "Sec-WebSocket-Extensions: permessage-deflate; =\r\nConnection: close\r\n");
  EXPECT_EQ(status_of(handshake), "HTTP/1.1 400 Bad Request");
}

TEST_F(WebSocketReadingTest, CompressionOptionsOutOfRangeAreRefusedAtTheStart) {
  EXPECT_THROW(Application({}, {.websocket_compression = {.enabled = true, .level = 10}}),
               UsageError);
}

struct Policies : WebSocketHandler {
  void open() {
    set_slow_consumer(SlowConsumer::conflate, 100'000);
    const std::string large(40'000, 'x');
    int sent = 0;
    while (write_message(large) == SendResult::sent && sent < 100) ++sent;
    write_message("old", {.key = "a"});
    lines.push_back(write_message("new", {.key = "a"}) == SendResult::conflated ? "conflated"
                                                                                : "not");
  }
};

TEST_F(WebSocketReadingTest, AHandlerSetsThePolicyForItsClient) {
  Application app({{"/", handler<Policies>}});
  const std::string answer = talk(app, close_1000);
  EXPECT_EQ(take_lines("conflated"), "conflated;");
  EXPECT_EQ(answer.find("old"), std::string::npos);
  EXPECT_NE(answer.find("new"), std::string::npos);
}

}  // namespace
}  // namespace squall::web
