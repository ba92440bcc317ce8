// SPDX-License-Identifier: Apache-2.0
#include "realtime/broker_testing.hpp"

#include <squall/realtime/redis_broker.hpp>

#include <cstdint>

namespace squall::realtime {
namespace {

using Texts = std::vector<std::string>;

class RedisFailures : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::is_installed()) GTEST_SKIP() << "redis-server is not installed";
  }
  /// Patient with calls, quick to come back.
  static RedisBrokerOptions options(std::string_view url) {
    return {.url = url,
            .reply_timeout = Duration::from_seconds(10),
            .queue_timeout = Duration::from_seconds(20),
            .backoff_least = Duration::from_milliseconds(5),
            .backoff_most = Duration::from_milliseconds(50)};
  }
  static bool interrupted(TestBroker& broker) {
    return wait_for([&] { return broker.listener().interruptions() == 1; });
  }
  static bool restored(TestBroker& broker) {
    return wait_for([&] { return broker.listener().restorations() == 1; });
  }
  static Result<Position> subscribe_and_publish(TestBroker& broker, int count) {
    Result<Position> position = broker.subscribe("c");
    EXPECT_TRUE(position) << position.error().message();
    for (int i = 1; i <= count; ++i) position = broker.publish("c", std::to_string(i));
    EXPECT_TRUE(position) << position.error().message();
    return position;
  }
};

TEST_F(RedisFailures, AServerThatLostItsDataBeginsANewEpoch) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  const auto before = subscribe_and_publish(broker, 3);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->offset(), 3u);
  server.kill();
  ASSERT_TRUE(interrupted(broker));
  server.start();
  ASSERT_TRUE(restored(broker));
  const auto page = broker.history("c", {.since = *before});
  ASSERT_TRUE(page);
  EXPECT_FALSE(page->position.has_epoch_of(*before));
  EXPECT_TRUE(page->publications.empty());
  const auto after = broker.publish("c", "4");
  ASSERT_TRUE(after) << after.error().message();
  EXPECT_EQ(*after, page->position.at(1));
  ASSERT_TRUE(wait_for([&] { return broker.listener().last_text_of("c") == "4"; }));
  EXPECT_EQ(broker.listener().of("c").back()->position(), *after);
  EXPECT_EQ(broker.listener().interruptions(), 1);
}

TEST_F(RedisFailures, AnOlderSnapshotBeginsANewEpoch) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  const auto saved = subscribe_and_publish(broker, 3);
  ASSERT_TRUE(saved);
  ASSERT_NE(server.ask({"SAVE"}).find("OK"), std::string::npos);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(broker.publish("c", "lost with the server"));
  server.kill();
  ASSERT_TRUE(interrupted(broker));
  server.start();
  ASSERT_TRUE(restored(broker));
  // The snapshot has offset 3: without a new epoch 4 would be given to something else.
  ASSERT_NE(server.ask({"HGET", "squall:meta:c", "offset"}).find("3"), std::string::npos);
  const auto after = broker.publish("c", "new");
  ASSERT_TRUE(after);
  EXPECT_FALSE(after->has_epoch_of(*saved));
  EXPECT_EQ(broker.kept("c"), Texts{"new"});
}

TEST_F(RedisFailures, ADurableServerKeepsEpochsAndHistoriesOverARestart) {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  const std::string url = server.url();
  RedisBrokerOptions durable = options(url);
  durable.durable = true;
  TestBroker broker(redis_broker(durable));
  const auto before = subscribe_and_publish(broker, 3);
  ASSERT_TRUE(before);
  server.kill();
  ASSERT_TRUE(interrupted(broker));
  server.start();
  ASSERT_TRUE(restored(broker));
  const auto after = broker.publish("c", "4");
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, before->at(4));
  EXPECT_EQ(broker.kept("c"), (Texts{"1", "2", "3", "4"}));
}

