// SPDX-License-Identifier: Apache-2.0
#include "coro/fake_scheduler.hpp"

#include <squall/base/log.hpp>
#include <squall/coro/as_completed.hpp>
#include <squall/coro/multi.hpp>
#include <squall/coro/sleep.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::FakeScheduler;

Task<int> value_after(int milliseconds) {
  co_await sleep(std::chrono::milliseconds(milliseconds));
  co_return milliseconds;
}
Task<std::unique_ptr<std::string>> text_after(int milliseconds) {
  co_await sleep(std::chrono::milliseconds(milliseconds));
  co_return std::make_unique<std::string>("text");
}
Task<> nothing_after(int milliseconds) { co_await sleep(std::chrono::milliseconds(milliseconds)); }
Task<int> fail_after(int milliseconds, const char* text) {
  co_await sleep(std::chrono::milliseconds(milliseconds));
  throw std::runtime_error(text);
}

struct KeptLog {
  KeptLog() {
    log::set_sink(
        [](void* self, log::Level, std::string_view, std::string_view text) {
          static_cast<KeptLog*>(self)->lines.emplace_back(text);
        },
        this);
  }
  ~KeptLog() { log::set_sink(nullptr, nullptr); }
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;
  std::vector<std::string> lines;
};

TEST(Multi, GivesTheValuesInTheOrderOfTheTasks) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    std::vector<Task<int>> tasks;
    for (const int time : {30, 10, 20}) tasks.push_back(value_after(time));
    const auto values = co_await multi(std::move(tasks));
    EXPECT_EQ(values, (std::vector<int>{30, 10, 20}));
  };
  scheduler.run(body());
  EXPECT_EQ(scheduler.now_ms, 30U) << "they did not run side by side";
}

TEST(Multi, TakesTasksOfDifferentTypes) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    const auto both = co_await multi(value_after(5), nothing_after(9), text_after(7));
    static_assert(std::is_same_v<std::remove_const_t<decltype(both)>,
                                 std::tuple<int, std::unique_ptr<std::string>>>);
    EXPECT_EQ(std::get<0>(both), 5);
    EXPECT_EQ(*std::get<1>(both), "text");
    co_await multi(nothing_after(1), Task<>());
    std::vector<Task<>> none;
    co_await multi(std::move(none));
    std::vector<Task<>> two;
    two.push_back(nothing_after(1));
    two.push_back(nothing_after(2));
    co_await multi(std::move(two));
  };
  scheduler.run(body());
  EXPECT_EQ(scheduler.now_ms, 12U);
}

TEST(Multi, TheFirstErrorComesOutAfterAllHaveEndedAndOthersAreLogged) {
  FakeScheduler scheduler;
  KeptLog kept;
  const auto body = []() -> Task<> {
    std::string text;
    try {
      co_await multi(fail_after(20, "second"), fail_after(10, "first"), nothing_after(40));
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    EXPECT_EQ(text, "first");
  };
  scheduler.run(body());
  EXPECT_EQ(scheduler.now_ms, 40U) << "did not wait for the one that went well";
  ASSERT_EQ(kept.lines.size(), 1U);
  EXPECT_NE(kept.lines[0].find("second"), std::string::npos);
}

TEST(Multi, AStopReachesAllOfThem) {
  FakeScheduler scheduler;
  KeptLog kept;
  StopSource stop;
  detail::TaskRunner runner;
  std::exception_ptr error;
  const auto body = []() -> Task<> { co_await multi(value_after(1000), value_after(2000)); };
  runner.start(
      body(), stop.state(),
      [](void* out, std::exception_ptr what) { *static_cast<std::exception_ptr*>(out) = what; },
      &error);
  stop.request_stop();
  scheduler.run();
  ASSERT_TRUE(error);
  EXPECT_THROW(std::rethrow_exception(error), CancelledError);
  EXPECT_EQ(scheduler.now_ms, 0U);
  EXPECT_TRUE(kept.lines.empty());
}

TEST(Multi, DestroyingItEndsWhatStillRuns) {
  FakeScheduler scheduler;
  {
    TaskGroup group;
    const auto body = []() -> Task<> { co_await multi(value_after(10), nothing_after(20)); };
    group.spawn(body());
  }
  scheduler.run();
  EXPECT_EQ(scheduler.now_ms, 0U);
}

TEST(AsCompleted, GivesTheResultsAsTheyCome) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    std::vector<Task<int>> tasks;
    for (const int time : {30, 10, 20}) tasks.push_back(value_after(time));
    auto results = as_completed(std::move(tasks));
    std::vector<std::size_t> order;
    while (!results.done()) {
      const int value = co_await results.next();
      order.push_back(results.current_index());
      EXPECT_EQ(value, results.current_index() == 0 ? 30 : results.current_index() == 1 ? 10 : 20);
    }
    EXPECT_EQ(order, (std::vector<std::size_t>{1, 2, 0}));
    bool refused = false;
    try {
      co_await results.next();
    } catch (const UsageError&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
  };
  scheduler.run(body());
}

TEST(AsCompleted, AnErrorComesOutOfItsOwnTurnOnly) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    std::vector<Task<int>> tasks;
    tasks.push_back(fail_after(10, "failed"));
    tasks.push_back(value_after(20));
    auto results = as_completed(std::move(tasks));
    bool failed = false;
    try {
      co_await results.next();
    } catch (const std::runtime_error&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
    EXPECT_EQ(results.current_index(), 0U);
    const int value = co_await results.next();
    EXPECT_EQ(value, 20);
  };
  scheduler.run(body());
}

TEST(AsCompleted, TasksThatEndAtOnceAreFine) {
  FakeScheduler scheduler;
  const auto body = []() -> Task<> {
    std::vector<Task<>> tasks;
    tasks.push_back(nothing_after(5));
    tasks.emplace_back();
    WaitIterator<void> results(std::move(tasks));
    co_await results.next();
    EXPECT_EQ(results.current_index(), 1U);
  };
  scheduler.run(body());
  EXPECT_EQ(scheduler.now_ms, 0U) << "the task that still ran was not ended";
}

}  // namespace
}  // namespace squall
