// SPDX-License-Identifier: Apache-2.0
// Every way in which producers and consumers of a queue can interleave, with a stop request, a
// destruction or a time-out at every possible moment: no item is lost or doubled, the order is
// kept, and nobody waits for what is there.
#include "coro/interleaving_testing.hpp"

#include <squall/coro/as_completed.hpp>
#include <squall/coro/multi.hpp>
#include <squall/coro/queue.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/with_timeout.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::explore;
using detail::World;
using End = World::End;

template <class Queue>
struct Belt {
  explicit Belt(std::size_t max) : queue(max) {}
  Queue queue;
  std::vector<int> put;
  std::vector<int> got;
  int waiting_puts = 0;
  int waiting_gets = 0;
  bool joined_early = false;
};

/// Counts who is inside a wait, however it ends.
struct Waiting {
  explicit Waiting(int* where) : number(where) { ++*number; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { --*number; }
  int* number;
};

template <class Q>
Task<> produce(Belt<Q>* belt, int first, int count) {
  for (int item = first; item < first + count; ++item) {
    {
      const Waiting waiting(&belt->waiting_puts);
      co_await belt->queue.put(item);
    }
    belt->put.push_back(item);
  }
}
template <class Q>
Task<> consume(Belt<Q>* belt, int count) {
  for (int i = 0; i < count; ++i) {
    const Waiting waiting(&belt->waiting_gets);
    const int item = co_await belt->queue.get();
    belt->got.push_back(item);
  }
}
template <class Q>
Task<> consume_in_time(Belt<Q>* belt) {
  const int item = co_await belt->queue.get(1s);
  belt->got.push_back(item);
}

template <class Q>
void expect_nothing_lost(Belt<Q>& belt) {
  EXPECT_TRUE(belt.queue.empty() || belt.waiting_gets == 0) << "a getter waits beside an item";
  EXPECT_TRUE(belt.queue.full() || belt.waiting_puts == 0) << "a putter waits beside room";
  std::vector<int> seen = belt.got;
  while (std::optional<int> item = belt.queue.try_get()) seen.push_back(*item);
  std::sort(seen.begin(), seen.end());
  std::sort(belt.put.begin(), belt.put.end());
  EXPECT_EQ(seen, belt.put);
}

TEST(QueueInterleavings, ItemsAreNeitherLostNorDoubledAndKeepTheirOrder) {
  const std::size_t runs = explore([](World& world) {
    auto& belt = world.make<Belt<Queue<int>>>(std::size_t{1});
    world.add(produce(&belt, 1, 3));
    world.add(consume(&belt, 2));
    world.add(consume(&belt, 1));
    world.allow(1, 1);
    world.run();
    EXPECT_TRUE(std::is_sorted(belt.got.begin(), belt.got.end()));
    expect_nothing_lost(belt);
  });
  EXPECT_GT(runs, 1000U);
}

TEST(QueueInterleavings, TwoProducersShareAQueueOfOne) {
  explore([](World& world) {
    auto& belt = world.make<Belt<Queue<int>>>(std::size_t{1});
    world.add(produce(&belt, 1, 1));
    world.add(produce(&belt, 2, 1));
    world.add(consume(&belt, 1));
    world.add(consume_in_time(&belt));
    world.allow(1, 1);
    world.run();
    expect_nothing_lost(belt);
  });
}

TEST(QueueInterleavings, WithoutStrikesEverybodyEnds) {
  explore([](World& world) {
    auto& belt = world.make<Belt<PriorityQueue<int>>>(std::size_t{2});
    world.add(produce(&belt, 1, 2));
    world.add(produce(&belt, 3, 2));
    world.add(consume(&belt, 2));
    world.add(consume(&belt, 2));
    world.run();
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(world.end(i), End::value);
    expect_nothing_lost(belt);
  });
}

template <class Q>
Task<> consume_all(Belt<Q>* belt) {
  for (;;) {
    const std::optional<int> item = co_await belt->queue.next();
    if (!item) break;
    belt->got.push_back(*item);
    belt->queue.task_done();
  }
}
template <class Q>
Task<> join_done(Belt<Q>* belt) {
  co_await belt->queue.join();
}
template <class Q>
Task<> close_soon(Belt<Q>* belt) {
  co_await sleep(0s);
  belt->queue.close();
}

TEST(QueueInterleavings, ClosingEndsEverybodyAndDropsNothing) {
  explore([](World& world) {
    auto& belt = world.make<Belt<LifoQueue<int>>>(std::size_t{1});
    world.add(produce(&belt, 1, 2));
    world.add(consume_all(&belt));
    world.add(consume_all(&belt));
    const std::size_t closer = world.add(close_soon(&belt));
    world.allow(1, 0);
    world.run();
    if (world.was_struck(closer)) return;
    for (std::size_t i = 0; i < world.size(); ++i) {
      EXPECT_FALSE(world.is_running(i)) << "task " << i << " waits for a closed queue";
    }
    EXPECT_TRUE(belt.queue.empty()) << "a consumer left before the end";
    expect_nothing_lost(belt);
  });
}

TEST(QueueInterleavings, AfterClosingJoinEndsWithTheWork) {
  explore([](World& world) {
    auto& belt = world.make<Belt<Queue<int>>>(std::size_t{1});
    world.add(produce(&belt, 1, 2));
    const std::size_t consumer = world.add(consume_all(&belt));
    const std::size_t closer = world.add(close_soon(&belt));
    const std::size_t joiner = world.add(join_done(&belt));
    world.allow(1, 1);
    world.run();
    if (world.was_struck(closer) || world.was_struck(consumer)) return;
    EXPECT_FALSE(world.is_running(joiner)) << "join waits for nothing";
    expect_nothing_lost(belt);
  });
}

template <class Q>
Task<> work(Belt<Q>* belt) {
  for (;;) {
    const int item = co_await belt->queue.get();
    co_await sleep(0s);
    belt->got.push_back(item);
    belt->queue.task_done();
  }
}
template <class Q>
Task<> join(Belt<Q>* belt) {
  const std::size_t before = belt->put.size() + static_cast<std::size_t>(belt->waiting_puts);
  co_await belt->queue.join();
  belt->joined_early = belt->got.size() < before;
}

TEST(QueueInterleavings, JoinEndsWhenTheWorkIsDoneAndNotBefore) {
  explore([](World& world) {
    auto& belt = world.make<Belt<Queue<int>>>(std::size_t{1});
    world.add(produce(&belt, 1, 2));
    world.add(work(&belt));
    const std::size_t joiner = world.add(join(&belt));
    world.allow(2, 0);
    world.run();
    EXPECT_TRUE(world.was_struck(1) || !world.is_running(joiner));
    EXPECT_TRUE(world.was_struck(0) || !belt.joined_early);
  });
}

template <class Q>
Task<> destroy(std::unique_ptr<Belt<Q>> belt) {
  static_cast<void>(belt->queue.try_put(7));
  belt.reset();
  co_return;
}

TEST(QueueInterleavings, ADestroyedQueueLeavesNobodyWaiting) {
  explore([](World& world) {
    auto belt = std::make_unique<Belt<Queue<int>>>(1);
    Belt<Queue<int>>* const raw = belt.get();
    const auto get = [](Belt<Queue<int>>* of) -> Task<> { co_await of->queue.get(); };
    const auto put = [](Belt<Queue<int>>* of) -> Task<> { co_await of->queue.put(9); };
    const auto wait = [](Belt<Queue<int>>* of) -> Task<> { co_await of->queue.join(); };
    static_cast<void>(raw->queue.try_put(1));
    world.add(put(raw));
    world.add(put(raw));
    world.add(wait(raw));
    world.run();
    world.add(get(raw));
    world.add(destroy(std::move(belt)));
    world.allow(0, 1);
    // The get must begin before the end: it is what makes room for the first put.
    world.begin(3);
    world.run();
    for (std::size_t i = 0; i < world.size(); ++i) EXPECT_FALSE(world.is_running(i));
  });
}

Task<int> value_after_turn(int value) {
  co_await sleep(0s);
  co_return value;
}
Task<> gather(int* sum) {
  const auto both = co_await multi(value_after_turn(1), value_after_turn(2));
  *sum = std::get<0>(both) + std::get<1>(both);
}
Task<> gather_in_time(int* sum) { co_await with_timeout(1s, gather(sum)); }

TEST(QueueInterleavings, MultiGivesAllOrEndsWhenAskedToStop) {
  explore([](World& world) {
    int sum = 0;
    const std::size_t gathering = world.add(gather_in_time(&sum));
    world.allow(1, 1);
    world.run();
    EXPECT_FALSE(world.is_running(gathering));
    EXPECT_EQ(sum, world.end(gathering) == End::value ? 3 : 0);
  });
}

Task<> sum_up(int* sum) {
  std::vector<Task<int>> tasks;
  for (const int value : {1, 2, 4}) tasks.push_back(value_after_turn(value));
  auto results = as_completed(std::move(tasks));
  bool skipped = false;
  while (!results.done()) {
    // A time-out now and then: the result that it missed comes with the next call.
    try {
      const int value = co_await with_timeout(1s, results.next());
      *sum += value;
    } catch (const TimeoutError&) {
      if (skipped) throw;
      skipped = true;
    }
  }
}

TEST(QueueInterleavings, AsCompletedGivesEachResultOnce) {
  explore([](World& world) {
    int sum = 0;
    const std::size_t summing = world.add(sum_up(&sum));
    world.allow(0, 1);
    world.run();
    EXPECT_FALSE(world.is_running(summing));
    EXPECT_TRUE(sum == 7 || world.end(summing) != End::value);
  });
}

}  // namespace
}  // namespace squall
