// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"
#include "websocket/frame.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/json.hpp>
#include <squall/web/application.hpp>
#include <squall/web/websocket_handler.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace squall::web {
namespace {

using namespace std::chrono_literals;
using websocket::Opcode;

std::string frame(Opcode opcode, std::string_view payload) {
  char head[websocket::max_frame_head_bytes];
  const std::size_t size =
      websocket::encode_masked_frame_head(head, opcode, true, payload.size(), {0, 0, 0, 0});
  return std::string(head, size) + std::string(payload);
}
std::string text(std::string_view payload) { return frame(Opcode::text, payload); }
const std::string close_1000 = frame(Opcode::close, std::string("\x03\xe8", 2));

class WebSocketHandlerTest : public WebTest {
 protected:
  /// The handshake and then `frames` in one go; what comes back after the 101.
  std::string talk(Application& app, std::string_view path, std::string_view frames,
                   std::string_view fields = {}) {
    std::string bytes = "GET " + std::string(path) +
                        " HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    bytes += fields;
    bytes += "\r\n";
    bytes += frames;
    handshake = send(app, bytes, false);
    const std::size_t at = handshake.find("\r\n\r\n");
    const std::string rest = handshake.substr(at + 4);
    handshake.resize(at + 4);
    return rest;
  }
  std::string handshake;
};

struct Log {
  static inline std::vector<std::string> lines;
  static std::string take() {
    std::string all;
    for (const std::string& line : lines) all += line + ";";
    lines.clear();
    return all;
  }
};

struct Plain : WebSocketHandler {
  void open(int number) { Log::lines.push_back("open " + std::to_string(number)); }
  void on_message(std::string_view message, bool binary) {
    Log::lines.push_back((binary ? "binary " : "text ") + std::string(message));
    write_message(message, binary);
  }
  void on_close() { Log::lines.push_back("close " + std::to_string(close_code())); }
};

TEST_F(WebSocketHandlerTest, OpensTalksAndCloses) {
  Application app({{"/{number}", handler<Plain>}});
  const std::string answer =
      talk(app, "/7", text("hi") + frame(Opcode::binary, "\x01") + close_1000);
  EXPECT_TRUE(has_line(handshake, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
      << handshake;
  EXPECT_EQ(answer, std::string("\x81\x02hi\x82\x01\x01\x88\x02\x03\xe8", 11));
  EXPECT_EQ(Log::take(), "open 7;text hi;binary \x01;close 1000;");
}

TEST_F(WebSocketHandlerTest, APathArgumentThatDoesNotFitIsRefusedBeforeTheHandshake) {
  Application app({{"/{number}", handler<Plain>}});
  talk(app, "/x", "", "Connection: close\r\n");
  EXPECT_EQ(status_of(handshake), "HTTP/1.1 404 Not Found");
  talk(app, "/%ff", "", "Connection: close\r\n");
  EXPECT_EQ(status_of(handshake), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Log::take(), "");
}

struct Coroutines : WebSocketHandler {
  Task<> open() {
    co_await sleep(2ms);
    Log::lines.push_back("opened " + std::string(request().header("X-Who")));
  }
  Task<> on_message(std::string message) {
    Log::lines.push_back("begin " + message);
    co_await sleep(2ms);
    Log::lines.push_back("end " + message);
    write_message(json::object{{"echo", message}});
  }
  void on_close() { Log::lines.push_back("close"); }
};

TEST_F(WebSocketHandlerTest, CoroutinesTakeOneMessageAtATime) {
  Application app({{"/", handler<Coroutines>}});
  const std::string answer =
      talk(app, "/", text("1") + text("2") + frame(Opcode::ping, "p") + text("3") + close_1000,
           "X-Who: me\r\n");
  EXPECT_LT(answer.find("\x8a\x01p"), answer.find("echo")) << "the ping waited for a message";
  EXPECT_NE(answer.find(R"({"echo":"3"})"), std::string::npos) << answer;
  EXPECT_EQ(Log::take(), "opened me;begin 1;end 1;begin 2;end 2;begin 3;end 3;close;");
}

struct Ending : WebSocketHandler {
  Task<> on_message(std::string message) {
    co_await sleep(1ms);
    if (message == "end") close(4000, "as you wish");
  }
  void on_close() { Log::lines.push_back(std::to_string(close_code())); }
};

TEST_F(WebSocketHandlerTest, AHandlerMayCloseFromACoroutine) {
  Application app({{"/", handler<Ending>}});
  const std::string answer = talk(app, "/", text("end") + close_1000);
  EXPECT_FALSE(Log::take().empty());
  EXPECT_FALSE(answer.empty());
}

struct Throwing : WebSocketHandler {
  void open() {
    if (request().query() == "open") throw Error("open failed");
  }
  void on_message(std::string_view) { throw Error("message failed"); }
  void on_close() { Log::lines.push_back("close " + std::to_string(close_code())); }
};

TEST_F(WebSocketHandlerTest, ExceptionsCloseWith1011AndAreLogged) {
  Application app({{"/", handler<Throwing>}});
  for (const std::string path : {"/?open", "/?message"}) {
    const std::string answer = talk(app, path, text("x"));
    EXPECT_EQ(answer, std::string("\x88\x02\x03\xf3", 4)) << path;
    EXPECT_EQ(Log::take(), "close 1011;") << path;
  }
  EXPECT_NE(log_text().find("open failed"), std::string::npos);
  EXPECT_NE(log_text().find("message failed"), std::string::npos);
}

struct Keeping : WebSocketHandler {
  void open() {
    if (request().query() == "keep") keep_request();
  }
  void on_message(std::string_view) {
    try {
      write_message(request().header("X-Who"));
    } catch (const UsageError& error) {
      write_message(error.what());
    }
  }
};

TEST_F(WebSocketHandlerTest, TheRequestIsThereAfterOpenOnlyIfItIsKept) {
  Application app({{"/", handler<Keeping>}});
  EXPECT_NE(talk(app, "/?keep", text("x") + close_1000, "X-Who: me\r\n").find("me"),
            std::string::npos);
  EXPECT_NE(talk(app, "/", text("x") + close_1000, "X-Who: me\r\n").find("keep_request()"),
            std::string::npos);
}

struct Choosing : WebSocketHandler {
  std::string_view select_subprotocol(const std::vector<std::string_view>& offered) override {
    return offered.empty() ? "" : offered.back();
  }
  void open() { write_message(selected_subprotocol()); }
};

TEST_F(WebSocketHandlerTest, ASubprotocolIsChosen) {
  Application app({{"/", handler<Choosing>}});
  const std::string answer =
      talk(app, "/", close_1000, "Sec-WebSocket-Protocol: chat, superchat\r\n");
  EXPECT_TRUE(has_line(handshake, "Sec-WebSocket-Protocol: superchat"));
  EXPECT_NE(answer.find("superchat"), std::string::npos);
}

TEST_F(WebSocketHandlerTest, ForeignOriginsAreRefusedUnlessAllowed) {
  Application strict({{"/{number}", handler<Plain>}});
  talk(strict, "/1", "", "Origin: https://evil.example\r\nConnection: close\r\n");
  EXPECT_EQ(status_of(handshake), "HTTP/1.1 403 Forbidden");
  talk(strict, "/1", close_1000, "Origin: http://test\r\n");
  EXPECT_EQ(status_of(handshake), "HTTP/1.1 101 Switching Protocols");
  Application open_minded({{"/{number}", handler<Plain>}},
                          {.websocket_allowed_origins = {"https://good.example"}});
  talk(open_minded, "/1", close_1000, "Origin: https://good.example\r\n");
  EXPECT_EQ(status_of(handshake), "HTTP/1.1 101 Switching Protocols");
  Log::take();
}

TEST_F(WebSocketHandlerTest, APlainRequestIsToldWhatIsMissing) {
  Application app({{"/{number}", handler<Plain>}});
  EXPECT_EQ(status_of(request(app, "GET /1")), "HTTP/1.1 400 Bad Request");
  const std::string post = request(app, "POST /1", {}, "x");
  EXPECT_EQ(status_of(post), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_TRUE(has_line(post, "Allow: GET, HEAD, OPTIONS")) << post;
}

}  // namespace
}  // namespace squall::web
