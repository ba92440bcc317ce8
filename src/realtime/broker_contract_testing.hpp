// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/broker_testing.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <thread>

namespace squall::realtime {

/// What every broker must do. `Maker` has `static bool is_available()`, a `BrokerPtr make()` that
/// may be called several times for brokers that meet each other, and
///   knows_positions: publish() completes with the position,
///   is_shared:       brokers of one maker have one stream.
///   has_one_order:   all of them see its publications in one order, whoever published them.
template <class Maker>
class BrokerContract : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Maker::is_available()) GTEST_SKIP() << "its server is not installed";
    maker_.emplace();
  }
  [[nodiscard]] Maker& maker() { return *maker_; }

 private:
  std::optional<Maker> maker_;
};

TYPED_TEST_SUITE_P(BrokerContract);

TYPED_TEST_P(BrokerContract, PublicationsComeInOrderWithTheirPositions) {
  TestBroker broker(this->maker().make());
  const auto start = broker.subscribe("chat");
  ASSERT_TRUE(start) << start.error().message();
  ASSERT_FALSE(start->is_empty());
  for (int i = 1; i <= 100; ++i) {
    const auto position = broker.publish("chat", std::to_string(i));
    ASSERT_TRUE(position) << position.error().message();
    if (TypeParam::knows_positions) {
      EXPECT_EQ(*position, start->at(start->offset() + static_cast<std::uint64_t>(i)));
    }
  }
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 100; }));
  std::uint64_t offset = start->offset();
  for (const PublicationRef& one : broker.listener().of("chat")) {
    EXPECT_EQ(one->position(), start->at(++offset));
    EXPECT_EQ(one->data(), std::to_string(offset - start->offset()));
  }
}

TYPED_TEST_P(BrokerContract, WhatAPublicationHoldsComesAsItWas) {
  TestBroker broker(this->maker().make());
  ASSERT_TRUE(broker.subscribe("c"));
  const std::string data("\0\r\n$5 \xff{}", 10);
  const std::string key("k ;:.\0", 6);
  Outcome<Position> outcome;
  broker.broker().publish(Publication::create("c", data, {.binary = true, .key = key}), ten_minutes,
                          outcome.completion());
  ASSERT_TRUE(outcome.get());
  ASSERT_TRUE(broker.publish("c", ""));
  ASSERT_TRUE(broker.publish("c", std::string(300'000, 'x')));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 3; }));
  const Result<HistoryPage> page = broker.history("c");
  ASSERT_TRUE(page);
  for (const auto& list : {broker.listener().of("c"), page->publications}) {
    ASSERT_EQ(list.size(), 3u);
    EXPECT_EQ(list[0]->data(), data);
    EXPECT_EQ(list[0]->key(), key);
    EXPECT_TRUE(list[0]->is_binary());
    EXPECT_EQ(list[0]->kind(), PublicationKind::message);
    EXPECT_EQ(list[1]->data(), "");
    EXPECT_FALSE(list[1]->is_binary());
    EXPECT_EQ(list[2]->data(), std::string(300'000, 'x'));
  }
}

TYPED_TEST_P(BrokerContract, AnyChannelNameGoesThrough) {
  TestBroker broker(this->maker().make());
  const std::vector<std::string> names{"a.b",
                                       "a.*",
                                       ">",
                                       "*",
                                       "a b",
                                       "chat:1",
                                       "$SYS.x",
                                       "a..b",
                                       ".",
                                       "=41",
                                       "A",
                                       "\xc3\xa4\xff",
                                       std::string(255, '.'),
                                       "a/b?c#d",
                                       "{x}"};
  for (const std::string& name : names) ASSERT_TRUE(broker.subscribe(name)) << name;
  for (const std::string& name : names) ASSERT_TRUE(broker.publish(name, "to " + name)) << name;
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() >= names.size(); }));
  for (const std::string& name : names) {
    EXPECT_EQ(broker.listener().texts_of(name), std::vector<std::string>{"to " + name});
  }
}

TYPED_TEST_P(BrokerContract, JoinAndLeaveHaveNoPositionAndAreNotKept) {
  TestBroker broker(this->maker().make());
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  for (const auto kind : {PublicationKind::join, PublicationKind::leave}) {
    Outcome<Position> outcome;
    broker.broker().publish(
        Publication::create("c", "info", {.kind = kind, .client = "c1", .user = "u1"}), ten_minutes,
        outcome.completion());
    ASSERT_TRUE(outcome.get());
  }
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 2; }));
  const auto came = broker.listener().of("c");
  EXPECT_EQ(came[0]->kind(), PublicationKind::join);
  EXPECT_EQ(came[1]->kind(), PublicationKind::leave);
  EXPECT_EQ(came[0]->client(), "c1");
  EXPECT_EQ(came[0]->user(), "u1");
  EXPECT_EQ(came[0]->data(), "info");
  EXPECT_TRUE(came[0]->position().is_empty());
  const auto page = broker.history("c");
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->publications.empty());
  EXPECT_EQ(page->position, *start);
}

