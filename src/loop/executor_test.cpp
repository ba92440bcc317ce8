// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/sleep.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/loop/executor.hpp>
#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace squall {
namespace {

using namespace std::chrono_literals;

/// Holds worker threads until the test lets them go.
class Gate {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    condition_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool open_ = false;
};

std::string shout(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Executor, RunsOnAnotherThreadAndResumesOnTheLoop) {
  const auto body = []() -> Task<> {
    const auto here = std::this_thread::get_id();
    const auto there = co_await run_in_executor([] { return std::this_thread::get_id(); });
    EXPECT_NE(here, there);
    EXPECT_EQ(here, std::this_thread::get_id());
    const std::string text = co_await run_in_executor(shout, std::string("ha"), 3);
    EXPECT_EQ(text, "hahaha");
  };
  IOLoop::current().run_sync(body());
}

TEST(Executor, PassesExceptionsOn) {
  const auto body = []() -> Task<> {
    co_await run_in_executor([] { throw Error("from the thread"); });
  };
  EXPECT_THROW(IOLoop::current().run_sync(body()), Error);
}

TEST(Executor, TakesThingsThatOnlyMove) {
  const auto body = []() -> Task<> {
    auto value = std::make_unique<int>(7);
    auto doubled = co_await run_in_executor(
        [](std::unique_ptr<int> number) {
          *number *= 2;
          return number;
        },
        std::move(value));
    EXPECT_EQ(*doubled, 14);
  };
  IOLoop::current().run_sync(body());
}

TEST(Executor, AStoppedAwaitEndsWhileTheJobGoesOn) {
  Gate gate;
  Executor executor(1);
  const auto body = [](Executor* pool, Gate* held) -> Task<> {
    auto running = pool->run([](Gate* g) { g->wait(); }, held);
    co_await running;
  };
  EXPECT_THROW(IOLoop::current().run_sync(with_timeout(5ms, body(&executor, &gate))), TimeoutError);
  gate.open();
}

TEST(Executor, RefusesMoreJobsThanItsQueueHolds) {
  Gate gate;
  Executor executor(1, 1);
  const auto body = [](Executor* pool, Gate* held) -> Task<> {
    auto first = pool->run([](Gate* g) { g->wait(); }, held);
    bool refused = false;
    auto second = pool->run([] {});
    // The first may or may not have left the queue yet; one of these two must be too many.
    try {
      auto third = pool->run([] {});
      auto fourth = pool->run([] {});
      held->open();
      co_await third;
      co_await fourth;
    } catch (const Error&) {
      refused = true;
    }
    held->open();
    EXPECT_TRUE(refused);
    co_await first;
    co_await second;
  };
  EXPECT_THROW(
      {
        IOLoop::current().run_sync(body(&executor, &gate));
        throw Error("ended");
      },
      Error);
  gate.open();
}

TEST(Executor, AResultThatComesBeforeTheAwaitIsKept) {
  const auto body = []() -> Task<> {
    auto running = run_in_executor([] { return 5; });
    for (int i = 0; i < 20 && !running.await_ready(); ++i) co_await sleep(1ms);
    const int value = co_await running;
    EXPECT_EQ(value, 5);
  };
  IOLoop::current().run_sync(body());
}

}  // namespace
}  // namespace squall
