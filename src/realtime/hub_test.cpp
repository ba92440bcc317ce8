// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_testing.hpp"
#include "realtime/scripted_broker_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/realtime/hub.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace squall::realtime {
namespace {

template <class T>
T wait(Task<T> task) {
  return IOLoop::current().run_sync(std::move(task), Duration::from_seconds(20));
}

Task<Subscribed> subscribed(Hub& hub, Subscriber& subscriber, std::string channel,
                            Position since = {}) {
  SubscribeOptions options;
  options.since = since;
  const Subscribed answer = co_await hub.subscribe(subscriber, channel, options);
  co_return answer;
}

Task<PublishResult> published(Hub& hub, std::string channel, std::string data) {
  const PublishResult result = co_await hub.publish(channel, data);
  co_return result;
}

Task<std::error_code> refused(Hub& hub, Subscriber& subscriber, std::string channel) {
  const Result<Subscribed> result = co_await hub.try_subscribe(subscriber, channel);
  co_return result.error();
}

Task<std::error_code> unpublished(Hub& hub, std::string channel, std::string data,
                                  PublishOptions options = {}) {
  const Result<PublishResult> result = co_await hub.try_publish(channel, data, options);
  co_return result.error();
}

TEST(Hub, EachSubscriberGetsEachPublicationOnce) {
  Hub hub;
  Recorder one;
  Recorder two;
  EXPECT_EQ(wait(subscribed(hub, one, "a")).position.offset(), 0U);
  hub.subscribe(two, "a");
  hub.subscribe(two, "b");
  turns();
  const PublishResult result = wait(published(hub, "a", "1"));
  EXPECT_EQ(result.position.offset(), 1U);
  EXPECT_TRUE(result.counted);
  EXPECT_EQ(result.queued, 2U);
  EXPECT_EQ(wait(published(hub, "b", "2")).queued, 1U);
  EXPECT_EQ(wait(published(hub, "nobody", "3")).queued, 0U);
  EXPECT_EQ(one.seen, (Seen{"+a", "a:1"}));
  EXPECT_EQ(two.seen, (Seen{"+a", "+b", "a:1", "b:2"}));
}

TEST(Hub, ThePublisherIsToldWhatSlowSubscribersDropped) {
  Hub hub;
  Recorder slow;
  Recorder fast;
  slow.delivery = Delivery::dropped;
  hub.subscribe(slow, "a");
  hub.subscribe(fast, "a");
  turns();
  const PublishResult result = wait(published(hub, "a", "1"));
  EXPECT_EQ(result.queued, 1U);
  EXPECT_EQ(result.dropped, 1U);
}

TEST(Hub, ThePolicyOfTheChannelOrTheSubscriptionIsHandedOn) {
  Hub hub;
  ChannelOptions options;
  options.slow_consumer = SlowConsumer::conflate;
  hub.configure("a", options);
  Recorder one;
  Recorder two;
  hub.subscribe(one, "a");
  hub.subscribe(two, "a", {.slow_consumer = SlowConsumer::drop_oldest, .own_slow_consumer = true});
  hub.publish("a", "1", {.key = "k"});
  turns();
  hub.publish("a", "2");
  turns();
  EXPECT_EQ(one.policies, std::vector{SlowConsumer::conflate});
  EXPECT_EQ(two.policies, std::vector{SlowConsumer::drop_oldest});
}

TEST(Hub, NothingComesAfterUnsubscribe) {
  Hub hub;
  Recorder one;
  hub.subscribe(one, "a");
  turns();
  hub.publish("a", "1");
  EXPECT_TRUE(hub.unsubscribe(one, "a"));  // before it is handed round
  EXPECT_FALSE(hub.unsubscribe(one, "a"));
  turns();
  EXPECT_EQ(one.seen, Seen{"+a"});
  EXPECT_EQ(one.channel_count(), 0U);
  hub.subscribe(one, "a");
  turns();
  hub.publish("a", "2");
  turns();
  EXPECT_EQ(one.seen, (Seen{"+a", "+a", "a:2"}));
}

TEST(Hub, OneWhoComesBackGetsWhatItMissedBeforeWhatIsLive) {
  Hub hub;
  hub.configure("*", keeping(10));
  Recorder first;
  hub.subscribe(first, "a");
  turns();
  const Position seen = wait(published(hub, "a", "1")).position;
  hub.publish("a", "2");
  hub.publish("a", "3");
  turns();
  Recorder back;
  hub.subscribe(back, "a", {.since = seen});
  hub.publish("a", "4");
  turns();
  hub.publish("a", "5");
  turns();
  ASSERT_EQ(back.answers.size(), 1U);
  EXPECT_TRUE(back.answers[0].recovered);
  EXPECT_EQ(back.seen, (Seen{"+a", "a:2", "a:3", "a:4", "a:5"}));
}

TEST(Hub, RecoveryIsAllOrNothing) {
  Hub hub;
  hub.configure("*", keeping(2));
  const Position first = wait(published(hub, "a", "1")).position;
  for (const char* const data : {"2", "3", "4"}) hub.publish("a", data);
  Recorder back;
  const Subscribed answer = wait(subscribed(hub, back, "a", first));
  EXPECT_FALSE(answer.recovered);
  EXPECT_EQ(answer.missed, 0U);
  EXPECT_EQ(answer.position, first.at(4));
  EXPECT_EQ(back.seen, Seen{"+a"});
  Recorder later;
  EXPECT_TRUE(wait(subscribed(hub, later, "a", first.at(2))).recovered);
  EXPECT_EQ(later.seen, (Seen{"+a", "a:3", "a:4"}));
  Recorder stranger;
  EXPECT_FALSE(wait(subscribed(hub, stranger, "a", Position("other", 4))).recovered);
  Recorder dreamer;
  EXPECT_FALSE(wait(subscribed(hub, dreamer, "a", first.at(9))).recovered);
}

TEST(Hub, AtMostThreeHundredAreHandedOver) {
  Hub hub;
  hub.configure("*", keeping(1000));
  const Position start = wait(hub.position("a"));
  for (int i = 1; i <= 301; ++i) hub.publish("a", std::to_string(i));
  Recorder too_late;
  EXPECT_FALSE(wait(subscribed(hub, too_late, "a", start)).recovered);
  EXPECT_EQ(too_late.seen.size(), 1U);
  Recorder in_time;
  const Subscribed answer = wait(subscribed(hub, in_time, "a", start.at(1)));
  EXPECT_TRUE(answer.recovered);
  EXPECT_EQ(answer.missed, 300U);
  EXPECT_EQ(in_time.seen.back(), "a:301");
}

TEST(Hub, WithoutAHistoryOnlyOneWhoMissedNothingIsRecovered) {
  Hub hub;
  Recorder one;
  hub.subscribe(one, "a");
  turns();
  const Position seen = wait(published(hub, "a", "1")).position;
  Recorder two;
  EXPECT_TRUE(wait(subscribed(hub, two, "a", seen)).recovered);
  hub.publish("a", "2");
  turns();
  Recorder three;
  EXPECT_FALSE(wait(subscribed(hub, three, "a", seen)).recovered);
}

TEST(Hub, TheCursorThatIsReadBeforeTheStateLeavesNoGap) {
  Hub hub;
  hub.configure("*", keeping(10));
  const Position cursor = wait(hub.position("a"));
  hub.publish("a", "while the state is loaded");
  Recorder one;
  EXPECT_TRUE(wait(subscribed(hub, one, "a", cursor)).recovered);
  EXPECT_EQ(one.seen, (Seen{"+a", "a:while the state is loaded"}));
}

TEST(Hub, ALatestChannelHandsOverTheNewestOnly) {
  Hub hub;
  ChannelOptions options = keeping(1);
  options.recovery = RecoveryMode::latest;
  hub.configure("*", options);
  for (const char* const data : {"1", "2", "3"}) hub.publish("a", data);
  Recorder newcomer;
  hub.subscribe(newcomer, "a", {.recover = true});
  turns();
  EXPECT_EQ(newcomer.seen, (Seen{"+a", "a:3"}));
  EXPECT_TRUE(newcomer.answers[0].recovered);
  Recorder back;
  hub.subscribe(back, "a", {.since = newcomer.answers[0].position.at(1)});
  Recorder up_to_date;
  hub.subscribe(up_to_date, "a", {.since = newcomer.answers[0].position});
  Recorder plain;
  hub.subscribe(plain, "a");
  turns();
  EXPECT_EQ(back.seen, (Seen{"+a", "a:3"}));
  EXPECT_EQ(up_to_date.seen, Seen{"+a"});
  EXPECT_EQ(plain.seen, Seen{"+a"});
}

TEST(Hub, SubscribersMayBeDestroyedWithinTheirOwnFunctions) {
  Hub hub;
  hub.configure("*", keeping(10));
  for (const char* const when : {"on_subscribed", "on_missed", "on_live"}) {
    SCOPED_TRACE(when);
    const Position before = wait(hub.position("a"));
    hub.publish("a", "missed");
    Recorder bystander;
    Recorder after;
    hub.subscribe(bystander, "a");
    auto one = std::make_unique<Recorder>();
    std::size_t calls = when == std::string_view("on_subscribed") ? 1 : 2;
    if (when == std::string_view("on_live")) calls = 3;
    one->on_any = [&one, &calls] {
      if (--calls == 0) one.reset();
    };
    hub.subscribe(*one, "a", {.since = before});
    hub.subscribe(after, "a");
    turns();
    hub.publish("a", "live");
    turns();
    EXPECT_EQ(one, nullptr);
    EXPECT_EQ(bystander.seen, (Seen{"+a", "a:live"}));
    EXPECT_EQ(after.seen, (Seen{"+a", "a:live"}));
  }
  EXPECT_EQ(hub.metrics().subscriptions, 0U);
}

TEST(Hub, OneSubscriberMayDestroyOthersWhileAPublicationIsHandedRound) {
  Hub hub;
  std::vector<std::unique_ptr<Recorder>> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(std::make_unique<Recorder>());
    hub.subscribe(*all.back(), "a");
  }
  turns();
  all[3]->on_any = [&] {
    all[1].reset();  // had it already
    all[7].reset();  // has not
    hub.unsubscribe(*all[8], "a");
    hub.publish("a", "echo");
    all[3]->on_any = nullptr;
  };
  EXPECT_EQ(wait(published(hub, "a", "1")).queued, 8U);
  turns();
  EXPECT_EQ(all[8]->seen, Seen{"+a"});
  EXPECT_EQ(all[9]->seen, (Seen{"+a", "a:1", "a:echo"}));
  EXPECT_EQ(hub.metrics().subscriptions, 7U);
}

