// SPDX-License-Identifier: Apache-2.0
#include "coro/fake_scheduler.hpp"

#include <squall/coro/queue.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/coro/with_timeout.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::FakeScheduler;
using Numbers = std::vector<int>;

template <class Q>
Task<> put_all(Q* queue, Numbers items) {
  for (const int item : items) co_await queue->put(item);
}
template <class Q>
Task<> get_some(Q* queue, Numbers* out, int count) {
  for (int i = 0; i < count; ++i) {
    const int item = co_await queue->get();
    out->push_back(item);
  }
}
template <class Q>
Task<> get_all(Q* queue, Numbers* out) {
  for (;;) {
    const auto item = co_await queue->next();
    if (!item) break;
    out->push_back(*item);
  }
}
template <class Q>
Numbers drain(Q& queue) {
  Numbers all;
  while (auto item = queue.try_get()) all.push_back(*item);
  return all;
}

TEST(Queue, GivesFirstWhatCameFirst) {
  FakeScheduler scheduler;
  Queue<int> queue;
  EXPECT_EQ(queue.maxsize(), limits::queue_items);
  EXPECT_TRUE(queue.empty());
  scheduler.run(put_all(&queue, {3, 1, 2}));
  EXPECT_EQ(queue.qsize(), 3U);
  EXPECT_EQ(drain(queue), (Numbers{3, 1, 2}));
}

TEST(Queue, APutWaitsForRoomAndAGetForAnItem) {
  FakeScheduler scheduler;
  Queue<int> queue(2);
  Numbers got;
  TaskGroup group;
  group.spawn(put_all(&queue, {1, 2, 3, 4, 5}));
  EXPECT_TRUE(queue.full());
  scheduler.run();
  EXPECT_EQ(group.size(), 1U);
  group.spawn(get_some(&queue, &got, 6));
  scheduler.run();
  EXPECT_EQ(got, (Numbers{1, 2, 3, 4, 5}));
  EXPECT_EQ(group.size(), 1U);
  EXPECT_TRUE(queue.try_put(6));
  EXPECT_EQ(got.size(), 5U) << "resumed inside try_put()";
  EXPECT_TRUE(queue.empty()) << "an item that was promised counts as free";
  scheduler.run();
  EXPECT_EQ(got.back(), 6);
}

TEST(Queue, GetsAreServedInTheirOrder) {
  FakeScheduler scheduler;
  Queue<int> queue;
  Numbers first;
  Numbers second;
  TaskGroup group;
  group.spawn(get_some(&queue, &first, 1));
  queue.put_nowait(1);
  queue.put_nowait(2);
  group.spawn(get_some(&queue, &second, 1));  // begins while the first has not resumed yet
  scheduler.run();
  EXPECT_EQ(first, (Numbers{1}));
  EXPECT_EQ(second, (Numbers{2}));
}

TEST(Queue, PutsAreServedInTheirOrder) {
  FakeScheduler scheduler;
  Queue<int> queue(1);
  TaskGroup group;
  group.spawn(put_all(&queue, {1, 2}));
  group.spawn(put_all(&queue, {3}));
  EXPECT_EQ(queue.get_nowait(), 1);
  EXPECT_FALSE(queue.try_put(9)) << "took the room that a waiting put was promised";
  Numbers got;
  group.spawn(get_some(&queue, &got, 2));
  scheduler.run();
  EXPECT_EQ(got, (Numbers{2, 3}));
}

TEST(Queue, TheNowaitCallsTellWhatIsWrong) {
  Queue<int> queue(1);
  EXPECT_THROW(queue.get_nowait(), QueueEmpty);
  queue.put_nowait(1);
  EXPECT_THROW(queue.put_nowait(2), QueueFull);
  queue.close();
  EXPECT_THROW(queue.put_nowait(2), QueueClosed);
  EXPECT_EQ(queue.get_nowait(), 1);
  EXPECT_THROW(queue.get_nowait(), QueueClosed);
}

TEST(Queue, WhatCannotBePutIsLeftAlone) {
  Queue<std::unique_ptr<int>> queue(1);
  auto item = std::make_unique<int>(1);
  ASSERT_TRUE(queue.try_put(std::move(item)));
  item = std::make_unique<int>(2);
  ASSERT_FALSE(queue.try_put(std::move(item)));
  const int kept = item ? *item : 0;  // NOLINT(bugprone-use-after-move): this is the point
  EXPECT_EQ(kept, 2);
}

