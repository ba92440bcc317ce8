// SPDX-License-Identifier: Apache-2.0
#include <squall/loop/executor.hpp>
#include <squall/testing.hpp>
#include <squall/web.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace squall::testing {
namespace {

using std::chrono::steady_clock;

struct Hour : web::RequestHandler {
  Task<> get() {
    co_await sleep(Duration::from_seconds(3600));
    write("an hour later");
  }
};

struct Work : web::RequestHandler {
  Task<> get() {
    const auto work = [] { std::this_thread::sleep_for(std::chrono::milliseconds(40)); };
    const TimePoint before = IOLoop::current().time();
    co_await run_in_executor(work);
    write((IOLoop::current().time() - before).seconds() < 1 ? "in time" : "too late");
  }
};

class VirtualTime : public ::testing::Test {
 protected:
  web::Application app{{{"/hour", web::handler<Hour>}, {"/work", web::handler<Work>}}};
  HTTPTest test{app, {.virtual_time = true}};
};

TEST_F(VirtualTime, AnHourIsOverAtOnce) {
  const auto before = steady_clock::now();
  EXPECT_EQ(test.fetch("/hour").body(), "an hour later");
  EXPECT_LT(steady_clock::now() - before, std::chrono::minutes(1));
}

TEST_F(VirtualTime, TimersFireInOrderAndAtTheirTime) {
  std::vector<int> fired;
  IOLoop& loop = IOLoop::current();
  const TimePoint start = loop.time();
  for (const int seconds : {90, 5, 3600}) {
    loop.call_later(Duration::from_seconds(seconds), [&, seconds] {
      fired.push_back(seconds);
      const Duration late = loop.time() - start - Duration::from_seconds(seconds);
      EXPECT_GE(late.nanoseconds(), 0);
      EXPECT_LT(late.milliseconds(), 1000);
    });
  }
  test.advance(Duration::from_seconds(100));
  EXPECT_EQ(fired, (std::vector<int>{5, 90}));
  test.advance(Duration::from_seconds(3600));
  EXPECT_EQ(fired, (std::vector<int>{5, 90, 3600}));
}

TEST_F(VirtualTime, WaitsForWhatRunsOnOtherThreads) {
  IOLoop::current().call_later(Duration::from_seconds(60), [] {});
  EXPECT_EQ(test.fetch("/work").body(), "in time");
}

TEST_F(VirtualTime, IdleConnectionsAreClosedInTime) {
  EXPECT_EQ(test.fetch("/none").code(), 404);
  test.advance(Duration::from_seconds(100));  // idle_connection_timeout is 75 s
  EXPECT_EQ(test.fetch("/none").code(), 404);
}

TEST(RealTime, GoesOnFromWhereVirtualTimeWas) {
  const TimePoint before = IOLoop::current().time();
  {
    web::Application app;
    HTTPTest test(app, {.virtual_time = true});
    test.advance(Duration::from_seconds(3600));
  }
  EXPECT_GE((IOLoop::current().time() - before).seconds(), 3600);
  web::Application app{{{"/work", web::handler<Work>}}};
  HTTPTest test(app);
  EXPECT_EQ(test.fetch("/work").body(), "in time");
  const auto started = steady_clock::now();
  test.advance(Duration::from_milliseconds(30));
  EXPECT_GE(steady_clock::now() - started, std::chrono::milliseconds(29));
}

}  // namespace
}  // namespace squall::testing