TEST_F(RedisFailures, FlushedOrEvictedKeysAreNoticed) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  const auto first = subscribe_and_publish(broker, 3);
  ASSERT_TRUE(first);
  ASSERT_NE(server.ask({"FLUSHALL"}).find("OK"), std::string::npos);
  const auto second = broker.publish("c", "after FLUSHALL");
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->has_epoch_of(*first));
  EXPECT_EQ(second->offset(), 1u);

  ASSERT_TRUE(broker.publish("c", "more"));
  ASSERT_NE(server.ask({"DEL", "squall:meta:c"}).find(":1"), std::string::npos);
  const auto third = broker.publish("c", "without its meta");
  ASSERT_TRUE(third);
  EXPECT_FALSE(third->has_epoch_of(*second));
  EXPECT_EQ(broker.kept("c"), Texts{"without its meta"});

  ASSERT_TRUE(broker.publish("c", "kept until now"));
  ASSERT_NE(server.ask({"DEL", "squall:stream:c"}).find(":1"), std::string::npos);
  const auto fourth = broker.publish("c", "behind a hole");
  ASSERT_TRUE(fourth);
  EXPECT_EQ(*fourth, third->at(3));
  const auto page = broker.history("c", {.since = third->at(1)});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->publications.size(), 1u);  // 2 is missing, and its absence shows
  EXPECT_EQ(page->publications[0]->position(), third->at(3));
}

TEST_F(RedisFailures, ABrokenSubscriberIsAnInterruptionThatHistoryHeals) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  ASSERT_TRUE(broker.subscribe("quiet"));
  const auto before = subscribe_and_publish(broker, 2);
  ASSERT_TRUE(before);
  for (int round = 1; round <= 3; ++round) {
    ASSERT_NE(server.ask({"CLIENT", "KILL", "TYPE", "pubsub"}).find(":1"), std::string::npos);
    ASSERT_TRUE(wait_for([&] { return broker.listener().restorations() == round; }));
    EXPECT_EQ(broker.listener().interruptions(), round);
  }
  const auto after = broker.publish("c", "3");
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, before->at(3));
  ASSERT_TRUE(wait_for([&] { return broker.listener().last_text_of("c") == "3"; }));
  ASSERT_TRUE(broker.publish("quiet", "still there"));
  ASSERT_TRUE(wait_for([&] { return broker.listener().of("quiet").size() == 1; }));
  EXPECT_EQ(broker.kept("c", {.since = *before}), Texts{"3"});
}

TEST_F(RedisFailures, BrokenCommandsAloneInterruptNobody) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  ASSERT_TRUE(subscribe_and_publish(broker, 1));
  ASSERT_NE(server.ask({"CLIENT", "KILL", "TYPE", "normal"}).find(":1"), std::string::npos);
  ASSERT_TRUE(wait_for([&] { return broker.publish("c", "again").has_value(); }));
  ASSERT_TRUE(wait_for([&] { return broker.listener().last_text_of("c") == "again"; }));
  EXPECT_EQ(broker.listener().interruptions(), 0);
}

TEST_F(RedisFailures, WhatAPausedServerWasSentHasAnUnknownOutcomeAndTheRestAnError) {
  RedisServer server;
  const std::string url = server.url();
  RedisBrokerOptions brief = options(url);
  brief.reply_timeout = Duration::from_seconds(2);
  brief.connect_timeout = Duration::from_seconds(2);
  brief.queue_timeout = Duration::from_milliseconds(300);
  brief.ping_interval = Duration::from_seconds(1);
  TestBroker broker(redis_broker(brief));
  ASSERT_TRUE(subscribe_and_publish(broker, 1));
  server.pause();
  auto sent = broker.start_publish("c", "sent");
  EXPECT_EQ(sent.get().error(), RealtimeError::outcome_unknown);
  EXPECT_EQ(broker.publish("c", "not sent").error(), RealtimeError::broker_unavailable);
  ASSERT_TRUE(interrupted(broker));  // a PING found that out
  EXPECT_EQ(broker.subscribe("d").error(), RealtimeError::broker_unavailable);
  server.go_on();
  ASSERT_TRUE(restored(broker));
  ASSERT_TRUE(wait_for([&] { return broker.publish("c", "after").has_value(); }));
  ASSERT_TRUE(wait_for([&] { return broker.listener().last_text_of("c") == "after"; }));
  for (const std::string& text : broker.kept("c")) EXPECT_NE(text, "not sent");
  EXPECT_TRUE(broker.subscribe("d"));
}