TEST(Hub, WhatASubscriberThrowsDoesNotReachTheOthers) {
  struct Thrower : Recorder {
    Delivery on_publication(const PublicationRef&, SlowConsumer) override {
      throw std::runtime_error("no");
    }
  };
  Hub hub;
  Recorder before;
  Thrower thrower;
  Recorder after;
  for (Subscriber* const one :
       {static_cast<Subscriber*>(&before), static_cast<Subscriber*>(&thrower),
        static_cast<Subscriber*>(&after)}) {
    hub.subscribe(*one, "a");
  }
  turns();
  const PublishResult result = wait(published(hub, "a", "1"));
  EXPECT_EQ(result.queued, 2U);
  EXPECT_EQ(result.dropped, 1U);
  EXPECT_EQ(after.seen, (Seen{"+a", "a:1"}));
}

TEST(Hub, WhatMayNotBeIsRefusedWithItsReason) {
  Hub hub(HubOptions{.max_channels = 3, .max_channels_per_subscriber = 2});
  ChannelOptions small;
  small.max_publication_bytes = 5;
  hub.configure("*", small);
  hub.set_authorizer([](const AccessRequest& request) {
    return request.channel != "secret" || request.user == "admin";
  });
  Recorder one;
  EXPECT_EQ(wait(refused(hub, one, "")), RealtimeError::invalid_channel);
  EXPECT_EQ(wait(refused(hub, one, std::string(256, 'x'))), RealtimeError::invalid_channel);
  EXPECT_EQ(wait(refused(hub, one, "a\nb")), RealtimeError::invalid_channel);
  EXPECT_EQ(wait(refused(hub, one, "secret")), RealtimeError::forbidden);
  EXPECT_FALSE(wait(refused(hub, one, "a")));
  EXPECT_EQ(wait(refused(hub, one, "a")), RealtimeError::already_subscribed);
  EXPECT_FALSE(wait(refused(hub, one, "b")));
  EXPECT_EQ(wait(refused(hub, one, "c")), RealtimeError::too_many_channels);
  Recorder two;
  EXPECT_FALSE(wait(refused(hub, two, "c")));
  EXPECT_EQ(wait(refused(hub, two, "d")), RealtimeError::hub_full);
  // Nobody awaits this one: its subscriber is told.
  two.take();
  hub.subscribe(two, "d");
  turns();
  EXPECT_EQ(two.take(), Seen{"refused d: there are too many channels"});
  hub.unsubscribe(one, "b");  // lingers, but makes room
  EXPECT_FALSE(wait(refused(hub, two, "d")));

  EXPECT_FALSE(wait(unpublished(hub, "a", "12345")));
  EXPECT_EQ(wait(unpublished(hub, "a", "123456")), RealtimeError::too_large);
  EXPECT_EQ(wait(unpublished(hub, "", "1")), RealtimeError::invalid_channel);
  EXPECT_EQ(wait(unpublished(hub, "secret", "1", {.by = &one})), RealtimeError::forbidden);
  EXPECT_FALSE(wait(unpublished(hub, "secret", "1")));
  EXPECT_THROW(wait(subscribed(hub, one, "secret")), HubError);
}

