// SPDX-License-Identifier: Apache-2.0
#include "realtime/broker_testing.hpp"
#include "realtime/nats_names.hpp"

#include <squall/base/error.hpp>
#include <squall/realtime/nats_broker.hpp>

namespace squall::realtime {
namespace {

using Texts = std::vector<std::string>;

class NatsFailures : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NatsServer::is_installed()) GTEST_SKIP() << "nats-server is not installed";
  }
  static NatsBrokerOptions options(std::string_view url) {
    return {.url = url,
            .reply_timeout = Duration::from_seconds(10),
            .queue_timeout = Duration::from_seconds(20),
            .backoff_least = Duration::from_milliseconds(5),
            .backoff_most = Duration::from_milliseconds(50)};
  }
};

TEST_F(NatsFailures, ALostServerEndsTheEpochAndTheHistory) {
  NatsServer server;
  const std::string url = server.url();
  TestBroker broker(nats_broker(options(url)));
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  ASSERT_TRUE(broker.publish("c", "1"));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 1; }));
  server.kill();
  ASSERT_TRUE(wait_for([&] { return broker.listener().interruptions() == 1; }));
  Outcome<HistoryPage> asked;  // while it is away: no position that would prove too much
  broker.broker().history("c", {.since = *start}, asked.completion());
  server.start();
  ASSERT_TRUE(wait_for([&] { return broker.listener().restorations() == 1; }));
  const auto page = asked.get();
  ASSERT_TRUE(page);
  EXPECT_FALSE(page->position.has_epoch_of(*start));
  EXPECT_TRUE(page->publications.empty());
  ASSERT_TRUE(broker.publish("c", "2"));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 2; }));
  EXPECT_EQ(broker.listener().of("c").back()->position(), page->position.at(1));
  EXPECT_EQ(broker.listener().interruptions(), 1);
}

TEST_F(NatsFailures, WhatIsPublishedWhileItIsAwayFails) {
  NatsServer server;
  const std::string url = server.url();
  NatsBrokerOptions brief = options(url);
  brief.queue_timeout = Duration::from_milliseconds(300);
  TestBroker broker(nats_broker(brief));
  ASSERT_TRUE(broker.subscribe("c"));
  server.kill();
  ASSERT_TRUE(wait_for([&] { return broker.listener().interruptions() == 1; }));
  EXPECT_EQ(broker.publish("c", "1").error(), RealtimeError::broker_unavailable);
  EXPECT_EQ(broker.subscribe("d").error(), RealtimeError::broker_unavailable);
  EXPECT_EQ(broker.history("e").error(), RealtimeError::broker_unavailable);
  EXPECT_TRUE(broker.unsubscribe("c"));
  server.start();
  ASSERT_TRUE(wait_for([&] { return broker.listener().restorations() == 1; }));
  EXPECT_TRUE(broker.publish("c", "2"));
  EXPECT_EQ(broker.listener().count(), 0u);
}

TEST_F(NatsFailures, WhatAPausedServerWasSentHasAnUnknownOutcome) {
  NatsServer server;
  const std::string url = server.url();
  NatsBrokerOptions brief = options(url);
  brief.reply_timeout = Duration::from_seconds(2);
  brief.queue_timeout = Duration::from_milliseconds(300);
  TestBroker broker(nats_broker(brief));
  ASSERT_TRUE(broker.subscribe("c"));
  server.pause();
  EXPECT_EQ(broker.publish("c", "1").error(), RealtimeError::outcome_unknown);
  ASSERT_TRUE(wait_for([&] { return broker.listener().interruptions() == 1; }));
  server.go_on();
  ASSERT_TRUE(wait_for([&] { return broker.listener().restorations() == 1; }));
  ASSERT_TRUE(wait_for([&] { return broker.publish("c", "2").has_value(); }));
  EXPECT_TRUE(wait_for([&] { return broker.listener().last_text_of("c") == "2"; }));
}

TEST_F(NatsFailures, CallsWaitForAServerThatStartsLate) {
  NatsServer server;
  const std::string url = server.url();
  server.kill();
  TestBroker broker(nats_broker(options(url)));
  Outcome<Position> subscribed;
  broker.broker().subscribe("c", subscribed.completion());
  auto published = broker.start_publish("d", "1");
  server.start();
  EXPECT_TRUE(subscribed.get());
  EXPECT_TRUE(published.get());
  EXPECT_EQ(broker.listener().interruptions(), 0);
  EXPECT_EQ(broker.listener().restorations(), 0);
}

TEST_F(NatsFailures, StopDoesNotWaitForAServerThatIsAway) {
  NatsServer server;
  const std::string url = server.url();
  server.kill();
  TestBroker broker(nats_broker(options(url)));
  auto published = broker.start_publish("c", "1");
  broker.stop();
  ASSERT_TRUE(published.is_there());
  EXPECT_EQ(published.get().error(), RealtimeError::closed);
}

