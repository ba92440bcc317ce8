// SPDX-License-Identifier: Apache-2.0
#include "loop/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace squall::loop {
namespace {

struct Probe : detail::TimerNode {
  Probe() : TimerNode([](TimerNode& node) noexcept { static_cast<Probe&>(node).fire_now(); }) {}
  void fire_now() {
    ++fired;
    if (order != nullptr) order->push_back(due_ms);
  }
  int fired = 0;
  std::vector<std::uint64_t>* order = nullptr;
};

TEST(TimerWheel, FiresAtTheMillisecondAndNotBefore) {
  for (const std::uint64_t delay : {1U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 262144U, 300000U}) {
    TimerWheel wheel(1'000'003);
    Probe probe;
    probe.due_ms = 1'000'003 + delay;
    wheel.start(probe);
    wheel.advance(probe.due_ms - 1);
    EXPECT_EQ(probe.fired, 0) << delay;
    wheel.advance(probe.due_ms);
    EXPECT_EQ(probe.fired, 1) << delay;
    EXPECT_FALSE(probe.is_armed());
    EXPECT_EQ(wheel.size(), 0U);
  }
}

TEST(TimerWheel, APastTimeFiresAtTheNextAdvance) {
  TimerWheel wheel(5000);
  Probe probe;
  probe.due_ms = 17;
  wheel.start(probe);
  EXPECT_EQ(wheel.next_due_in(), 0);
  wheel.advance(5000);
  EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, AStoppedTimerNeverFires) {
  TimerWheel wheel(0);
  Probe probe;
  probe.due_ms = 100;
  wheel.start(probe);
  wheel.stop(probe);
  wheel.stop(probe);
  wheel.advance(1000);
  EXPECT_EQ(probe.fired, 0);
  EXPECT_EQ(wheel.next_due_in(), -1);
}

TEST(TimerWheel, ManyRandomTimersFireInOrderAndInTime) {
  std::mt19937_64 random(42);
  std::uint64_t now = 123'456'789;
  TimerWheel wheel(now);
  std::vector<std::uint64_t> order;
  std::deque<Probe> probes(2000);
  for (Probe& probe : probes) {
    probe.order = &order;
    probe.due_ms = now + random() % 5'000'000;
    wheel.start(probe);
  }
  while (wheel.size() > 0) {
    const std::int64_t wait = wheel.next_due_in();
    ASSERT_GE(wait, 0);
    for (const Probe& probe : probes) {
      if (!probe.is_armed()) continue;
      ASSERT_GE(probe.due_ms, now + static_cast<std::uint64_t>(wait));
    }
    now += static_cast<std::uint64_t>(wait) + random() % 3;
    wheel.advance(now);
    for (const Probe& probe : probes) {
      ASSERT_EQ(probe.is_armed(), probe.due_ms > now);
    }
  }
  EXPECT_EQ(order.size(), probes.size());
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(TimerWheel, ATimerOfYearsIsKept) {
  TimerWheel wheel(10);
  Probe probe;
  probe.due_ms = 10 + (std::uint64_t{1} << 38);
  wheel.start(probe);
  wheel.advance(1'000'000);
  EXPECT_EQ(probe.fired, 0);
  EXPECT_EQ(wheel.size(), 1U);
  wheel.stop(probe);
}

struct Stopper : detail::TimerNode {
  Stopper()
      : TimerNode([](TimerNode& node) noexcept {
          auto& self = static_cast<Stopper&>(node);
          self.wheel->stop(*self.victim);
        }) {}
  TimerWheel* wheel = nullptr;
  Probe* victim = nullptr;
};

TEST(TimerWheel, ATimerMayStopAnotherThatIsDueInTheSameTurn) {
  TimerWheel wheel(0);
  Probe victim;
  Stopper stopper;
  stopper.wheel = &wheel;
  stopper.victim = &victim;
  stopper.due_ms = 5;
  victim.due_ms = 6;
  wheel.start(stopper);
  wheel.start(victim);
  wheel.advance(10);
  EXPECT_EQ(victim.fired, 0);
}

}  // namespace
}  // namespace squall::loop