TEST(Hub, IsConfiguredBeforeItIsUsed) {
  Hub hub;
  hub.configure("a", keeping(1));
  hub.publish("a", "1");
  EXPECT_THROW(hub.configure("b", keeping(1)), UsageError);
  EXPECT_THROW(hub.set_authorizer([](const AccessRequest&) { return true; }), UsageError);
  EXPECT_EQ(hub.options_of("a").history_size, 1U);
}

TEST(Hub, AnAwaitThatIsCancelledTakesTheSubscriptionBack) {
  auto* const broker = new detail::ScriptedBroker(1, 0);
  Hub hub((BrokerPtr(broker)));
  Recorder one;
  Recorder unawaited;
  hub.subscribe(unawaited, "a");
  EXPECT_THROW(wait(with_timeout(Duration::from_milliseconds(2), subscribed(hub, one, "a"))),
               TimeoutError);
  EXPECT_EQ(one.channel_count(), 0U);
  while (broker->step()) turns();  // now it answers
  EXPECT_EQ(one.seen, Seen());
  EXPECT_EQ(unawaited.seen, Seen{"+a"});
}

TEST(Hub, ABrokerThatThrowsAwayACallHasFailed) {
  auto* const broker = new detail::ScriptedBroker(1, 0);
  Hub hub((BrokerPtr(broker)));
  Recorder one;
  hub.subscribe(one, "a");
  auto unanswered = hub.publish("a", "1");
  turns();
  broker->stop();
  turns();
  EXPECT_EQ(one.seen, Seen{"refused a: the broker cannot be reached"});
  EXPECT_EQ(hub.metrics().pending_calls, 0U);
  EXPECT_EQ(hub.metrics().publish_failures, 1U);
}

