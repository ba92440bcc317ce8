// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"
#include "websocket/frame.hpp"

#include <squall/json.hpp>
#include <squall/web/application.hpp>
#include <squall/web/hub.hpp>

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

using namespace std::chrono_literals;
using realtime::Hub;
using websocket::Opcode;

/// Speaks the protocol of HubSocketHandler with plain sockets.
class HubSocketTest : public WebTest {
 protected:
  struct Step {
    std::string send;   // a command; "" for none
    std::string until;  // what is waited for in what comes
  };

  static std::string frame(Opcode opcode, std::string_view payload) {
    char head[websocket::max_frame_head_bytes];
    const std::size_t size =
        websocket::encode_masked_frame_head(head, opcode, true, payload.size(), {0, 0, 0, 0});
    return std::string(head, size) + std::string(payload);
  }

  /// The texts of the frames that came in the course of the steps, joined by line breaks.
  std::string talk(Application& app, const std::vector<Step>& steps) {
    const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
    std::string received;
    std::thread client([&] {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const timeval patience{10, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      const std::string handshake =
          "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
      ::send(fd, handshake.data(), handshake.size(), MSG_NOSIGNAL);
      std::size_t seen = 0;
      char buffer[4096];
      for (const Step& step : steps) {
        if (!step.send.empty()) {
          const std::string bytes = frame(Opcode::text, step.send);
          ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        }
        std::size_t found;
        while ((found = received.find(step.until, seen)) == std::string::npos) {
          const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
          if (got <= 0) {
            ADD_FAILURE() << "nothing came for " << step.until << " but\n" << received;
            break;
          }
          received.append(buffer, static_cast<std::size_t>(got));
        }
        if (found == std::string::npos) break;
        seen = found + step.until.size();
      }
      ::close(fd);
      loop.post([this] { loop.stop(); });
    });
    loop.start();
    client.join();
    return received;
  }

  IOLoop& loop = IOLoop::current();
};

struct Ada : HubSocketHandler {
  using HubSocketHandler::HubSocketHandler;
  std::string user() override { return "ada"; }
  std::string info() override { return "{\"colour\":\"red\"}"; }
};

TEST_F(HubSocketTest, GreetsSubscribesPublishesAndPushes) {
  Hub hub;
  Application app(
      {{"/", handler<HubSocketHandler>(std::ref(hub), HubSocketOptions{.publish = true})}});
  talk(app,
       {{"", R"({"push":"hello","client":")"},
        {R"({"id":1,"command":"subscribe","channel":"news"})", R"({"id":1,"ok":{"channel":"news")"},
        {"", R"("recovered":false,"missed":0}})"},
        {R"({"id":"x","command":"publish","channel":"news","data":"h\"i"})",
         R"({"push":"message","channel":"news","position":")"},
        {"", R"("data":"h\"i"})"},
        {R"({"id":3,"command":"publish","channel":"news","data":{"a":[1]}})",
         R"("data":"{\"a\":[1]}"})"},
        {R"({"id":4,"command":"unsubscribe","channel":"news"})", R"({"id":4,"ok":{}})"},
        {R"({"id":5,"command":"unsubscribe","channel":"news"})",
         R"({"id":5,"error":{"code":"not_subscribed")"},
        {R"({"id":6,"command":"ping"})", R"({"id":6,"ok":{}})"}});
}

TEST_F(HubSocketTest, RecoversOrSaysThatItDidNot) {
  Hub hub;
  hub.configure("news", {.history_size = 3});
  for (int i = 1; i <= 5; ++i) {
    const std::string text = std::to_string(i);
    hub.publish("news", text);
  }
  const realtime::Position last = loop.run_sync(hub.position("news"));
  Application app({{"/", handler<HubSocketHandler>(std::ref(hub))}});
  const auto subscribe = [](const std::string& since) {
    return R"({"id":1,"command":"subscribe","channel":"news","since":")" + since + "\"}";
  };
  talk(app, {{subscribe(last.at(3).to_string()),
              "\"" + last.to_string() + R"(","recovered":true,"missed":2}})"},
             {"", R"("data":"4"})"},
             {"", R"("data":"5"})"}});
  for (const std::string& since : {last.at(1).to_string(), std::string("x:1"), std::string("?")}) {
    const std::string all = talk(
        app, {{subscribe(since), "\"" + last.to_string() + R"(","recovered":false,"missed":0}})"}});
    EXPECT_EQ(all.find("\"data\""), std::string::npos);
  }
}