TEST_F(NatsFailures, AChannelLingersForThoseWhoComeBack) {
  NatsServer server;
  const std::string url = server.url();
  NatsBrokerOptions lingering = options(url);
  lingering.linger = Duration::from_milliseconds(500);
  lingering.queue_timeout = Duration::from_seconds(2);
  TestBroker broker(nats_broker(options(url)));
  TestBroker other(nats_broker(options(url)));
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  ASSERT_TRUE(broker.unsubscribe("c"));
  ASSERT_TRUE(other.publish("c", "meanwhile"));
  ASSERT_TRUE(wait_for([&] { return broker.kept("c", {.since = *start}) == Texts{"meanwhile"}; }));
  EXPECT_EQ(broker.listener().count(), 0u);
  // Once it is given up, its positions prove nothing any more.
  TestBroker third(nats_broker(lingering));
  const auto cursor = third.position("d");
  ASSERT_TRUE(cursor);
  ASSERT_TRUE(wait_for([&] {
    ::poll(nullptr, 0, 700);  // asking for the position would keep it
    const auto now = third.position("d");
    return now && !now->has_epoch_of(*cursor);
  }));
}

TEST_F(NatsFailures, ACursorTakenBeforeTheSubscriptionMissesNothing) {
  NatsServer server;
  const std::string url = server.url();
  TestBroker broker(nats_broker(options(url)));
  TestBroker other(nats_broker(options(url)));
  const auto cursor = broker.position("c");
  ASSERT_TRUE(cursor);
  ASSERT_TRUE(other.publish("c", "between"));
  ASSERT_TRUE(broker.subscribe("c"));
  ASSERT_TRUE(wait_for([&] { return broker.kept("c", {.since = *cursor}) == Texts{"between"}; }));
}

TEST_F(NatsFailures, ForgettingReachesTheOtherProcesses) {
  NatsServer server;
  const std::string url = server.url();
  TestBroker a(nats_broker(options(url)));
  TestBroker b(nats_broker(options(url)));
  ASSERT_TRUE(a.subscribe("c"));
  ASSERT_TRUE(b.subscribe("c"));
  ASSERT_TRUE(a.publish("c", "1"));
  ASSERT_TRUE(wait_for([&] { return b.kept("c") == Texts{"1"}; }));
  ASSERT_TRUE(a.remove("c"));
  EXPECT_TRUE(wait_for([&] { return b.kept("c").empty(); }));
}

TEST_F(NatsFailures, APublicationLargerThanTheServerTakesIsRefused) {
  NatsServer server;
  const std::string url = server.url();
  TestBroker broker(nats_broker(options(url)));
  ASSERT_TRUE(broker.subscribe("c"));
  EXPECT_EQ(broker.publish("c", std::string(1100 * 1024, 'x')).error(), RealtimeError::too_large);
  EXPECT_TRUE(broker.publish("c", "small"));
  EXPECT_EQ(broker.listener().interruptions(), 0);
}

TEST_F(NatsFailures, MoreThanTheInboxHoldsIsALossAndIsTold) {
  NatsServer server;
  const std::string url = server.url();
  NatsBrokerOptions narrow = options(url);
  narrow.max_inbox_bytes = 200'000;
  TestBroker broker(nats_broker(narrow));
  TestBroker other(nats_broker(options(url)));
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  // One message alone is too much, so this does not depend on who is faster.
  ASSERT_TRUE(other.publish("c", std::string(500'000, 'x')));
  ASSERT_TRUE(wait_for([&] { return broker.listener().restorations() == 1; }));
  EXPECT_EQ(broker.listener().interruptions(), 1);
  EXPECT_EQ(broker.listener().count(), 0u);
  const auto now = broker.position("c");
  ASSERT_TRUE(now);
  EXPECT_FALSE(now->has_epoch_of(*start));
}

TEST_F(NatsFailures, WrongCredentialsFailAndGoodOnesWork) {
  NatsServer server({"--user", "web", "--pass", "word"});
  const std::string port = std::to_string(server.port());
  const std::string good = "nats://web:word@127.0.0.1:" + port;
  const std::string bad = "nats://web:guess@127.0.0.1:" + port;
  TestBroker broker(nats_broker(options(good)));
  EXPECT_TRUE(broker.publish("c", "1"));
  NatsBrokerOptions brief = options(bad);
  brief.queue_timeout = Duration::from_milliseconds(300);
  TestBroker other(nats_broker(brief));
  EXPECT_EQ(other.publish("c", "1").error(), RealtimeError::broker_unavailable);
}

TEST(NatsNames, HoldAnyChannelInOneToken) {
  EXPECT_EQ(nats_token("chat:room-1"), "chat:room-1");
  EXPECT_EQ(nats_token("a.b *>"), "a=2Eb=20=2A=3E");
  EXPECT_EQ(nats_token("=2E"), "=3D2E");
  EXPECT_EQ(nats_token("$SYS"), "=24SYS");
  EXPECT_EQ(nats_token(std::string("\0\xc3\xa4", 3)), "=00=C3=A4");
}

TEST(NatsBroker, RefusesOptionsThatCannotBeMeant) {
  for (const char* prefix : {"", ".", "a..b", "a.", "a b", "a.*", ">"}) {
    EXPECT_THROW(static_cast<void>(nats_broker({.prefix = prefix})), UsageError) << prefix;
  }
  for (const char* url : {"", "redis://host", "host:4222", "nats://a,b"}) {
    EXPECT_THROW(static_cast<void>(nats_broker({.url = url})), UsageError) << url;
  }
  EXPECT_THROW(static_cast<void>(nats_broker({.connect_timeout = Duration()})), UsageError);
}

}  // namespace
}  // namespace squall::realtime