TYPED_TEST_P(BrokerContract, HistoryAnswersWhatWasAsked) {
  using Texts = std::vector<std::string>;
  TestBroker broker(this->maker().make());
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  HistoryLimits five = ten_minutes;
  five.size = 5;
  for (const char* text : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
    ASSERT_TRUE(broker.publish("c", text, five));
  }
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 8; }));
  const Position top = start->at(start->offset() + 8);
  const auto at = [&](std::uint64_t offset) { return start->at(start->offset() + offset); };
  EXPECT_EQ(broker.kept("c"), (Texts{"4", "5", "6", "7", "8"}));
  EXPECT_EQ(broker.kept("c", {.since = at(6)}), (Texts{"7", "8"}));
  EXPECT_EQ(broker.kept("c", {.since = at(8)}), Texts{});
  EXPECT_EQ(broker.kept("c", {.since = at(99)}), Texts{});
  EXPECT_EQ(broker.kept("c", {.since = at(0)}), (Texts{"4", "5", "6", "7", "8"}));
  EXPECT_EQ(broker.kept("c", {.since = at(3), .limit = 2}), (Texts{"4", "5"}));
  EXPECT_EQ(broker.kept("c", {.limit = 2}), (Texts{"4", "5"}));
  EXPECT_EQ(broker.kept("c", {.limit = 2, .reverse = true}), (Texts{"8", "7"}));
  EXPECT_EQ(broker.kept("c", {.since = at(6), .limit = 9, .reverse = true}), (Texts{"5", "4"}));
  EXPECT_EQ(broker.kept("c", {.since = at(0), .reverse = true}), Texts{});
  EXPECT_EQ(broker.kept("c", {.since = Position("another", 1)}), Texts{});
  const auto page = broker.history("c", {.since = at(7)});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->position, top);
  ASSERT_EQ(page->publications.size(), 1u);
  EXPECT_EQ(page->publications[0]->position(), top);
  EXPECT_EQ(page->publications[0]->channel(), "c");
  const auto position = broker.position("c");
  ASSERT_TRUE(position);
  EXPECT_EQ(*position, top);
}

TYPED_TEST_P(BrokerContract, WithoutHistoryOffsetsGoOnAndNothingIsKept) {
  TestBroker broker(this->maker().make());
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  const HistoryLimits none{};
  for (const char* text : {"1", "2", "3"}) ASSERT_TRUE(broker.publish("c", text, none));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 3; }));
  const auto page = broker.history("c", {.since = *start});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->position, start->at(start->offset() + 3));
  EXPECT_TRUE(page->publications.empty());
}

TYPED_TEST_P(BrokerContract, HistoryStaysWithinItsBytes) {
  TestBroker broker(this->maker().make());
  ASSERT_TRUE(broker.subscribe("c"));
  HistoryLimits little = ten_minutes;
  little.bytes = 10'000;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(broker.publish("c", std::string(3000, 'x'), little));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 10; }));
  const auto page = broker.history("c");
  ASSERT_TRUE(page);
  EXPECT_GE(page->publications.size(), 2u);
  EXPECT_LE(page->publications.size(), 3u);
  EXPECT_EQ(page->publications.back()->position(), page->position);
}

