// SPDX-License-Identifier: Apache-2.0
#include "realtime/memory_broker.hpp"

#include <squall/realtime/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace squall::realtime::detail {
namespace {

std::uint64_t fake_now = 1000;

struct Listener final : BrokerListener {
  void on_publication(PublicationRef publication) override {
    seen.push_back(std::string(publication->data()));
  }
  void on_interrupted() override {}
  void on_restored() override {}
  std::vector<std::string> seen;
};

class MemoryBrokerTest : public testing::Test {
 protected:
  explicit MemoryBrokerTest(MemoryBrokerOptions options = {})
      : broker(options, [] { return fake_now; }) {
    broker.start(listener);
  }
  Result<Position> publish(std::string_view channel, std::string_view data) {
    return get<Position>([&](Completion<Position> done) {
      broker.publish(Publication::create(channel, data), limits, std::move(done));
    });
  }
  Result<Position> subscribe(std::string_view channel) {
    return get<Position>(
        [&](Completion<Position> done) { broker.subscribe(channel, std::move(done)); });
  }
  HistoryPage history(std::string_view channel, const HistoryQuery& query = {}) {
    auto page = get<HistoryPage>(
        [&](Completion<HistoryPage> done) { broker.history(channel, query, std::move(done)); });
    return std::move(page).value();
  }
  std::string kept(std::string_view channel, const HistoryQuery& query = {}) {
    std::string text;
    for (const PublicationRef& one : history(channel, query).publications) text += one->data();
    return text;
  }
  template <class T, class Call>
  Result<T> get(const Call& call) {
    Result<T> result(make_error_code(RealtimeError::busy));
    call(Completion<T>([&result](Result<T> what) { result = std::move(what); }));
    return result;
  }

  Listener listener;
  MemoryBroker broker;
  HistoryLimits limits{3, 1 << 20, Duration::from_seconds(10)};
};

TEST_F(MemoryBrokerTest, NumbersPublicationsAndSendsThemToWhoIsSubscribed) {
  EXPECT_EQ(publish("a", "1")->offset(), 1U);
  EXPECT_EQ(subscribe("a")->offset(), 1U);
  EXPECT_EQ(publish("a", "2")->offset(), 2U);
  EXPECT_EQ(publish("b", "x")->offset(), 1U);
  broker.unsubscribe("a", [](Result<void>) {});
  EXPECT_EQ(publish("a", "3")->offset(), 3U);
  EXPECT_EQ(listener.seen, std::vector<std::string>{"2"});
}

TEST_F(MemoryBrokerTest, KeepsTheNewestAndPagesBothWays) {
  for (const char* const data : {"1", "2", "3", "4"}) ASSERT_TRUE(publish("a", data));
  const Position top = history("a").position;
  EXPECT_EQ(top.offset(), 4U);
  EXPECT_EQ(kept("a"), "234");
  EXPECT_EQ(kept("a", {top.at(3)}), "4");
  EXPECT_EQ(kept("a", {top.at(0), 2}), "23");
  EXPECT_EQ(kept("a", {Position(), 2, true}), "43");
  EXPECT_EQ(kept("a", {top.at(4), 5, true}), "32");
  EXPECT_EQ(kept("a", {top.at(99)}), "");
  EXPECT_EQ(kept("a", {Position("other", 1)}), "");
  EXPECT_EQ(kept("a", {Position(), 0}), "");
  broker.remove("a", [](Result<void>) {});
  EXPECT_EQ(kept("a"), "");
  EXPECT_EQ(history("a").position, top);
}

TEST_F(MemoryBrokerTest, ForgetsWhatIsTooOldAndGoesOnCounting) {
  ASSERT_TRUE(publish("a", "1"));
  fake_now += 9'999;
  EXPECT_EQ(kept("a"), "1");
  fake_now += 1;
  EXPECT_EQ(kept("a"), "");
  EXPECT_EQ(broker.history_bytes(), 0U);
  EXPECT_EQ(publish("a", "2")->offset(), 2U);
}

TEST_F(MemoryBrokerTest, AfterStopCallsFail) {
  ASSERT_TRUE(subscribe("a"));
  broker.stop();
  EXPECT_EQ(publish("a", "1").error(), RealtimeError::closed);
  EXPECT_EQ(subscribe("a").error(), RealtimeError::closed);
  EXPECT_TRUE(listener.seen.empty());
}

class SmallMemoryBroker : public MemoryBrokerTest {
 protected:
  SmallMemoryBroker() : MemoryBrokerTest(MemoryBrokerOptions{40, 20'000}) {}
};

TEST_F(SmallMemoryBroker, AChannelThatWasForgottenHasAnotherEpoch) {
  const Position first = *publish("first", "1");
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(publish("c" + std::to_string(i), "x"));
  const Position again = *publish("first", "2");
  EXPECT_EQ(again.offset(), 1U);
  EXPECT_FALSE(again.has_epoch_of(first));
}

TEST_F(SmallMemoryBroker, ASubscribedChannelIsNeverForgotten) {
  const Position first = *subscribe("first");
  std::size_t refused = 0;
  for (int i = 0; i < 2000; ++i) {
    if (!subscribe("c" + std::to_string(i))) ++refused;
  }
  EXPECT_GE(refused, 1900U);
  EXPECT_TRUE(publish("first", "1")->has_epoch_of(first));
}

TEST_F(SmallMemoryBroker, AllHistoriesTogetherStayWithinTheirBytes) {
  limits.size = 1000;
  const std::string data(500, 'x');
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(publish("c" + std::to_string(i % 10), data));
    ASSERT_LE(broker.history_bytes(), 21'000U);
  }
  EXPECT_GT(broker.history_bytes(), 5'000U);
}

TEST_F(MemoryBrokerTest, OneHistoryStaysWithinItsBytes) {
  limits = {1000, 10'000, Duration::from_seconds(10)};
  const std::string data(500, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(publish("a", data));
  EXPECT_LE(broker.history_bytes(), 10'000U);
  EXPECT_GT(history("a").publications.size(), 5U);
}

}  // namespace
}  // namespace squall::realtime::detail