TEST(Hub, CallsThatTheBrokerDoesNotAnswerAreBounded) {
  auto* const broker = new detail::ScriptedBroker(1, 0);
  Hub hub(BrokerPtr(broker), HubOptions{.max_pending_calls = 2});
  hub.publish("a", "1");
  hub.publish("a", "2");
  EXPECT_EQ(wait(unpublished(hub, "a", "3")), RealtimeError::busy);
  EXPECT_EQ(hub.metrics().pending_calls, 2U);
  while (broker->step()) turns();
  EXPECT_EQ(hub.metrics().pending_calls, 0U);
}

TEST(Hub, AnAnswerFromBeforeAnInterruptionIsNotTrusted) {
  auto* const broker = new detail::ScriptedBroker(1, 10);
  Hub hub(BrokerPtr(broker), HubOptions{.position_check = Duration()});
  hub.configure("kept", keeping(10));
  Recorder one;
  hub.subscribe(one, "kept");
  ASSERT_TRUE(broker->step());  // carried out; the answer is still on its way
  broker->interrupt();
  broker->publish_far("kept", "1");
  broker->restore();
  do {
    turns();
  } while (broker->step());
  turns();
  EXPECT_EQ(one.seen, (Seen{"+kept", "kept:1"}));
}

TEST(Hub, ThePositionCheckFindsWhatWasLostSilently) {
  auto* const broker = new detail::ScriptedBroker(1, 10);
  Hub hub(BrokerPtr(broker), HubOptions{.position_check = Duration::from_milliseconds(20),
                                        .position_grace = Duration::from_milliseconds(10)});
  hub.configure("kept", keeping(10));
  Recorder one;
  hub.subscribe(one, "kept");
  while (broker->step()) turns();
  broker->faults.lose = 1000;
  broker->publish_far("kept", "1");
  while (broker->step()) turns();
  EXPECT_EQ(one.seen, Seen{"+kept"});
  IOLoop& loop = IOLoop::current();
  for (int i = 0; i < 5000 && one.seen.size() < 2; ++i) {
    loop.call_later(Duration::from_milliseconds(1), [&loop] { loop.stop(); });
    loop.start();
    while (broker->step()) turns();
  }
  EXPECT_EQ(one.seen, (Seen{"+kept", "kept:1"}));
  EXPECT_EQ(hub.metrics().gaps, 1U);
  EXPECT_EQ(hub.metrics().gaps_filled, 1U);
  EXPECT_EQ(hub.metrics().losses, 0U);
}