TYPED_TEST_P(BrokerContract, HistoryForgetsWhatIsTooOld) {
  TestBroker broker(this->maker().make());
  ASSERT_TRUE(broker.subscribe("c"));
  HistoryLimits brief = ten_minutes;
  brief.ttl = Duration::from_milliseconds(300);
  ASSERT_TRUE(broker.publish("c", "brief", brief));
  ASSERT_TRUE(broker.publish("c", "longer"));
  ASSERT_TRUE(wait_for([&] { return broker.kept("c") == std::vector<std::string>{"longer"}; }));
  const auto top = broker.position("c");
  ASSERT_TRUE(top);
  EXPECT_EQ(top->offset(), 2u);
}

TYPED_TEST_P(BrokerContract, RemoveForgetsButThePositionStays) {
  TestBroker broker(this->maker().make());
  ASSERT_TRUE(broker.subscribe("c"));
  for (const char* text : {"1", "2", "3"}) ASSERT_TRUE(broker.publish("c", text));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 3; }));
  const auto before = broker.position("c");
  ASSERT_TRUE(before);
  ASSERT_TRUE(broker.remove("c"));
  EXPECT_TRUE(broker.kept("c").empty());
  const auto after = broker.position("c");
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, *before);
  ASSERT_TRUE(broker.publish("c", "4"));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == 4; }));
  EXPECT_EQ(broker.kept("c"), std::vector<std::string>{"4"});
  EXPECT_EQ(broker.listener().of("c").back()->position(), before->at(before->offset() + 1));
}

TYPED_TEST_P(BrokerContract, NothingComesOfChannelsThatAreNotSubscribed) {
  TestBroker broker(this->maker().make());
  ASSERT_TRUE(broker.subscribe("mine"));
  ASSERT_TRUE(broker.subscribe("left"));
  ASSERT_TRUE(broker.publish("other", "1"));
  ASSERT_TRUE(broker.unsubscribe("left"));
  ASSERT_TRUE(broker.publish("left", "2"));
  ASSERT_TRUE(broker.publish("mine", "3"));
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() > 0; }));
  ASSERT_TRUE(broker.publish("mine", "4"));
  ASSERT_TRUE(wait_for([&] { return broker.listener().of("mine").size() == 2; }));
  EXPECT_EQ(broker.listener().count(), 2u);
}

TYPED_TEST_P(BrokerContract, ComingBackAfterUnsubscribeHasNoSilentGap) {
  TestBroker broker(this->maker().make());
  for (int round = 0; round < 50; ++round) {
    const auto start = broker.subscribe("c");
    ASSERT_TRUE(start) << start.error().message();
    const std::size_t before = broker.listener().count();
    ASSERT_TRUE(broker.publish("c", std::to_string(round)));
    ASSERT_TRUE(wait_for([&] { return broker.listener().count() == before + 1; }));
    EXPECT_EQ(broker.listener().of("c").back()->position(), start->at(start->offset() + 1));
    ASSERT_TRUE(broker.unsubscribe("c"));
  }
}

TYPED_TEST_P(BrokerContract, ManyChannelsKeepApart) {
  TestBroker broker(this->maker().make());
  constexpr std::size_t channels = 2000;
  std::vector<Outcome<Position>> subscribed(channels);
  for (std::size_t i = 0; i < channels; ++i) {
    broker.broker().subscribe("ch" + std::to_string(i), subscribed[i].completion());
  }
  for (auto& one : subscribed) ASSERT_TRUE(one.get());
  std::vector<Outcome<Position>> published;
  for (std::size_t i = 0; i < channels; ++i) {
    published.push_back(broker.start_publish("ch" + std::to_string(i), std::to_string(i)));
  }
  for (auto& one : published) ASSERT_TRUE(one.get());
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == channels; }));
  for (std::size_t i = 0; i < channels; i += 97) {
    EXPECT_EQ(broker.listener().texts_of("ch" + std::to_string(i)),
              std::vector<std::string>{std::to_string(i)});
  }
}

TYPED_TEST_P(BrokerContract, ThreadsMayPublishAtTheSameTime) {
  TestBroker broker(this->maker().make());
  const auto start = broker.subscribe("c");
  ASSERT_TRUE(start);
  constexpr int threads = 4;
  constexpr int each = 500;
  std::atomic<int> failures{0};
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      std::vector<Outcome<Position>> outcomes;
      for (int i = 0; i < each; ++i) {
        outcomes.push_back(
            broker.start_publish("c", std::to_string(t) + " " + std::to_string(1000 + i)));
      }
      for (auto& one : outcomes) failures += one.get() ? 0 : 1;
    });
  }
  for (std::thread& one : running) one.join();
  EXPECT_EQ(failures, 0);
  ASSERT_TRUE(wait_for([&] { return broker.listener().count() == threads * each; }));
  std::uint64_t offset = start->offset();
  std::map<char, std::string> last;
  for (const PublicationRef& one : broker.listener().of("c")) {
    ASSERT_EQ(one->position(), start->at(++offset));
    const std::string text(one->data());
    EXPECT_LT(last[text[0]], text) << "a thread's publications keep their order";
    last[text[0]] = text;
  }
}