TEST_F(RedisFailures, CallsWaitForAServerThatStartsLate) {
  RedisServer server;
  const std::string url = server.url();
  server.kill();
  TestBroker broker(redis_broker(options(url)));
  Outcome<Position> subscribed;
  broker.broker().subscribe("c", subscribed.completion());
  Outcome<HistoryPage> page;
  broker.broker().history("c", {}, page.completion());
  auto published = broker.start_publish("d", "1");
  server.start();
  EXPECT_TRUE(subscribed.get());
  EXPECT_TRUE(page.get());
  EXPECT_TRUE(published.get());
  EXPECT_EQ(broker.listener().interruptions(), 0);
  EXPECT_EQ(broker.listener().restorations(), 0);
  ASSERT_TRUE(broker.publish("c", "2"));
  EXPECT_TRUE(wait_for([&] { return broker.listener().count() == 1; }));
}

TEST_F(RedisFailures, StopDoesNotWaitForAServerThatIsAway) {
  RedisServer server;
  const std::string url = server.url();
  server.kill();
  TestBroker broker(redis_broker(options(url)));
  auto published = broker.start_publish("c", "1");
  Outcome<Position> subscribed;
  broker.broker().subscribe("c", subscribed.completion());
  broker.stop();
  ASSERT_TRUE(published.is_there());
  EXPECT_EQ(published.get().error(), RealtimeError::closed);
  ASSERT_TRUE(subscribed.is_there());
  EXPECT_EQ(subscribed.get().error(), RealtimeError::closed);
}

TEST_F(RedisFailures, TheQueueHasItsLimits) {
  RedisServer server;
  const std::string url = server.url();
  server.kill();
  RedisBrokerOptions small = options(url);
  small.max_queue_calls = 10;
  small.max_queue_bytes = 100'000;
  TestBroker broker(redis_broker(small));
  std::vector<Outcome<Position>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(broker.start_publish("c", "small"));
  EXPECT_EQ(broker.publish("c", "one more").error(), RealtimeError::busy);
  server.start();
  for (auto& one : waiting) EXPECT_TRUE(one.get());
  EXPECT_EQ(broker.publish("c", std::string(100'000, 'x')).error(), RealtimeError::busy);
  EXPECT_TRUE(broker.publish("c", std::string(50'000, 'x')));
}

TEST_F(RedisFailures, ASubscriberThatTheServerCutsOffIsInterrupted) {
  RedisServer server({"--client-output-buffer-limit", "pubsub 1mb 0 0"});
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  ASSERT_TRUE(subscribe_and_publish(broker, 1));
  // More in one step of the server than it lets wait for one subscriber.
  static_cast<void>(
      server.ask({"EVAL", "for i = 1, 64 do redis.call('PUBLISH', KEYS[1], ARGV[1]) end", "1",
                  "squall:topic:c", std::string(64 * 1024, 'x')}));
  ASSERT_TRUE(interrupted(broker));
  ASSERT_TRUE(restored(broker));
  ASSERT_TRUE(broker.publish("c", "after"));
  EXPECT_TRUE(wait_for([&] { return broker.listener().last_text_of("c") == "after"; }));
}

TEST_F(RedisFailures, ForgottenScriptsAreSentAgainInOrder) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  std::vector<Outcome<Position>> published;
  for (int i = 0; i < 2000; ++i) {
    published.push_back(broker.start_publish("c", std::to_string(i)));
    if (i % 400 == 100) {
      ASSERT_NE(server.ask({"SCRIPT", "FLUSH"}).find("OK"), std::string::npos);
    }
  }
  for (std::size_t i = 0; i < published.size(); ++i) {
    const auto position = published[i].get();
    ASSERT_TRUE(position) << position.error().message();
    EXPECT_EQ(position->offset(), i + 1);
  }
}

TEST_F(RedisFailures, AServerThatKeepsNoScriptsIsNotAskedForEver) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  ASSERT_TRUE(subscribe_and_publish(broker, 1));
  ASSERT_NE(server.ask({"ACL", "SETUSER", "default", "-script|load"}).find("OK"), std::string::npos);
  ASSERT_NE(server.ask({"SCRIPT", "FLUSH"}).find("OK"), std::string::npos);
  EXPECT_EQ(broker.publish("c", "no script").error(), RealtimeError::refused);
  ASSERT_NE(server.ask({"ACL", "SETUSER", "default", "+script|load"}).find("OK"), std::string::npos);
  EXPECT_TRUE(broker.publish("c", "script"));
}

TEST_F(RedisFailures, ARefusalIsAnErrorAndNotALoss) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  const auto before = subscribe_and_publish(broker, 1);
  ASSERT_TRUE(before);
  ASSERT_NE(server.ask({"CONFIG", "SET", "maxmemory", "1"}).find("OK"), std::string::npos);
  EXPECT_EQ(broker.publish("c", "no memory").error(), RealtimeError::refused);
  ASSERT_NE(server.ask({"CONFIG", "SET", "maxmemory", "0"}).find("OK"), std::string::npos);
  const auto after = broker.publish("c", "memory");
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, before->at(2));
}

TEST_F(RedisFailures, PasswordsAreGivenAndWrongOnesFail) {
  RedisServer server({"--requirepass", "secret word"});
  const std::string good = "unix://:secret%20word@" + server.socket_path() + "?db=2";
  TestBroker broker(redis_broker(options(good)));
  EXPECT_TRUE(subscribe_and_publish(broker, 1));
  const std::string bad = "unix://default:wrong@" + server.socket_path();
  RedisBrokerOptions brief = options(bad);
  brief.queue_timeout = Duration::from_milliseconds(200);
  TestBroker other(redis_broker(brief));
  EXPECT_EQ(other.publish("c", "1").error(), RealtimeError::broker_unavailable);
  EXPECT_EQ(other.subscribe("c").error(), RealtimeError::broker_unavailable);
}

TEST_F(RedisFailures, ARefusedSubscriptionFailsAlone) {
  RedisServer server;
  ASSERT_NE(server
                .ask({"ACL", "SETUSER", "web", "on", ">pw", "+@all", "~*", "resetchannels",
                      "&squall:topic:open*"})
                .find("OK"),
            std::string::npos);
  const std::string url = "unix://web:pw@" + server.socket_path();
  TestBroker broker(redis_broker(options(url)));
  ASSERT_TRUE(broker.subscribe("open1"));
  EXPECT_EQ(broker.subscribe("other").error(), RealtimeError::refused);
  ASSERT_TRUE(broker.subscribe("open2"));
  ASSERT_TRUE(broker.publish("open1", "1"));
  EXPECT_TRUE(wait_for([&] { return broker.listener().count() == 1; }));
  EXPECT_EQ(broker.listener().interruptions(), 0);
}

TEST_F(RedisFailures, WhatOthersSendOnATopicIsIgnored) {
  RedisServer server;
  const std::string url = server.url();
  TestBroker broker(redis_broker(options(url)));
  ASSERT_TRUE(broker.subscribe("c"));
  for (const char* text : {"", "x", "e:1", "e:1 ", "e:1 1", "e:1 1mt9.0.0;", "e:x 1mt0.0.0;",
                           "e:1 2mt0.0.0;new version", "e:1 1mt0.0;"}) {
    ASSERT_NE(server.ask({"PUBLISH", "squall:topic:c", text}).find(":1"), std::string::npos);
  }
  ASSERT_TRUE(broker.publish("c", "ours"));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() > 0; }));
  EXPECT_EQ(broker.listener().texts_of("c"), Texts{"ours"});
}

