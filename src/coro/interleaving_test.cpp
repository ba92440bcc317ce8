// SPDX-License-Identifier: Apache-2.0
// Every way in which a few tasks can interleave, with a stop request, a destruction or a time-out
// at every possible moment: nothing is lost, nobody waits for what is there, nobody overtakes.
#include "coro/interleaving_testing.hpp"

#include <squall/coro/condition.hpp>
#include <squall/coro/event.hpp>
#include <squall/coro/lock.hpp>
#include <squall/coro/semaphore.hpp>
#include <squall/coro/sleep.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using detail::explore;
using detail::World;
using End = World::End;

/// Whether `order` is what is left of `arrivals` when some are taken out.
bool keeps_order(const std::vector<int>& order, const std::vector<int>& arrivals) {
  auto at = arrivals.begin();
  return std::all_of(order.begin(), order.end(), [&](int value) {
    at = std::find(at, arrivals.end(), value);
    return at != arrivals.end() && at++ != arrivals.end();
  });
}

/// A room that lets in as many as its semaphore has permits.
struct Room {
  explicit Room(int places) : semaphore(places), free(places) {}
  BoundedSemaphore semaphore;
  int free;
  std::vector<int> arrivals;
  std::vector<int> entries;
};

struct Visit {
  explicit Visit(Room* where) : room(where) {
    --room->free;
    EXPECT_GE(room->free, 0) << "too many inside";
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() { ++room->free; }
  Room* room;
};

Task<> visit(Room* room, int who, bool timed) {
  room->arrivals.push_back(who);
  Semaphore::Permit permit;
  if (timed) {
    permit = co_await room->semaphore.scoped(1s);
  } else {
    permit = co_await room->semaphore.scoped();
  }
  room->entries.push_back(who);
  const Visit inside(room);
  co_await sleep(0s);
}

void visit_by_three(World& world, int places) {
  auto& room = world.make<Room>(places);
  for (int who = 0; who < 3; ++who) world.add(visit(&room, who, who == 1));
  world.run();
  for (std::size_t i = 0; i < world.size(); ++i) {
    EXPECT_FALSE(world.is_running(i)) << "task " << i << " waits though there are free places";
    EXPECT_TRUE(world.was_struck(i) || i == 1 || world.end(i) == End::value);
  }
  EXPECT_EQ(room.semaphore.value(), places) << "permits are lost";
  EXPECT_TRUE(places > 1 || keeps_order(room.entries, room.arrivals)) << "overtaken";
}

TEST(Interleavings, ALockLetsInOneAtATimeInTheirOrderAndIsNeverLost) {
  const std::size_t runs = explore([](World& world) {
    world.allow(2, 1);
    visit_by_three(world, 1);
  });
  EXPECT_GT(runs, 1000U);
}

TEST(Interleavings, ASemaphoreNeverLosesAPermit) {
  const std::size_t runs = explore([](World& world) {
    world.allow(2, 1);
    visit_by_three(world, 2);
  });
  EXPECT_GT(runs, 1000U);
}

Task<> acquire(Semaphore* semaphore, int* taken) {
  co_await semaphore->acquire();
  ++*taken;
}
Task<> release(Semaphore* semaphore, int* given) {
  semaphore->release();
  ++*given;
  co_await sleep(0s);
  semaphore->release();
  ++*given;
}

TEST(Interleavings, ReleasesOfASemaphoreWakeAsManyAsTheyShould) {
  explore([](World& world) {
    auto& semaphore = world.make<Semaphore>(0);
    int taken = 0;
    int given = 0;
    for (int i = 0; i < 3; ++i) world.add(acquire(&semaphore, &taken));
    world.add(release(&semaphore, &given));
    world.allow(1, 1);
    world.run();
    EXPECT_EQ(taken + semaphore.value(), given);
    if (semaphore.value() > 0) {
      for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(world.is_running(i)) << "a lost wake-up";
    }
  });
}

struct Gate {
  Event event;
  bool opened = false;
};
Task<> pass(Gate* gate, bool* was_before) {
  *was_before = !gate->opened;
  co_await gate->event.wait();
}
Task<> open_for_a_moment(Gate* gate) {
  gate->opened = true;
  gate->event.set();
  gate->event.clear();
  co_return;
}

TEST(Interleavings, AnEventWakesAllWhoWaitedEvenWhenItIsClearedAtOnce) {
  explore([](World& world) {
    auto& gate = world.make<Gate>();
    bool before[2] = {false, false};
    for (bool& flag : before) world.add(pass(&gate, &flag));
    world.add(open_for_a_moment(&gate));
    world.allow(1, 1);
    world.run();
    for (std::size_t i = 0; i < 2; ++i) {
      if (world.was_struck(i)) continue;
      EXPECT_EQ(world.end(i), before[i] && gate.opened ? End::value : End::running);
    }
  });
}

struct Shelf {
  Condition condition;
  int goods = 0;
  int taken = 0;
};
Task<> take_one(Shelf* shelf) {
  while (shelf->goods == 0) co_await shelf->condition.wait();
  --shelf->goods;
  ++shelf->taken;
}
Task<> take_one_in_time(Shelf* shelf) {
  while (shelf->goods == 0) {
    const bool notified = co_await shelf->condition.wait(1s);
    if (!notified) co_return;
  }
  --shelf->goods;
  ++shelf->taken;
}
Task<> bring_two(Shelf* shelf) {
  ++shelf->goods;
  shelf->condition.notify();
  co_await sleep(0s);
  ++shelf->goods;
  shelf->condition.notify();
}

TEST(Interleavings, ANotificationReachesSomeoneWhoIsStillThere) {
  const std::size_t runs = explore([](World& world) {
    auto& shelf = world.make<Shelf>();
    world.add(take_one(&shelf));
    world.add(take_one_in_time(&shelf));
    world.add(take_one(&shelf));
    const std::size_t producer = world.add(bring_two(&shelf));
    world.allow(1, 1);
    world.run();
    EXPECT_TRUE(world.was_struck(producer) || shelf.taken + shelf.goods == 2);
    if (shelf.goods > 0) {
      for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(world.is_running(i)) << "a lost wake-up";
    }
  });
  EXPECT_GT(runs, 1000U);
}

struct Fragile {
  Event event;
  Condition condition;
  Semaphore semaphore{0};
};
Task<> wait_for_event(Fragile* of) { co_await of->event.wait(); }
Task<> wait_for_condition(Fragile* of) { co_await of->condition.wait(); }
Task<> wait_for_semaphore(Fragile* of) { co_await of->semaphore.acquire(); }
Task<> wake_and_destroy(std::unique_ptr<Fragile> what) {
  what->event.set();
  what->condition.notify();
  what->semaphore.release();
  what.reset();
  co_return;
}

TEST(Interleavings, WhatIsDestroyedLeavesNobodyWaiting) {
  explore([](World& world) {
    auto fragile = std::make_unique<Fragile>();
    Fragile* const raw = fragile.get();
    // Waits that begin after the end would be a mistake of the program: all begin first.
    world.add(wait_for_event(raw));
    world.add(wait_for_condition(raw));
    world.add(wait_for_semaphore(raw));
    world.run();
    world.add(wake_and_destroy(std::move(fragile)));
    world.allow(1, 1);
    world.run();
    EXPECT_TRUE(world.was_struck(0) || world.end(0) == End::value);
    for (std::size_t i = 1; i < 3; ++i) EXPECT_FALSE(world.is_running(i));
  });
}

}  // namespace
}  // namespace squall