TEST(Queue, RefusesToHaveNoRoom) { EXPECT_THROW(Queue<int>(0), UsageError); }

TEST(Queue, PutAndGetTimeOut) {
  FakeScheduler scheduler;
  Queue<std::string> queue(1);
  const auto get = [](Queue<std::string>* of, Duration limit) -> Task<> {
    const std::string text = co_await of->get(limit);
    EXPECT_EQ(text, "in time");
  };
  const auto put = [](Queue<std::string>* of, Duration limit) -> Task<> {
    co_await of->put("in time", limit);
  };
  EXPECT_THROW(scheduler.run(get(&queue, 10ms)), TimeoutError);
  EXPECT_EQ(scheduler.now_ms, 10U);
  EXPECT_THROW(scheduler.run(get(&queue, 0s)), TimeoutError);
  EXPECT_NO_THROW(scheduler.run(put(&queue, 0s)));
  EXPECT_THROW(scheduler.run(put(&queue, 0s)), TimeoutError);
  EXPECT_THROW(scheduler.run(put(&queue, 7ms)), TimeoutError);
  EXPECT_EQ(scheduler.now_ms, 17U);
  EXPECT_NO_THROW(scheduler.run(get(&queue, 0s)));
  EXPECT_TRUE(queue.empty());
}

TEST(Queue, WithTimeoutTakesGetsAndPuts) {
  FakeScheduler scheduler;
  Queue<std::unique_ptr<int>> queue(1);
  const auto body = [](Queue<std::unique_ptr<int>>* of) -> Task<> {
    auto item = std::make_unique<int>(5);
    co_await with_timeout(1s, of->put(std::move(item)));
    const auto back = co_await with_timeout(1s, of->get());
    EXPECT_EQ(*back, 5);
    co_await with_timeout(1s, of->get());
  };
  EXPECT_THROW(scheduler.run(body(&queue)), TimeoutError);
  EXPECT_EQ(scheduler.now_ms, 1000U);
}

TEST(Queue, AnItemPromisedToWhoLeavesGoesToTheNext) {
  FakeScheduler scheduler;
  Queue<int> queue;
  Numbers got;
  TaskGroup stays;
  {
    TaskGroup leaves;
    leaves.spawn(get_some(&queue, &got, 1));
    stays.spawn(get_some(&queue, &got, 2));
    queue.put_nowait(1);
    queue.put_nowait(2);
  }
  scheduler.run();
  EXPECT_EQ(got, (Numbers{1, 2}));
}

TEST(Queue, JoinWaitsUntilAllWorkIsDone) {
  FakeScheduler scheduler;
  Queue<int> queue(1);
  const auto work = [](Queue<int>* of, Numbers* done) -> Task<> {
    for (;;) {
      const int item = co_await of->get();
      co_await sleep(10ms);
      done->push_back(item);
      of->task_done();
    }
  };
  const auto body = [](Queue<int>* of, Numbers* done) -> Task<> {
    co_await of->join();
    EXPECT_EQ(done->size(), 3U) << "did not wait for a put that waits";
    co_await of->join(0s);
  };
  Numbers done;
  TaskGroup group;
  group.spawn(put_all(&queue, {1, 2, 3}));
  group.spawn(work(&queue, &done));
  scheduler.run(body(&queue, &done));
  EXPECT_EQ(scheduler.now_ms, 30U);
  queue.put_nowait(4);
  const auto early = [](Queue<int>* of) -> Task<> { co_await of->join(5ms); };
  EXPECT_THROW(scheduler.run(early(&queue)), TimeoutError);
}

TEST(Queue, TooManyTaskDoneAreAMistake) {
  Queue<int> queue;
  EXPECT_THROW(queue.task_done(), UsageError);
  queue.put_nowait(1);
  queue.task_done();
  EXPECT_THROW(queue.task_done(), UsageError);
}

TEST(Queue, ClosingEndsTheConsumersLoopAfterTheLastItem) {
  FakeScheduler scheduler;
  Queue<int> queue;
  Numbers got;
  TaskGroup group;
  group.spawn(get_all(&queue, &got));
  group.spawn(get_all(&queue, &got));
  queue.put_nowait(1);
  queue.put_nowait(2);
  queue.put_nowait(3);
  queue.close();
  queue.close();
  EXPECT_TRUE(queue.is_closed());
  scheduler.run();
  EXPECT_EQ(group.size(), 0U);
  EXPECT_EQ(got, (Numbers{1, 2, 3}));
  EXPECT_FALSE(queue.try_put(4));
  EXPECT_THROW(scheduler.run(get_some(&queue, &got, 1)), QueueClosed);
}