TEST(Hub, AClosedHubTellsItsSubscribersAndRefusesCalls) {
  Hub hub;
  Recorder one;
  hub.subscribe(one, "a");
  turns();
  hub.publish("a", "1");  // was there before
  hub.close();
  hub.close();
  Recorder two;
  EXPECT_EQ(wait(refused(hub, two, "a")), RealtimeError::closed);
  EXPECT_EQ(wait(unpublished(hub, "a", "2")), RealtimeError::closed);
  EXPECT_THROW(wait(hub.position("a")), HubError);
  turns();
  EXPECT_EQ(one.seen, (Seen{"+a", "a:1", "lost a"}));
  EXPECT_TRUE(one.losses.at(0).ended);
  EXPECT_EQ(one.losses.at(0).reason, LossReason::closed);
  EXPECT_EQ(one.channel_count(), 0U);
}

TEST(Hub, SubscribersMayOutliveIt) {
  auto hub = std::make_unique<Hub>();
  auto waiting = std::make_unique<Recorder>();
  auto live = std::make_unique<Recorder>();
  hub->subscribe(*live, "a");
  turns();
  hub->subscribe(*waiting, "b");
  auto unawaited = hub->publish("a", "1");
  hub.reset();
  waiting.reset();
  turns();
  EXPECT_EQ(live->channel_count(), 0U);
  EXPECT_EQ(live->seen.back(), "lost a");
}

