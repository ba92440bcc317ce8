// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/realtime/hub.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace squall::realtime {
namespace {

using Order = std::vector<std::string>;

/// Collects a channel until `wanted` publications have come; then tells its loop.
struct Collector : Subscriber {
  void on_subscribed(std::string_view, const Subscribed& answer) override {
    last = answer.position.offset() - answer.missed;
  }
  Delivery on_publication(const PublicationRef& publication, SlowConsumer) override {
    order.push_back(std::string(publication->data()));
    if (publication->position().offset() != ++last) is_consecutive = false;
    if (order.size() == wanted && on_done) on_done();
    return Delivery::queued;
  }
  AfterLoss on_lost(std::string_view, const Loss&) override {
    ++losses;
    return AfterLoss::stay;
  }
  Order order;
  std::uint64_t last = 0;
  std::size_t wanted = 0;
  int losses = 0;
  bool is_consecutive = true;
  std::function<void()> on_done;
};

TEST(HubThreads, AllSubscribersOfAllLoopsSeeTheSameOrder) {
  constexpr int loops = 3;
  constexpr std::size_t each = 400;
  constexpr std::size_t all = each * (loops + 1);
  const std::vector<std::string> channels = {"a", "b"};
  Hub hub;
  std::atomic<int> ready{0};
  std::vector<std::vector<Order>> orders(loops);
  std::vector<std::thread> threads;
  for (int n = 0; n < loops; ++n) {
    threads.emplace_back([&, n] {
      IOLoop& loop = IOLoop::current();
      std::vector<std::unique_ptr<Collector>> collectors;
      std::size_t finished = 0;
      for (int i = 0; i < 10; ++i) {
        collectors.push_back(std::make_unique<Collector>());
        collectors.back()->wanted = all;
        collectors.back()->on_done = [&] {
          if (++finished == collectors.size()) loop.stop();
        };
      }
      std::size_t sent = 0;
      std::function<void()> publish = [&] {
        for (int i = 0; i < 7 && sent < each; ++i, ++sent) {
          const std::string data = std::to_string(n) + "." + std::to_string(sent);
          for (const std::string& channel : channels) hub.publish(channel, data);
        }
        if (sent < each) loop.post([&] { publish(); });
      };
      // coroutine-ok: the loop keeps the lambda, and what it refers to outlives the run
      const auto run = [&]() -> Task<> {
        for (std::size_t i = 0; i < collectors.size(); ++i) {
          co_await hub.subscribe(*collectors[i], channels[i % channels.size()]);
        }
        ++ready;
        while (ready < loops + 1) {
          co_await sleep(Duration::from_milliseconds(1));
        }
        publish();
      };
      loop.spawn(run);
      loop.start();
      for (const auto& one : collectors) {
        EXPECT_TRUE(one->is_consecutive);
        EXPECT_EQ(one->losses, 0);
        orders[static_cast<std::size_t>(n)].push_back(one->order);
      }
    });
  }
  // A thread without a loop publishes, too.
  threads.emplace_back([&] {
    ++ready;
    while (ready < loops + 1) std::this_thread::yield();
    for (std::size_t i = 0; i < each; ++i) {
      for (const std::string& channel : channels) hub.publish(channel, "x." + std::to_string(i));
    }
  });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const Order& first = orders[0][c];
    EXPECT_EQ(std::set<std::string>(first.begin(), first.end()).size(), all);
    for (const auto& of_loop : orders) {
      for (std::size_t i = c; i < of_loop.size(); i += channels.size()) {
        EXPECT_EQ(of_loop[i], first);
      }
    }
  }
}