TEST_F(HubSocketTest, RefusalsNameTheirReason) {
  Hub hub;
  hub.set_authorizer([](const realtime::AccessRequest& request) {
    return request.channel != "secret" && request.user == "ada";
  });
  Application app({{"/", handler<Ada>(std::ref(hub))}});
  talk(app, {{R"({"id":1,"command":"subscribe","channel":"secret"})",
              R"({"id":1,"error":{"code":"forbidden")"},
             {R"({"id":2,"command":"publish","channel":"news","data":"x"})",
              R"({"id":2,"error":{"code":"not_supported")"},
             {R"({"id":3,"command":"dance","channel":"news"})",
              R"({"id":3,"error":{"code":"unknown_command")"},
             {R"({"id":4,"command":"subscribe"})", R"({"id":4,"error":{"code":"bad_request")"},
             {"[1]", R"({"id":null,"error":{"code":"bad_request")"},
             {"{", R"({"id":null,"error":{"code":"bad_request")"},
             {R"({"id":[1],"command":"ping"})", R"({"id":null,"error":{"code":"bad_request")"},
             {R"({"id":5,"command":"subscribe","channel":"a"})", R"({"id":5,"ok")"},
             {R"({"id":6,"command":"subscribe","channel":"a"})",
              R"({"id":6,"error":{"code":"already_subscribed")"}});
}

TEST_F(HubSocketTest, AnswersHistoryAndPresence) {
  Hub hub;
  hub.configure("news", {.history_size = 3, .presence = true});
  hub.publish("news", "old");
  hub.publish("news", "new");
  const realtime::Position last = loop.run_sync(hub.position("news"));
  Application app({{"/", handler<Ada>(std::ref(hub))}});
  talk(app, {{R"({"id":1,"command":"subscribe","channel":"news"})", R"({"id":1,"ok")"},
             {R"({"id":2,"command":"presence","channel":"news"})",
              R"("user":"ada","info":"{\"colour\":\"red\"}"}],"truncated":false}})"},
             {R"({"id":3,"command":"history","channel":"news","limit":1,"reverse":true})",
              R"({"id":3,"ok":{"position":")" + last.to_string() +
                  R"(","messages":[{"channel":"news","position":")" + last.to_string() +
                  R"(","data":"new"}]}})"},
             {R"({"id":4,"command":"history","channel":"news","since":"?"})",
              R"({"id":4,"error":{"code":"bad_request")"}});
}

TEST_F(HubSocketTest, TooManyAndTooLongCommandsAreRefused) {
  Hub hub;
  Application app(
      {{"/", handler<HubSocketHandler>(std::ref(hub), HubSocketOptions{.max_message_bytes = 100,
                                                                       .commands_a_second = 0,
                                                                       .command_burst = 2})}});
  const std::string ping = R"({"id":1,"command":"ping"})";
  talk(app, {{ping, R"({"id":1,"ok":{}})"},
             {ping, R"({"id":1,"ok":{}})"},
             {ping, R"({"id":1,"error":{"code":"too_many_commands")"},
             {std::string(101, ' '), std::string("\x03\xf1", 2)}});  // 1009
}

TEST_F(HubSocketTest, ServesTheBrowsersSideWithAnEtag) {
  Application app({{"/squall-realtime.js", handler<HubScriptHandler>}});
  const std::string answer = request(app, "GET /squall-realtime.js");
  EXPECT_EQ(code(answer), "200");
  EXPECT_EQ(field(answer, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_NE(body_of(answer).find("export class Realtime"), std::string::npos);
  const std::string etag = field(answer, "Etag");
  EXPECT_EQ(code(request(app, "GET /squall-realtime.js", "If-None-Match: " + etag + "\r\n")),
            "304");
}

}  // namespace
}  // namespace squall::web
