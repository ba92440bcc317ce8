// SPDX-License-Identifier: Apache-2.0
#include "coro/fake_scheduler.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/coro/task_group.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::FakeScheduler;

Task<> note(std::vector<int>* order, int value) {
  co_await sleep(std::chrono::milliseconds(value));
  order->push_back(value);
}

TEST(TaskGroup, RunsItsTasksSideBySide) {
  FakeScheduler scheduler;
  std::vector<int> order;
  const auto body = [](std::vector<int>* out) -> Task<> {
    TaskGroup group;
    group.spawn(note(out, 30));
    group.spawn(note, out, 10);
    group.spawn(note, out, 20);
    EXPECT_EQ(group.size(), 3U);
    co_await group.join();
    EXPECT_EQ(group.size(), 0U);
  };
  scheduler.run(body(&order));
  EXPECT_EQ(order, (std::vector<int>{10, 20, 30}));
  EXPECT_EQ(scheduler.now_ms, 30U);
}

Task<> fail_after(int milliseconds) {
  co_await sleep(std::chrono::milliseconds(milliseconds));
  throw std::runtime_error("failed");
}

TEST(TaskGroup, TheFirstErrorStopsTheOthersAndComesOutOfJoin) {
  FakeScheduler scheduler;
  std::vector<int> order;
  const auto body = [](std::vector<int>* out) -> Task<> {
    TaskGroup group;
    group.spawn(note(out, 5));
    group.spawn(note(out, 500));
    group.spawn(fail_after(10));
    co_await group.join();
  };
  EXPECT_THROW(scheduler.run(body(&order)), std::runtime_error);
  EXPECT_EQ(order, (std::vector<int>{5}));
  EXPECT_EQ(scheduler.now_ms, 10U);
}

TEST(TaskGroup, JoiningAnEmptyOneReturnsAtOnce) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    TaskGroup group;
    co_await group.join();
  };
  scheduler.run(body());
}

TEST(TaskGroup, DestroyingItEndsWhatStillRuns) {
  FakeScheduler scheduler;
  std::vector<int> order;
  {
    TaskGroup group;
    group.spawn(note(&order, 100));
  }
  scheduler.run();
  EXPECT_TRUE(order.empty());
  EXPECT_EQ(scheduler.now_ms, 0U);
}

TEST(TaskGroup, RefusesMoreThanItsLimit) {
  FakeScheduler scheduler;
  std::vector<int> order;
  TaskGroup group(1);
  group.spawn(note(&order, 1));
  EXPECT_THROW(group.spawn(note(&order, 2)), UsageError);
}

TEST(TaskGroup, ACapturingLambdaLivesUntilItsTaskHasEnded) {
  FakeScheduler scheduler;
  std::vector<int> order;
  const auto body = [](std::vector<int>* out) -> Task<> {
    TaskGroup group;
    const std::vector<int> values{7, 8, 9};
    const auto copies = [values, out]() -> Task<> {  // coroutine-ok: the group keeps the closure
      co_await sleep(1ms);
      for (const int value : values) out->push_back(value);
    };
    group.spawn(copies);
    co_await group.join();
  };
  scheduler.run(body(&order));
  EXPECT_EQ(order, (std::vector<int>{7, 8, 9}));
}

TEST(TaskGroup, MayBeJoinedAgainWhenTheFirstWhoWaitedWasDestroyed) {
  FakeScheduler scheduler;
  TaskGroup group;
  std::vector<int> order;
  group.spawn(note(&order, 5));
  const auto join = [](TaskGroup* of, bool* joined) -> Task<> {
    co_await of->join();
    *joined = true;
  };
  bool first = false;
  bool second = false;
  {
    detail::TaskRunner waiting;
    waiting.start(
        join(&group, &first), nullptr, [](void*, std::exception_ptr) {}, nullptr);
  }
  detail::TaskRunner runner;
  runner.start(
      join(&group, &second), nullptr, [](void*, std::exception_ptr) {}, nullptr);
  scheduler.run();
  EXPECT_FALSE(first);
  EXPECT_TRUE(second);
}

TEST(TaskGroup, AStopOfTheJoiningTaskReachesItsTasks) {
  FakeScheduler scheduler;
  StopSource stop;
  detail::TaskRunner runner;
  std::exception_ptr error;
  std::vector<int> order;
  const auto body = [](std::vector<int>* out) -> Task<> {
    TaskGroup group;
    group.spawn(note(out, 100));
    co_await group.join();
  };
  runner.start(
      body(&order), stop.state(),
      [](void* out, std::exception_ptr what) { *static_cast<std::exception_ptr*>(out) = what; },
      &error);
  stop.request_stop();
  scheduler.run();
  ASSERT_TRUE(error);
  EXPECT_THROW(std::rethrow_exception(error), CancelledError);
  EXPECT_TRUE(order.empty());
}

}  // namespace
}  // namespace squall