TEST(HubThreads, WhoComesAndGoesWhileOthersPublishGetsEverythingOnce) {
  constexpr int rounds = 150;
  Hub hub(HubOptions{.linger = Duration()});
  hub.configure("*", keeping(100'000));
  std::atomic<bool> done{false};
  std::thread publisher([&] {
    for (std::uint64_t i = 0; !done; ++i) {
      hub.publish("a", std::to_string(i));
      if (i % 16 == 0) std::this_thread::yield();
    }
  });
  std::vector<std::thread> loops;
  for (int n = 0; n < 2; ++n) {
    loops.emplace_back([&] {
      // coroutine-ok: the loop keeps the lambda, and what it refers to outlives the run
      const auto run = [&]() -> Task<> {
        Position since = co_await hub.position("a");
        for (int i = 0; i < rounds; ++i) {
          Collector one;
          const Result<Subscribed> answer = co_await hub.try_subscribe(one, "a", {.since = since});
          EXPECT_TRUE(answer);
          if (!answer) co_return;
          co_await sleep(Duration());
          EXPECT_TRUE(one.is_consecutive);
          since = answer->position.at(one.last);
          EXPECT_EQ(one.losses, 0);
        }
      };
      IOLoop::current().run_sync(run);
    });
  }
  for (std::thread& loop : loops) loop.join();
  done = true;
  publisher.join();
  EXPECT_EQ(hub.metrics().subscriptions, 0U);
}

TEST(HubThreads, ALoopThatStandsStillLosesAndIsToldAndTheOthersAreNot) {
  Hub hub(HubOptions{.max_inbox_publications = 100});
  std::promise<void> subscribed;
  std::promise<void> blocked;
  std::promise<void> release;
  Collector slow;
  slow.wanted = 1;
  std::thread other([&] {
    IOLoop& loop = IOLoop::current();
    bool first = true;
    slow.on_done = [&] {
      if (!std::exchange(first, false)) return;
      blocked.set_value();
      release.get_future().wait();
    };
    // coroutine-ok: the loop keeps the lambda, and what it refers to outlives the run
    const auto run = [&]() -> Task<> {
      co_await hub.subscribe(slow, "a");
      subscribed.set_value();
      while (slow.losses == 0) co_await sleep(Duration::from_milliseconds(1));
      // Told; from there on everything comes.
      const PublishResult last = co_await hub.publish("a", "after");
      while (slow.order.back() != "after") co_await sleep(Duration::from_milliseconds(1));
      EXPECT_EQ(last.position.offset(), 1002U);
    };
    loop.run_sync(run);
    EXPECT_EQ(slow.order.size(), 2U);
    EXPECT_EQ(slow.losses, 1);
  });
  subscribed.get_future().wait();
  Collector here;
  hub.subscribe(here, "a");
  turns();
  hub.publish("a", "first");
  blocked.get_future().wait();
  for (int i = 0; i < 1000; ++i) {
    hub.publish("a", "more");
    if (i % 50 == 0) turns();
  }
  turns();
  release.set_value();
  other.join();
  turns();
  EXPECT_EQ(here.order.size(), 1002U);
  EXPECT_TRUE(here.is_consecutive);
  EXPECT_EQ(here.losses, 0);
  EXPECT_EQ(hub.metrics().inbox_overflows, 1U);
}

TEST(HubThreads, ALoopMayEndWithLettersInItsInbox) {
  Hub hub;
  for (int round = 0; round < 20; ++round) {
    auto one = std::make_unique<Collector>();
    std::thread([&] {
      hub.subscribe(*one, "a");
      turns();
      for (int i = 0; i < 10; ++i) hub.publish("a", "x");
      if (round % 2 == 0) one.reset();
    }).join();
    hub.publish("a", "y");
  }
  Collector here;
  hub.subscribe(here, "a");
  turns();
  hub.publish("a", "z");
  turns();
  EXPECT_EQ(here.order, Order{"z"});
  EXPECT_EQ(hub.metrics().subscriptions, 1U);
}

TEST(HubThreads, TheHubMayEndWhileLoopsRun) {
  for (int round = 0; round < 20; ++round) {
    auto hub = std::make_unique<Hub>();
    std::promise<void> subscribed;
    std::thread other([&] {
      Recorder one;
      // coroutine-ok: the loop keeps the lambda, and what it refers to outlives the run
      const auto run = [&]() -> Task<> {
        co_await hub->subscribe(one, "a");
        subscribed.set_value();
        while (one.losses.empty()) co_await sleep(Duration::from_milliseconds(1));
      };
      IOLoop::current().run_sync(run);
      EXPECT_EQ(one.channel_count(), 0U);
    });
    subscribed.get_future().wait();
    hub->publish("a", "1");
    hub.reset();
    other.join();
  }
}

}  // namespace
}  // namespace squall::realtime
