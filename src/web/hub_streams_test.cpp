// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/json.hpp>
#include <squall/web/application.hpp>
#include <squall/web/hub.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace squall::web {
namespace {

using namespace std::chrono_literals;
using realtime::ChannelOptions;
using realtime::Hub;
using realtime::Position;

/// Clients of a hub's streams and polls.
class HubStreamsTest : public WebTest {
 protected:
  /// Sends a request and reads until `until` is in the answer, the answer is whole, or the end;
  /// then leaves.
  std::string get(std::uint16_t port, std::string_view target, std::string_view until,
                  std::string_view fields = {}) {
    std::string answer;
    std::thread client([&] {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const timeval patience{10, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      std::string bytes = "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n";
      bytes.append(fields).append("Connection: close\r\n\r\n");
      EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(bytes.size()));
      char buffer[4096];
      ssize_t got;
      while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0) {
        answer.append(buffer, static_cast<std::size_t>(got));
        if (!until.empty() && answer.find(until) != std::string::npos) break;
      }
      if (got < 0) answer += "<silent>";
      ::close(fd);
      loop.post([this] { loop.stop(); });
    });
    loop.start();
    client.join();
    return answer;
  }
  /// Published `count` times on "news": "1", "2", ...
  Task<> publish(Hub* hub, int count) {
    for (int i = 1; i <= count; ++i) {
      const std::string text = std::to_string(i);
      co_await hub->publish("news", text);
    }
  }
  Position position(Hub& hub) { return loop.run_sync(hub.position("news")); }

  IOLoop& loop = IOLoop::current();
};

struct News : EventSourceHandler {
  explicit News(Hub& the_hub) : hub(the_hub) {}
  Task<> open() { co_await subscribe(hub, "news"); }
  Hub& hub;
};