TEST_F(RedisFailures, PrefixesAndDatabasesKeepProgramsApart) {
  const std::uint16_t port = free_port();
  RedisServer server({"--port", std::to_string(port), "--bind", "127.0.0.1"});
  const std::string url = "redis://127.0.0.1:" + std::to_string(port) + "/3";
  RedisBrokerOptions one = options(url);
  RedisBrokerOptions two = options(url);
  one.prefix = "one:";
  two.prefix = "two:";
  TestBroker a(redis_broker(one));
  TestBroker b(redis_broker(two));
  ASSERT_TRUE(a.subscribe("c"));
  ASSERT_TRUE(b.subscribe("c"));
  ASSERT_TRUE(a.publish("c", "from a"));
  ASSERT_TRUE(b.publish("c", "from b"));
  ASSERT_TRUE(wait_for([&] { return a.listener().count() + b.listener().count() >= 2; }));
  EXPECT_EQ(a.listener().texts_of("c"), Texts{"from a"});
  EXPECT_EQ(b.listener().texts_of("c"), Texts{"from b"});
  EXPECT_EQ(a.kept("c"), Texts{"from a"});
  EXPECT_NE(server.ask({"DBSIZE"}).find(":0"), std::string::npos);  // all is in database 3
}

TEST(RedisBroker, RefusesOptionsThatCannotBeMeant) {
  EXPECT_THROW(static_cast<void>(redis_broker({.url = "http://host"})), UsageError);
  EXPECT_THROW(static_cast<void>(redis_broker({.reply_timeout = Duration()})), UsageError);
}

}  // namespace
}  // namespace squall::realtime