/// Those that begin with `whose`.
inline std::vector<std::string> texts_from(const std::vector<std::string>& texts, char whose) {
  std::vector<std::string> found;
  for (const std::string& text : texts) {
    if (text.starts_with(whose)) found.push_back(text);
  }
  return found;
}

TYPED_TEST_P(BrokerContract, BrokersOfSeveralProcessesSeeTheSameOrder) {
  if (!TypeParam::is_shared) GTEST_SKIP() << "this broker is one process's own";
  TestBroker a(this->maker().make());
  TestBroker b(this->maker().make());
  ASSERT_TRUE(a.subscribe("c"));
  ASSERT_TRUE(b.subscribe("c"));
  std::vector<Outcome<Position>> published;
  for (int i = 0; i < 300; ++i) {
    published.push_back(a.start_publish("c", "a" + std::to_string(i)));
    published.push_back(b.start_publish("c", "b" + std::to_string(i)));
  }
  for (auto& one : published) ASSERT_TRUE(one.get());
  ASSERT_TRUE(wait_for([&] { return a.listener().count() == 600 && b.listener().count() == 600; }));
  if (TypeParam::has_one_order) {
    EXPECT_EQ(a.listener().texts_of("c"), b.listener().texts_of("c"));
  } else {
    for (const char whose : {'a', 'b'}) {
      EXPECT_EQ(texts_from(a.listener().texts_of("c"), whose),
                texts_from(b.listener().texts_of("c"), whose));
    }
  }
}

TYPED_TEST_P(BrokerContract, AfterStopCallsFailAndNothingIsLeftBehind) {
  const auto run = [this] {
    TestBroker broker(this->maker().make());
    ASSERT_TRUE(broker.subscribe("c"));
    std::vector<Outcome<Position>> published;
    for (int i = 0; i < 100; ++i) published.push_back(broker.start_publish("c", "x"));
    broker.stop();
    for (auto& one : published) EXPECT_TRUE(one.is_there());
    const std::size_t count = broker.listener().count();
    const auto late = broker.publish("c", "late");
    EXPECT_FALSE(late);
    EXPECT_EQ(late.error(), RealtimeError::closed);
    const auto subscribed = broker.subscribe("d");
    EXPECT_EQ(subscribed.error(), RealtimeError::closed);
    EXPECT_EQ(broker.listener().count(), count);
  };
  run();  // what a library keeps for good is there now
  const std::size_t descriptors = open_descriptors();
  const std::size_t threads = running_threads();
  run();
  EXPECT_TRUE(wait_for([&] { return open_descriptors() == descriptors; }));
  EXPECT_TRUE(wait_for([&] { return running_threads() == threads; }));
}

struct ContractName {
  template <class Maker>
  static std::string GetName(int /*index*/) {
    return "contract";
  }
};

REGISTER_TYPED_TEST_SUITE_P(BrokerContract, PublicationsComeInOrderWithTheirPositions,
                            WhatAPublicationHoldsComesAsItWas, AnyChannelNameGoesThrough,
                            JoinAndLeaveHaveNoPositionAndAreNotKept, HistoryAnswersWhatWasAsked,
                            WithoutHistoryOffsetsGoOnAndNothingIsKept, HistoryStaysWithinItsBytes,
                            HistoryForgetsWhatIsTooOld, RemoveForgetsButThePositionStays,
                            NothingComesOfChannelsThatAreNotSubscribed,
                            ComingBackAfterUnsubscribeHasNoSilentGap, ManyChannelsKeepApart,
                            ThreadsMayPublishAtTheSameTime,
                            BrokersOfSeveralProcessesSeeTheSameOrder,
                            AfterStopCallsFailAndNothingIsLeftBehind);

}  // namespace squall::realtime