TEST_F(HubStreamsTest, AStreamBeginsWithItsPositionAndGoesOnWithWhatIsPublished) {
  Hub hub;
  Application app({{"/", handler<News>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 2));
  const Position before = position(hub);
  loop.call_later(20ms, [&] { hub.publish("news", "a\nb"); });
  const std::string answer = get(port, "/", "data: b\n");
  EXPECT_NE(answer.find("id: " + before.to_string() + "\n\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("id: " + before.at(3).to_string() + "\ndata: a\ndata: b\n\n"),
            std::string::npos)
      << answer;
  EXPECT_EQ(answer.find("recovered"), std::string::npos);
}

TEST_F(HubStreamsTest, AClientThatComesBackGetsWhatItMissedInOrder) {
  Hub hub;
  hub.configure("news", {.history_size = 10});
  Application app({{"/", handler<News>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 4));
  const Position last = position(hub);
  const std::string id = "Last-Event-ID: " + last.at(2).to_string() + "\r\n";
  const std::string answer = get(port, "/", "data: 4\n", id);
  const std::size_t recovered =
      answer.find("event: recovered\ndata: {\"channel\":\"news\",\"missed\":2}\n\n");
  const std::size_t third = answer.find("id: " + last.at(3).to_string() + "\ndata: 3\n\n");
  const std::size_t fourth = answer.find("id: " + last.to_string() + "\ndata: 4\n");
  ASSERT_NE(recovered, std::string::npos) << answer;
  EXPECT_LT(recovered, third);
  EXPECT_LT(third, fourth);
  EXPECT_NE(fourth, std::string::npos) << answer;
  EXPECT_EQ(answer.find("reset"), std::string::npos);
}

TEST_F(HubStreamsTest, AClientIsToldWhenWhatItMissedIsNotToBeHad) {
  Hub hub;
  hub.configure("news", {.history_size = 2});
  Application app({{"/", handler<News>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 5));
  const Position last = position(hub);
  for (const std::string& since :
       {last.at(1).to_string(), std::string("other:5"), std::string("nonsense")}) {
    SCOPED_TRACE(since);
    const std::string answer =
        get(port, "/", "not_recovered\"}\n", "Last-Event-ID: " + since + "\r\n");
    EXPECT_NE(answer.find("event: reset\nid: " + last.to_string() +
                          "\ndata: {\"channel\":\"news\",\"position\":\"" + last.to_string() +
                          "\",\"reason\":\"not_recovered\"}\n\n"),
              std::string::npos)
        << answer;
    EXPECT_EQ(answer.find("data: 5"), std::string::npos);  // all or nothing
  }
}

TEST_F(HubStreamsTest, TheSubscriptionGoesWithTheClient) {
  Hub hub;
  Application app({{"/", handler<News>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  get(port, "/", "\r\n\r\n");
  while (hub.metrics().subscriptions != 0) {
    loop.call_later(1ms, [this] { loop.stop(); });
    loop.start();
  }
}

TEST_F(HubStreamsTest, WhoMayNotSubscribeIsAnswered403) {
  Hub hub;
  hub.set_authorizer([](const realtime::AccessRequest&) { return false; });
  Application app({{"/", handler<News>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(code(get(port, "/", "")), "403");
}

struct TwoChannels : EventSourceHandler {
  explicit TwoChannels(Hub& the_hub) : hub(the_hub) {}
  void open() {
    subscribe(hub, "news");
    subscribe(hub, "other");
    IOLoop::current().call_later(20ms, [this] {
      hub.publish("other", "o");
      hub.publish("other", std::string_view("\xff", 1));
      hub.publish("news", std::string_view("\xff", 1));
      hub.publish("news", "end");
    });
  }
  Hub& hub;
};

TEST_F(HubStreamsTest, ASecondChannelsEventsHaveItsNameAndNoId) {
  Hub hub;
  Application app({{"/", handler<TwoChannels>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  const std::string answer = get(port, "/", "data: end\n");
  EXPECT_NE(answer.find("\nevent: other\ndata: o\n\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\nevent: other\ndata: /w==\n\n"), std::string::npos) << answer;
  const std::string second = position(hub).at(1).to_string();
  EXPECT_NE(answer.find("\nevent: binary\nid: " + second + "\ndata: /w==\n\n"), std::string::npos)
      << answer;
}

// Long polls.

class LongPollTest : public HubStreamsTest {
 protected:
  json::object poll(std::uint16_t port, std::string_view query) {
    answer = get(port, "/poll?" + std::string(query), "");
    return json::parse(body_of(answer)).as_object();
  }
  std::string answer;
};

TEST_F(LongPollTest, WithoutACursorItTellsWhereTheChannelStands) {
  Hub hub;
  Application app({{"/poll", handler<LongPollHandler>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 3));
  const json::object got = poll(port, "channel=news");
  EXPECT_EQ(code(answer), "200");
  EXPECT_EQ(field(answer, "Content-Type"), "application/json");
  EXPECT_EQ(field(answer, "Cache-Control"), "no-store");
  EXPECT_EQ(got.at("position").as_string(), position(hub).to_string());
  EXPECT_TRUE(got.at("messages").as_array().empty());
}

TEST_F(LongPollTest, AnswersAsSoonAsThereIsSomethingAndWithAllThatCameAfterTheCursor) {
  Hub hub;
  hub.configure("news", {.history_size = 10});
  Application app({{"/poll", handler<LongPollHandler>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 3));
  const Position last = position(hub);
  json::object got = poll(port, "channel=news&cursor=" + last.at(1).to_string());
  EXPECT_TRUE(got.at("recovered").as_bool());
  ASSERT_EQ(got.at("messages").as_array().size(), 2U);
  EXPECT_EQ(json::serialize(got.at("messages").as_array()[0]),
            R"({"channel":"news","position":")" + last.at(2).to_string() + R"(","data":"2"})");

  loop.call_later(20ms, [&] { hub.publish("news", std::string_view("\0\xff", 2)); });
  got = poll(port, "channel=news&timeout=10&cursor=" + last.to_string());
  ASSERT_EQ(got.at("messages").as_array().size(), 1U);
  EXPECT_EQ(got.at("messages").as_array()[0].at("base64").as_string(), "AP8=");
  EXPECT_EQ(got.at("position").as_string(), last.at(4).to_string());
}

TEST_F(LongPollTest, IsEmptyWhenTheTimeIsUpAndTheCursorStays) {
  Hub hub;
  Application app({{"/poll", handler<LongPollHandler>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 1));
  const json::object got =
      poll(port, "channel=news&timeout=0.01&cursor=" + position(hub).to_string());
  EXPECT_TRUE(got.at("recovered").as_bool());
  EXPECT_EQ(got.at("position").as_string(), position(hub).to_string());
  EXPECT_TRUE(got.at("messages").as_array().empty());
}

TEST_F(LongPollTest, SaysWhenSomethingMayBeMissing) {
  Hub hub;
  Application app({{"/poll", handler<LongPollHandler>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 3));
  const json::object got = poll(port, "channel=news&cursor=other:1");
  EXPECT_FALSE(got.at("recovered").as_bool());
  EXPECT_EQ(got.at("position").as_string(), position(hub).to_string());
}

TEST_F(LongPollTest, RefusesWhatItCannotDoInJSON) {
  Hub hub;
  hub.set_authorizer(
      [](const realtime::AccessRequest& request) { return request.channel != "secret"; });
  Application app({{"/poll", handler<LongPollHandler>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  const auto refused = [&](std::string_view query) {
    const json::object got = poll(port, query);
    return code(answer) + " " + std::string(got.at("error").at("code").as_string());
  };
  EXPECT_EQ(refused("channel=secret"), "403 forbidden");
  EXPECT_EQ(refused("channel=news&cursor=nonsense"), "400 bad_request");
  EXPECT_EQ(refused("channel=news&timeout=soon"), "400 bad_request");
  EXPECT_EQ(refused("channel=news&limit=-1"), "400 bad_request");
  EXPECT_EQ(refused("cursor=a:1&channel=" + std::string(300, 'x')), "400 invalid_channel");
  EXPECT_EQ(code(get(port, "/poll", "")), "400");
}

TEST_F(LongPollTest, ShuttingDownAnswersThoseWhoWait) {
  Hub hub;
  Application app({{"/poll", handler<LongPollHandler>(std::ref(hub))}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(publish(&hub, 1));
  loop.call_later(20ms, [&] { app.shutdown(); });
  const json::object got =
      poll(port, "channel=news&timeout=30&cursor=" + position(hub).to_string());
  EXPECT_EQ(code(answer), "200");
  EXPECT_TRUE(got.at("recovered").as_bool());
  run_until_shut_down();
}

}  // namespace
}  // namespace squall::web