TEST(Queue, ClosingFailsThePutsThatWait) {
  FakeScheduler scheduler;
  Queue<int> queue(1);
  TaskGroup group;
  group.spawn(put_all(&queue, {1, 2}));
  queue.close();
  const auto join = [](TaskGroup* of) -> Task<> { co_await of->join(); };
  EXPECT_THROW(scheduler.run(join(&group)), QueueClosed);
  EXPECT_EQ(drain(queue), (Numbers{1}));
}

TEST(Queue, DestroyingItCancelsTheWaits) {
  FakeScheduler scheduler;
  auto queue = std::make_unique<Queue<int>>(1);
  Numbers got;
  TaskGroup group;
  group.spawn(get_some(queue.get(), &got, 1));
  queue->put_nowait(1);  // promised, and gone with the queue
  queue.reset();
  const auto join = [](TaskGroup* of) -> Task<> { co_await of->join(); };
  EXPECT_THROW(scheduler.run(join(&group)), CancelledError);
  EXPECT_TRUE(got.empty());
}

struct Fussy {
  explicit Fussy(int what) : value(what) {}
  Fussy(Fussy&& other) : value(other.value) {  // NOLINT: it is meant to throw
    if (fails) throw std::runtime_error("does not move");
  }
  Fussy& operator=(Fussy&&) = default;
  static inline bool fails = false;
  int value;
};

TEST(Queue, AnItemThatFailsToMoveStaysInTheQueue) {
  FakeScheduler scheduler;
  Queue<Fussy> queue(1);
  ASSERT_TRUE(queue.try_put(Fussy(1)));
  Fussy::fails = true;
  EXPECT_THROW(static_cast<void>(queue.try_get()), std::runtime_error);
  Fussy::fails = false;
  const auto item = queue.try_get();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->value, 1);
}

TEST(PriorityQueue, GivesTheLowestFirst) {
  FakeScheduler scheduler;
  PriorityQueue<int> queue;
  scheduler.run(put_all(&queue, {3, 1, 2, 5, 4}));
  EXPECT_EQ(drain(queue), (Numbers{1, 2, 3, 4, 5}));
}

TEST(PriorityQueue, AgreesWithSortingWhateverComes) {
  unsigned random = 1;
  PriorityQueue<int> queue;
  std::multiset<int> model;
  for (int i = 0; i < 20'000; ++i) {
    random = random * 1'664'525 + 1'013'904'223;
    if (random >> 30 != 0 || model.empty()) {
      const int item = static_cast<int>(random >> 16 & 0xff);
      queue.put_nowait(item);
      model.insert(item);
    } else {
      ASSERT_EQ(queue.get_nowait(), *model.begin());
      model.erase(model.begin());
    }
    if (model.size() > 500) {
      while (!model.empty()) {
        ASSERT_EQ(queue.get_nowait(), *model.begin());
        model.erase(model.begin());
      }
    }
  }
}

TEST(PriorityQueue, EqualOnesKeepTheirOrder) {
  using Job = std::pair<int, std::string>;
  struct ByNumber {
    bool operator()(const Job& a, const Job& b) const { return a.first < b.first; }
  };
  PriorityQueue<Job, ByNumber> queue(100);
  for (int i = 0; i < 50; ++i) queue.put_nowait(Job(i % 2, std::to_string(i)));
  int before = -1;
  for (int i = 0; i < 50; ++i) {
    const Job job = queue.get_nowait();
    if (i == 25) before = -1;
    EXPECT_GT(std::stoi(job.second), before);
    before = std::stoi(job.second);
  }
}

TEST(PriorityQueue, TakesAnOrderOfItsOwn) {
  struct Order {
    bool descending;
    bool operator()(int a, int b) const { return descending ? a > b : a < b; }
  };
  PriorityQueue<int, Order> queue(10, Order{true});
  for (const int item : {3, 1, 2}) queue.put_nowait(item);
  EXPECT_EQ(drain(queue), (Numbers{3, 2, 1}));
}

TEST(LifoQueue, GivesTheLatestFirst) {
  FakeScheduler scheduler;
  LifoQueue<int> queue(2);
  Numbers got;
  TaskGroup group;
  group.spawn(put_all(&queue, {1, 2, 3}));
  group.spawn(get_some(&queue, &got, 3));
  scheduler.run();
  EXPECT_EQ(got, (Numbers{2, 1, 3}));
}

}  // namespace
}  // namespace squall
