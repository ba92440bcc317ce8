// SPDX-License-Identifier: Apache-2.0
#include "coro/fake_scheduler.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/coro/task.hpp>
#include <squall/coro/with_timeout.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::FakeScheduler;

struct Counted {
  static inline int alive = 0;
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() { --alive; }
};

Task<int> answer() { co_return 42; }

Task<std::string> failing() {
  co_await sleep(1ms);
  throw std::runtime_error("told you so");
}

TEST(Task, DoesNothingBeforeItIsAwaited) {
  bool began = false;
  const auto body = [](bool* flag) -> Task<> {
    *flag = true;
    co_return;
  };
  { const Task<> never = body(&began); }
  EXPECT_FALSE(began);
  FakeScheduler scheduler;
  scheduler.run(body(&began));
  EXPECT_TRUE(began);
}

TEST(Task, GivesItsValueOnce) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    Task<int> task = answer();
    const int value = co_await task;
    EXPECT_EQ(value, 42);
    bool refused = false;
    try {
      co_await task;
    } catch (const UsageError&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
  };
  scheduler.run(body());
}

TEST(Task, ExceptionsComeOutOfTheAwait) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    std::string text;
    try {
      text = co_await failing();
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    EXPECT_EQ(text, "told you so");
  };
  scheduler.run(body());
  EXPECT_THROW(scheduler.run([]() -> Task<> { co_await failing(); }()), std::runtime_error);
}

TEST(Task, AnEmptyTaskHasEndedAlready) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> { co_await Task<>(); };
  EXPECT_NO_THROW(scheduler.run(body()));
}

TEST(Task, MillionsOfReadyTasksUseConstantStack) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    long sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await answer();
    EXPECT_EQ(sum, 42'000'000);
  };
  scheduler.run(body());
}

Task<int> deep(int levels) {
  if (levels == 0) {
    co_await sleep(1ms);
    co_return 0;
  }
  const int below = co_await deep(levels - 1);
  co_return below + 1;
}

TEST(Task, ADeepChainResumesFromItsBottom) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    const int levels = co_await deep(1000);
    EXPECT_EQ(levels, 1000);
  };
  scheduler.run(body());
}

TEST(Task, DestroyingAWaitingTaskDestroysItsLocals) {
  FakeScheduler scheduler;
  Counted::alive = 0;
  {
    detail::TaskRunner runner;
    const auto body = []() -> Task<> {
      const Counted local;
      co_await sleep(1h);
    };
    runner.start(
        body(), nullptr, [](void*, std::exception_ptr) { FAIL(); }, nullptr);
    EXPECT_EQ(Counted::alive, 1);
  }
  EXPECT_EQ(Counted::alive, 0);
  scheduler.run();
  EXPECT_EQ(scheduler.now_ms, 0U) << "the timer of the destroyed sleep was left behind";
}

TEST(Sleep, WaitsForItsTime) {
  FakeScheduler scheduler;
  scheduler.run([]() -> Task<> { co_await sleep(1500ms); }());
  EXPECT_EQ(scheduler.now_ms, 1500U);
}

TEST(Sleep, EndsAtOnceWhenAskedToStop) {
  FakeScheduler scheduler;
  StopSource stop;
  detail::TaskRunner runner;
  bool cancelled = false;
  const auto body = [](bool* flag) -> Task<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      *flag = true;
    }
  };
  runner.start(
      body(&cancelled), stop.state(), [](void*, std::exception_ptr) {}, nullptr);
  stop.request_stop();
  EXPECT_FALSE(cancelled) << "resumed inside request_stop()";
  scheduler.run();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(scheduler.now_ms, 0U);
}

TEST(Sleep, AStopBeforeItBeginsEndsItToo) {
  FakeScheduler scheduler;
  StopSource stop;
  stop.request_stop();
  EXPECT_THROW(scheduler.run([]() -> Task<> { co_await sleep(1h); }(), stop.state()),
               CancelledError);
}

Task<int> slow_answer() {
  co_await sleep(10s);
  co_return 1;
}

TEST(WithTimeout, ThrowsWhenTheTimeIsUp) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> { co_await with_timeout(50ms, slow_answer()); };
  EXPECT_THROW(scheduler.run(body()), TimeoutError);
  EXPECT_EQ(scheduler.now_ms, 50U);
}

TEST(WithTimeout, GivesTheValueInTime) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    const int value = co_await with_timeout(20s, slow_answer());
    EXPECT_EQ(value, 1);
  };
  scheduler.run(body());
  EXPECT_EQ(scheduler.now_ms, 10'000U) << "the time-out's own timer was left behind";
}

TEST(WithTimeout, DestroyingItEndsTheWaitInside) {
  FakeScheduler scheduler;
  {
    detail::TaskRunner runner;
    const auto body = []() -> Task<> { co_await with_timeout(20s, slow_answer()); };
    runner.start(
        body(), nullptr, [](void*, std::exception_ptr) { FAIL(); }, nullptr);
  }
  scheduler.run();
  EXPECT_EQ(scheduler.now_ms, 0U);
}

TEST(WithTimeout, TakesASleep) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> { co_await with_timeout(5ms, sleep(1h)); };
  EXPECT_THROW(scheduler.run(body()), TimeoutError);
}

TEST(WithTimeout, PassesTheOuterStopInward) {
  FakeScheduler scheduler;
  StopSource stop;
  detail::TaskRunner runner;
  std::exception_ptr error;
  const auto body = []() -> Task<> { co_await with_timeout(20s, slow_answer()); };
  runner.start(
      body(), stop.state(),
      [](void* out, std::exception_ptr what) { *static_cast<std::exception_ptr*>(out) = what; },
      &error);
  stop.request_stop();
  scheduler.run();
  ASSERT_TRUE(error);
  EXPECT_THROW(std::rethrow_exception(error), CancelledError);
}

}  // namespace
}  // namespace squall
