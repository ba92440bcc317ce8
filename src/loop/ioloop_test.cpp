// SPDX-License-Identifier: Apache-2.0
#include <squall/base/log.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/loop/periodic_callback.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;

/// Collects log lines while it lives.
class CapturedLog {
 public:
  CapturedLog() {
    log::set_sink(
        [](void* self, log::Level, std::string_view, std::string_view message) {
          auto& log = *static_cast<CapturedLog*>(self);
          const std::scoped_lock lock(log.mutex_);
          log.text_.append(message).push_back('\n');
        },
        this);
  }
  ~CapturedLog() { log::set_sink(nullptr, nullptr); }
  std::string text() {
    const std::scoped_lock lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

TEST(IOLoop, RunSyncGivesTheTasksValue) {
  const auto body = []() -> Task<std::string> {
    co_await sleep(1ms);
    co_return "done";
  };
  EXPECT_EQ(IOLoop::current().run_sync(body()), "done");
  EXPECT_EQ(IOLoop::current().run_sync(body), "done");
}

TEST(IOLoop, RunSyncPassesExceptionsOn) {
  const auto body = []() -> Task<> {
    co_await sleep(1ms);
    throw Error("no");
  };
  EXPECT_THROW(IOLoop::current().run_sync(body()), Error);
}

TEST(IOLoop, RunSyncEndsAtItsTimeout) {
  const auto body = []() -> Task<> { co_await sleep(1h); };
  EXPECT_THROW(IOLoop::current().run_sync(body(), 5ms), TimeoutError);
}

TEST(IOLoop, RunSyncInsideTheLoopIsRefused) {
  const auto body = []() -> Task<> {
    bool refused = false;
    try {
      IOLoop::current().run_sync([]() -> Task<> { co_return; });
    } catch (const UsageError&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    co_return;
  };
  IOLoop::current().run_sync(body());
}

TEST(IOLoop, StopBeforeStartMakesItReturnAtOnce) {
  IOLoop::current().stop();
  IOLoop::current().start();
}

TEST(IOLoop, PostedFunctionsRunInOrder) {
  std::vector<int> order;
  IOLoop& loop = IOLoop::current();
  loop.post([&] { order.push_back(1); });
  loop.add_callback([&](int value) { order.push_back(value); }, 2);
  loop.post([&] { loop.stop(); });
  loop.start();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(IOLoop, AnotherThreadsPostWakesIt) {
  IOLoop& loop = IOLoop::current();
  std::thread other([&loop] { loop.post([&loop] { loop.stop(); }); });
  loop.start();
  other.join();
}

TEST(IOLoop, ManyThreadsMayPostAtOnce) {
  IOLoop& loop = IOLoop::current();
  constexpr int threads = 4;
  constexpr int posts = 2000;
  int count = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < threads; ++i) {
    others.emplace_back([&] {
      for (int n = 0; n < posts; ++n) {
        loop.post([&] {
          if (++count == threads * posts) loop.stop();
        });
      }
    });
  }
  loop.start();
  for (std::thread& other : others) other.join();
  EXPECT_EQ(count, threads * posts);
}

TEST(IOLoop, ExceptionsOfPostedFunctionsAreLogged) {
  CapturedLog log;
  IOLoop& loop = IOLoop::current();
  loop.post([] { throw Error("oh no"); });
  loop.post([&] { loop.stop(); });
  loop.start();
  EXPECT_NE(log.text().find("oh no"), std::string::npos);
}

TEST(IOLoop, TimersFireInOrderAndNotEarly) {
  IOLoop& loop = IOLoop::current();
  std::vector<int> order;
  const TimePoint begin = loop.time();
  loop.call_later(20ms, [&] {
    order.push_back(20);
    EXPECT_GE(loop.time() - begin, Duration(20ms));
    loop.stop();
  });
  loop.call_later(5ms, [&] { order.push_back(5); });
  const TimeoutHandle removed = loop.call_later(10ms, [&] { order.push_back(10); });
  loop.call_at(begin, [&] { order.push_back(0); });
  loop.remove_timeout(removed);
  loop.remove_timeout(removed);
  loop.start();
  EXPECT_EQ(order, (std::vector<int>{0, 5, 20}));
}

TEST(IOLoop, SpawnedTasksThatFailAreLogged) {
  CapturedLog log;
  IOLoop& loop = IOLoop::current();
  spawn([]() -> Task<> {
    co_await sleep(1ms);
    throw Error("lost and found");
  });
  loop.run_sync([]() -> Task<> { co_await sleep(10ms); });
  EXPECT_NE(log.text().find("lost and found"), std::string::npos);
}

TEST(IOLoop, ALoopsEndEndsItsTasks) {
  struct Flag {
    bool* set;
    ~Flag() { *set = true; }
  };
  bool ended = false;
  std::thread other([&ended] {
    const auto body = [](bool* flag) -> Task<> {
      const Flag guard{flag};
      co_await sleep(1h);
    };
    IOLoop::current().spawn(body, &ended);
  });
  other.join();
  EXPECT_TRUE(ended);
}

TEST(IOLoop, SignalsReachTheLoop) {
  IOLoop& loop = IOLoop::current();
  loop.add_signal_handler(SIGUSR1, [&loop] { loop.stop(); });
  loop.post([] { std::raise(SIGUSR1); });
  loop.start();
  loop.remove_signal_handler(SIGUSR1);
  struct sigaction now {};
  ::sigaction(SIGUSR1, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(IOLoop, ABlockedTurnIsReportedWithItsStack) {
  CapturedLog log;
  IOLoop& loop = IOLoop::current();
  loop.set_blocking_threshold(20ms);
  loop.post([&] {
    // Blocks until the report is there: a condition, not a time.
    while (log.text().find("the loop is blocked") == std::string::npos) {
      std::this_thread::sleep_for(1ms);
    }
    loop.stop();
  });
  loop.start();
  loop.set_blocking_threshold(100ms);
  EXPECT_NE(log.text().find("\nat "), std::string::npos) << log.text();
}

TEST(PeriodicCallback, FiresAgainAndAgainUntilItStops) {
  IOLoop& loop = IOLoop::current();
  int calls = 0;
  PeriodicCallback* self = nullptr;
  PeriodicCallback periodic(
      [&] {
        if (++calls == 3) {
          self->stop();
          loop.stop();
        }
      },
      2ms);
  self = &periodic;
  periodic.start();
  EXPECT_TRUE(periodic.is_running());
  loop.start();
  EXPECT_EQ(calls, 3);
  EXPECT_FALSE(periodic.is_running());
}

TEST(PeriodicCallback, RefusesAPeriodOfZero) {
  EXPECT_THROW(PeriodicCallback([] {}, 0ms), UsageError);
}

}  // namespace
}  // namespace squall