TEST(Hub, MembersComeAndGo) {
  Hub hub;
  ChannelOptions options;
  options.presence = true;
  options.join_leave = true;
  hub.configure("room:*", options);
  Recorder ann;
  Recorder bob;
  hub.subscribe(ann, "room:1", {.client = "c1", .user = "ann", .info = "{}"});
  turns();
  {
    Recorder phone;
    hub.subscribe(phone, "room:1", {.client = "c2", .user = "ann"});
    hub.subscribe(bob, "room:1", {.client = "c3", .user = "bob"});
    turns();
    const PresencePage page = wait(hub.presence("room:1"));
    EXPECT_EQ(page.members.size(), 3U);
    EXPECT_FALSE(page.truncated);
    EXPECT_TRUE(wait(hub.presence("room:1", 2)).truncated);
    const PresenceCount count = wait(hub.presence_count("room:1"));
    EXPECT_EQ(count.clients, 3U);
    EXPECT_EQ(count.users, 2U);
  }
  turns();
  hub.unsubscribe(bob, "room:1");
  turns();
  EXPECT_EQ(ann.seen, (Seen{"+room:1", "join room:1:c1", "join room:1:c2", "join room:1:c3",
                            "leave room:1:c2", "leave room:1:c3"}));
  EXPECT_EQ(wait(hub.presence("room:1")).members.at(0).info, "{}");
  EXPECT_THROW(wait(hub.presence("elsewhere")), HubError);
}

TEST(Hub, MembersStayAsLongAsTheyAreSubscribed) {
  Hub hub(HubOptions{.presence_ttl = Duration::from_milliseconds(300),
                     .presence_refresh = Duration::from_milliseconds(30)});
  ChannelOptions options;
  options.presence = true;
  hub.configure("*", options);
  Recorder one;
  hub.subscribe(one, "a");
  turns();
  // Beyond the time to live: a second of the loop's clock.
  IOLoop& loop = IOLoop::current();
  loop.call_later(Duration::from_milliseconds(900), [&loop] { loop.stop(); });
  loop.start();
  EXPECT_EQ(wait(hub.presence_count("a")).clients, 1U);
}

TEST(Hub, CountsWhatItDoes) {
  Hub hub;
  hub.configure("*", keeping(10));
  Recorder one;
  hub.subscribe(one, "a");
  turns();
  const Position first = wait(published(hub, "a", "1")).position;
  Recorder back;
  hub.subscribe(back, "a", {.since = first.at(0)});
  turns();
  const HubMetrics metrics = hub.metrics();
  EXPECT_EQ(metrics.published, 1U);
  EXPECT_EQ(metrics.received, 1U);
  EXPECT_EQ(metrics.delivered, 2U);
  EXPECT_EQ(metrics.recovered, 1U);
  EXPECT_EQ(metrics.recovered_publications, 1U);
  EXPECT_EQ(metrics.channels, 1U);
  EXPECT_EQ(metrics.subscriptions, 2U);
  EXPECT_EQ(metrics.loops, 1U);
  EXPECT_EQ(metrics.pending_calls, 0U);
  const std::string text = hub.metrics_text();
  EXPECT_NE(text.find("# TYPE squall_realtime_delivered_total counter\n"
                      "squall_realtime_delivered_total 2\n"),
            std::string::npos);
  EXPECT_NE(text.find("# TYPE squall_realtime_subscriptions gauge\n"), std::string::npos);
}

TEST(Hub, AChannelIsLetGoAWhileAfterItsLastSubscriber) {
  Hub hub(HubOptions{.linger = Duration::from_milliseconds(20)});
  Recorder one;
  hub.subscribe(one, "a");
  turns();
  hub.unsubscribe(one, "a");
  turns();
  EXPECT_EQ(hub.metrics().channels, 1U);
  IOLoop& loop = IOLoop::current();
  for (int i = 0; i < 2000 && hub.metrics().channels != 0; ++i) {
    loop.call_later(Duration::from_milliseconds(1), [&loop] { loop.stop(); });
    loop.start();
  }
  EXPECT_EQ(hub.metrics().channels, 0U);
}

}  // namespace
}  // namespace squall::realtime
