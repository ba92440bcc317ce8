// SPDX-License-Identifier: Apache-2.0
#include "coro/fake_scheduler.hpp"

#include <squall/coro/event.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/coro/with_timeout.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::FakeScheduler;

Task<> note_after(Event* event, std::vector<int>* order, int who) {
  co_await event->wait();
  order->push_back(who);
}

TEST(Event, LetsAllGoOnInTheirOrderInALaterTurn) {
  FakeScheduler scheduler;
  Event event;
  std::vector<int> order;
  TaskGroup group;
  for (const int who : {1, 2, 3}) group.spawn(note_after(&event, &order, who));
  scheduler.run();
  EXPECT_TRUE(order.empty());
  event.set();
  EXPECT_TRUE(order.empty()) << "resumed inside set()";
  event.clear();
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Event, OnceSetNobodyWaits) {
  FakeScheduler scheduler;
  Event event;
  std::vector<int> order;
  event.set();
  EXPECT_TRUE(event.is_set());
  TaskGroup group;
  group.spawn(note_after(&event, &order, 1));
  EXPECT_EQ(order.size(), 1U);
  event.clear();
  EXPECT_FALSE(event.is_set());
  group.spawn(note_after(&event, &order, 2));
  scheduler.run();
  EXPECT_EQ(order.size(), 1U);
}

TEST(Event, ATimeOutThrows) {
  FakeScheduler scheduler;
  Event event;
  const auto body = [](Event* of) -> Task<> { co_await of->wait(30ms); };
  EXPECT_THROW(scheduler.run(body(&event)), TimeoutError);
  EXPECT_EQ(scheduler.now_ms, 30U);
}

TEST(Event, AZeroTimeOutOnlyLooks) {
  FakeScheduler scheduler;
  Event event;
  const auto body = [](Event* of) -> Task<> { co_await of->wait(0s); };
  EXPECT_THROW(scheduler.run(body(&event)), TimeoutError);
  event.set();
  EXPECT_NO_THROW(scheduler.run(body(&event)));
}

TEST(Event, SettingItInTimeStopsTheTimer) {
  FakeScheduler scheduler;
  Event event;
  TaskGroup group;
  const auto body = [](Event* of) -> Task<> { co_await of->wait(1h); };
  group.spawn(body(&event));
  event.set();
  scheduler.run();
  EXPECT_EQ(group.size(), 0U);
  EXPECT_EQ(scheduler.now_ms, 0U);
}

TEST(Event, WithTimeoutTakesAWait) {
  FakeScheduler scheduler;
  Event event;
  const auto body = [](Event* of) -> Task<> { co_await with_timeout(20ms, of->wait()); };
  EXPECT_THROW(scheduler.run(body(&event)), TimeoutError);
  EXPECT_EQ(scheduler.now_ms, 20U);
}

TEST(Event, AStopEndsTheWaitInALaterTurn) {
  FakeScheduler scheduler;
  Event event;
  StopSource stop;
  detail::TaskRunner runner;
  bool cancelled = false;
  const auto body = [](Event* of, bool* flag) -> Task<> {
    try {
      co_await of->wait(1h);
    } catch (const CancelledError&) {
      *flag = true;
    }
  };
  runner.start(
      body(&event, &cancelled), stop.state(), [](void*, std::exception_ptr) {}, nullptr);
  stop.request_stop();
  EXPECT_FALSE(cancelled) << "resumed inside request_stop()";
  scheduler.run();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(scheduler.now_ms, 0U);
}

TEST(Event, AStopBeforeTheWaitEndsItToo) {
  FakeScheduler scheduler;
  Event event;
  StopSource stop;
  stop.request_stop();
  const auto body = [](Event* of) -> Task<> { co_await of->wait(); };
  EXPECT_THROW(scheduler.run(body(&event), stop.state()), CancelledError);
}

TEST(Event, DestroyingItCancelsTheWaits) {
  FakeScheduler scheduler;
  auto event = std::make_unique<Event>();
  TaskGroup group;
  const auto body = [](Event* of) -> Task<> { co_await of->wait(); };
  group.spawn(body(event.get()));
  event.reset();
  const auto join = [](TaskGroup* of) -> Task<> { co_await of->join(); };
  EXPECT_THROW(scheduler.run(join(&group)), CancelledError);
}

TEST(Event, AWaitMayBeKeptAndAwaitedLater) {
  FakeScheduler scheduler;
  Event event;
  const auto body = [](Event* of) -> Task<> {
    auto later = of->wait(10ms);
    of->set();
    co_await later;
  };
  EXPECT_NO_THROW(scheduler.run(body(&event)));
}

TEST(Event, ManyMayWait) {
  FakeScheduler scheduler;
  Event event;
  std::vector<int> order;
  TaskGroup group;
  for (int who = 0; who < 50'000; ++who) group.spawn(note_after(&event, &order, who));
  event.set();
  scheduler.run();
  EXPECT_EQ(order.size(), 50'000U);
}

}  // namespace
}  // namespace squall
