// SPDX-License-Identifier: Apache-2.0
#include "coro/fake_scheduler.hpp"

#include <squall/coro/lock.hpp>
#include <squall/coro/semaphore.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/coro/with_timeout.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::FakeScheduler;

Task<> note_after(Semaphore* semaphore, std::vector<int>* order, int who) {
  co_await semaphore->acquire();
  order->push_back(who);
}

TEST(Semaphore, GivesAsManyPermitsAsItHas) {
  FakeScheduler scheduler;
  Semaphore semaphore(2);
  std::vector<int> order;
  TaskGroup group;
  for (const int who : {1, 2, 3, 4}) group.spawn(note_after(&semaphore, &order, who));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_EQ(semaphore.value(), 0);
  semaphore.release();
  EXPECT_EQ(order.size(), 2U) << "resumed inside release()";
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  semaphore.release();
  semaphore.release();
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(semaphore.value(), 1);
}

TEST(Semaphore, NobodyOvertakesWhoWaits) {
  FakeScheduler scheduler;
  Semaphore semaphore(0);
  std::vector<int> order;
  TaskGroup group;
  group.spawn(note_after(&semaphore, &order, 1));
  semaphore.release();
  EXPECT_FALSE(semaphore.try_acquire()) << "took the permit that the first one was granted";
  group.spawn(note_after(&semaphore, &order, 2));
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1}));
}

TEST(Semaphore, AScopedPermitComesBackByItself) {
  FakeScheduler scheduler;
  Semaphore semaphore(2);
  const auto body = [](Semaphore* of) -> Task<> {
    Semaphore::Permit outer;
    EXPECT_FALSE(outer);
    {
      auto first = co_await of->scoped();
      const auto second = co_await of->scoped(1s);
      EXPECT_TRUE(first);
      EXPECT_EQ(of->value(), 0);
      outer = std::move(first);
    }
    EXPECT_EQ(of->value(), 1);
    outer.release();
    outer.release();
    EXPECT_EQ(of->value(), 2);
  };
  scheduler.run(body(&semaphore));
  EXPECT_EQ(semaphore.value(), 2);
}

TEST(Semaphore, BoundsHowManyWorkAtOnce) {
  FakeScheduler scheduler;
  Semaphore semaphore(3);
  int now = 0;
  int most = 0;
  TaskGroup group;
  const auto body = [](Semaphore* of, int* count, int* peak) -> Task<> {
    const auto permit = co_await of->scoped();
    *peak = std::max(*peak, ++*count);
    co_await sleep(10ms);
    --*count;
  };
  for (int i = 0; i < 9; ++i) group.spawn(body(&semaphore, &now, &most));
  scheduler.run();
  EXPECT_EQ(most, 3);
  EXPECT_EQ(scheduler.now_ms, 30U);
}

TEST(Semaphore, TimesOut) {
  FakeScheduler scheduler;
  Semaphore semaphore(0);
  const auto timed = [](Semaphore* of, Duration limit) -> Task<> { co_await of->acquire(limit); };
  EXPECT_THROW(scheduler.run(timed(&semaphore, 25ms)), TimeoutError);
  EXPECT_EQ(scheduler.now_ms, 25U);
  EXPECT_THROW(scheduler.run(timed(&semaphore, 0s)), TimeoutError);
  const auto outside = [](Semaphore* of) -> Task<> {
    const auto permit = co_await with_timeout(10ms, of->scoped());
  };
  EXPECT_THROW(scheduler.run(outside(&semaphore)), TimeoutError);
  semaphore.release();
  EXPECT_NO_THROW(scheduler.run(timed(&semaphore, 0s)));
  EXPECT_EQ(semaphore.value(), 0);
}

TEST(Semaphore, AStopPassesTheGrantedPermitOn) {
  FakeScheduler scheduler;
  Semaphore semaphore(0);
  std::vector<int> order;
  StopSource stop;
  detail::TaskRunner first;
  bool cancelled = false;
  first.start(
      note_after(&semaphore, &order, 1), stop.state(),
      [](void* flag, std::exception_ptr error) { *static_cast<bool*>(flag) = error != nullptr; },
      &cancelled);
  TaskGroup group;
  group.spawn(note_after(&semaphore, &order, 2));
  semaphore.release();
  stop.request_stop();
  scheduler.run();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(order, (std::vector<int>{2}));
}

TEST(Semaphore, RefusesToBeginBelowZero) {
  EXPECT_THROW(Semaphore(-1), UsageError);
  EXPECT_THROW(BoundedSemaphore(-1), UsageError);
}

TEST(BoundedSemaphore, RefusesMorePermitsThanItGave) {
  BoundedSemaphore semaphore(2);
  EXPECT_THROW(semaphore.release(), UsageError);
  ASSERT_TRUE(semaphore.try_acquire());
  EXPECT_NO_THROW(semaphore.release());
  EXPECT_THROW(semaphore.release(), UsageError);
}

TEST(Lock, PassesToTheNextInOrder) {
  FakeScheduler scheduler;
  Lock lock;
  std::vector<int> order;
  TaskGroup group;
  const auto body = [](Lock* of, std::vector<int>* out, int who) -> Task<> {
    const Lock::Guard guard = co_await of->scoped();
    out->push_back(who);
    co_await sleep(1ms);
    out->push_back(who);
  };
  for (const int who : {1, 2, 3}) group.spawn(body(&lock, &order, who));
  EXPECT_TRUE(lock.locked());
  EXPECT_FALSE(lock.try_acquire());
  scheduler.run();
  EXPECT_EQ(order, (std::vector<int>{1, 1, 2, 2, 3, 3}));
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, IsAcquiredAndReleasedByHandToo) {
  FakeScheduler scheduler;
  Lock lock;
  const auto body = [](Lock* of) -> Task<> {
    co_await of->acquire();
    EXPECT_TRUE(of->locked());
    bool timed_out = false;
    try {
      co_await of->acquire(3ms);
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    of->release();
    EXPECT_TRUE(of->try_acquire());
    of->release();
  };
  scheduler.run(body(&lock));
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, ReleasingItUnlockedIsAMistake) {
  Lock lock;
  EXPECT_THROW(lock.release(), UsageError);
}

TEST(Lock, AnExceptionReleasesTheGuard) {
  FakeScheduler scheduler;
  Lock lock;
  const auto body = [](Lock* of) -> Task<> {
    const auto guard = co_await of->scoped(1s);
    throw Error("inside");
  };
  EXPECT_THROW(scheduler.run(body(&lock)), Error);
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, DestroyingItCancelsTheWaits) {
  FakeScheduler scheduler;
  auto lock = std::make_unique<Lock>();
  ASSERT_TRUE(lock->try_acquire());
  TaskGroup group;
  const auto body = [](Lock* of) -> Task<> { co_await of->acquire(); };
  group.spawn(body(lock.get()));
  group.spawn(body(lock.get()));
  lock->release();  // the first one has it, and is cancelled with the rest
  lock.reset();
  scheduler.run();
  EXPECT_EQ(group.size(), 0U);
}

}  // namespace
}  // namespace squall
