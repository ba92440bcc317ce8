// SPDX-License-Identifier: Apache-2.0
#include "coro/fake_scheduler.hpp"

#include <squall/coro/condition.hpp>
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

Task<> note_after(Condition* condition, std::vector<int>* order, int who) {
  co_await condition->wait();
  order->push_back(who);
}

TEST(Condition, NotifiesTheFirstWhoWait) {
  FakeScheduler scheduler;
  Condition condition;
  std::vector<int> order;
  TaskGroup group;
  for (const int who : {1, 2, 3, 4, 5}) group.spawn(note_after(&condition, &order, who));
  condition.notify();
  EXPECT_TRUE(order.empty()) << "resumed inside notify()";
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1}));
  condition.notify(2);
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  condition.notify_all();
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST(Condition, ANotificationThatNobodyWaitsForIsForgotten) {
  FakeScheduler scheduler;
  Condition condition;
  std::vector<int> order;
  condition.notify(7);
  condition.notify_all();
  TaskGroup group;
  group.spawn(note_after(&condition, &order, 1));
  scheduler.run();
  EXPECT_TRUE(order.empty());
}

TEST(Condition, ATimedWaitTellsWhetherItWasNotified) {
  FakeScheduler scheduler;
  Condition condition;
  std::vector<int> told;
  const auto body = [](Condition* of, std::vector<int>* out, Duration limit) -> Task<> {
    const bool notified = co_await of->wait(limit);
    out->push_back(notified ? 1 : 0);
  };
  scheduler.run(body(&condition, &told, 15ms));
  EXPECT_EQ(told, (std::vector<int>{0}));
  EXPECT_EQ(scheduler.now_ms, 15U);
  TaskGroup group;
  group.spawn(body(&condition, &told, 1h));
  condition.notify();
  scheduler.run();
  EXPECT_EQ(told, (std::vector<int>{0, 1}));
  EXPECT_EQ(scheduler.now_ms, 15U);
  scheduler.run(body(&condition, &told, 0s));
  EXPECT_EQ(told, (std::vector<int>{0, 1, 0}));
}

TEST(Condition, WithTimeoutThrowsInstead) {
  FakeScheduler scheduler;
  Condition condition;
  const auto body = [](Condition* of) -> Task<> { co_await with_timeout(5ms, of->wait()); };
  EXPECT_THROW(scheduler.run(body(&condition)), TimeoutError);
}

TEST(Condition, WhoIsDestroyedPassesItsNotificationOn) {
  FakeScheduler scheduler;
  Condition condition;
  std::vector<int> order;
  TaskGroup stays;
  {
    TaskGroup leaves;
    leaves.spawn(note_after(&condition, &order, 1));
    stays.spawn(note_after(&condition, &order, 2));
    condition.notify();
  }
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{2}));
}

TEST(Condition, WhatIsToldToAllIsNotPassedOn) {
  FakeScheduler scheduler;
  Condition condition;
  std::vector<int> order;
  TaskGroup stays;
  {
    TaskGroup leaves;
    leaves.spawn(note_after(&condition, &order, 1));
    condition.notify_all();
    stays.spawn(note_after(&condition, &order, 2));
  }
  scheduler.run();
  EXPECT_TRUE(order.empty());
}

TEST(Condition, DestroyingItCancelsTheWaits) {
  FakeScheduler scheduler;
  auto condition = std::make_unique<Condition>();
  std::vector<int> order;
  TaskGroup group;
  group.spawn(note_after(condition.get(), &order, 1));
  condition.reset();
  const auto join = [](TaskGroup* of) -> Task<> { co_await of->join(); };
  EXPECT_THROW(scheduler.run(join(&group)), CancelledError);
  EXPECT_TRUE(order.empty());
}

}  // namespace
}  // namespace squall
