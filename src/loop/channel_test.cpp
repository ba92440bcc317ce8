// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_testing.hpp"

#include <squall/coro/detail/task_runner.hpp>
#include <squall/coro/multi.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/loop/channel.hpp>
#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;
using Numbers = std::vector<int>;

Task<> send_range(Channel<int> channel, int first, int count) {
  for (int item = first; item < first + count; ++item) co_await channel.send(item);
}
Task<> receive_all(Channel<int> channel, Numbers* out) {
  for (;;) {
    const auto item = co_await channel.receive();
    if (!item) break;
    out->push_back(*item);
  }
}
Task<> receive_one(Channel<int> channel, Numbers* out) {
  const auto item = co_await channel.receive();
  if (item) out->push_back(*item);
}
Task<> turns(int count) {
  for (int i = 0; i < count; ++i) co_await sleep(0s);
}

TEST(Channel, PassesItemsOnOneLoopInOrder) {
  const auto body = []() -> Task<> {
    Channel<int> channel(2);
    EXPECT_EQ(channel.max_items(), 2U);
    Numbers got;
    TaskGroup group;
    group.spawn(send_range(channel, 0, 100));
    group.spawn(receive_all(channel, &got));
    while (got.size() < 100) co_await sleep(0s);
    channel.close();
    co_await group.join();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
  };
  IOLoop::current().run_sync(body());
}

TEST(Channel, PassesThingsThatOnlyMoveToAnotherThread) {
  const Channel<std::unique_ptr<std::string>> channel(1);
  std::thread sender([channel] {
    const auto body = [](Channel<std::unique_ptr<std::string>> to) -> Task<> {
      for (int i = 0; i < 1000; ++i) {
        auto text = std::make_unique<std::string>(std::to_string(i));
        co_await to.send(std::move(text));
      }
      to.close();
    };
    IOLoop::current().run_sync(body(channel));
  });
  const auto body = [](Channel<std::unique_ptr<std::string>> from) -> Task<> {
    int next = 0;
    for (;;) {
      const auto text = co_await from.receive();
      if (!text) break;
      EXPECT_EQ(**text, std::to_string(next));
      ++next;
    }
    EXPECT_EQ(next, 1000);
  };
  IOLoop::current().run_sync(body(channel));
  sender.join();
}

TEST(Channel, ManyLoopsShareItAndNothingIsLost) {
  constexpr int each = 2000;
  const Channel<int> channel(7);
  std::atomic<int> senders{3};
  std::vector<Numbers> got(3);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([channel, i, &senders] {
      IOLoop::current().run_sync(send_range(channel, i * each, each));
      if (--senders == 0) channel.close();
    });
    threads.emplace_back([channel, out = &got[static_cast<std::size_t>(i)]] {
      IOLoop::current().run_sync(receive_all(channel, out));
    });
  }
  for (std::thread& thread : threads) thread.join();
  Numbers all;
  for (const Numbers& some : got) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 3U * each);
  for (int i = 0; i < 3 * each; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], i);
}

// Waits are given up at all moments, by their own time-outs, by with_timeout() and by destruction.
Task<> send_impatiently(Channel<int> channel, int first, int count, std::atomic<int>* sent) {
  for (int item = first; item < first + count;) {
    bool done = true;
    try {
      if (item % 2 == 0) {
        co_await channel.send(item, Duration::from_nanoseconds(item % 3 * 400'000));
      } else {
        co_await with_timeout(1ms, channel.send(item));
      }
    } catch (const TimeoutError&) {
      done = false;
    }
    if (!done) {
      co_await sleep(0s);
      continue;
    }
    ++item;
    ++*sent;
  }
}
Task<> receive_impatiently(Channel<int> channel, Numbers* out, int turn) {
  for (;;) {
    std::optional<int> item;
    bool timed_out = false;
    {
      TaskGroup abandoned;  // its wait is destroyed, often with an item on its way
      const auto peek = [](Channel<int> from, Numbers* to) -> Task<> {
        const auto got = co_await from.receive();
        if (got) to->push_back(*got);
      };
      abandoned.spawn(peek(channel, out));
      co_await turns(turn++ % 4);
    }
    try {
      item = co_await channel.receive(Duration::from_nanoseconds(turn % 3 * 400'000));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    if (item) {
      out->push_back(*item);
    } else if (timed_out) {
      co_await sleep(0s);
    } else {
      break;
    }
  }
}

TEST(Channel, WaitsThatAreGivenUpLoseAndDoubleNothing) {
  constexpr int each = 300;
  const Channel<int> channel(3);
  std::atomic<int> sent{0};
  std::vector<Numbers> got(2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([channel, i, &sent] {
      IOLoop::current().run_sync(send_impatiently(channel, i * each, each, &sent));
      if (sent == 2 * each) channel.close();
    });
    threads.emplace_back([channel, i, out = &got[static_cast<std::size_t>(i)]] {
      IOLoop::current().run_sync(receive_impatiently(channel, out, i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  Numbers all;
  for (const Numbers& some : got) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 2U * each);
  for (int i = 0; i < 2 * each; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(channel.size(), 0U);
}

TEST(Channel, TheTryCallsNeedNoLoop) {
  const Channel<int> channel(1);
  std::thread other([channel] {
    EXPECT_FALSE(channel.try_receive());
    EXPECT_TRUE(channel.try_send(1));
    EXPECT_FALSE(channel.try_send(2));
    EXPECT_EQ(channel.size(), 1U);
  });
  other.join();
  EXPECT_EQ(channel.try_receive(), 1);
  channel.close();
  channel.close();
  EXPECT_TRUE(channel.is_closed());
  EXPECT_FALSE(channel.try_send(3));
  EXPECT_FALSE(channel.try_receive());
}

TEST(Channel, AThreadWithoutALoopWakesOneThatWaits) {
  const Channel<int> channel;
  std::latch waits(1);
  std::thread other([channel, &waits] {
    waits.wait();
    EXPECT_TRUE(channel.try_send(5));
  });
  const auto body = [](Channel<int> from, std::latch* ready) -> Task<> {
    TaskGroup group;
    Numbers got;
    group.spawn(receive_one(from, &got));
    ready->count_down();
    co_await group.join();
    EXPECT_EQ(got, (Numbers{5}));
  };
  IOLoop::current().run_sync(body(channel, &waits));
  other.join();
}

TEST(Channel, TimesOut) {
  const auto body = []() -> Task<> {
    const Channel<int> channel(1);
    int timed_out = 0;
    for (const Duration limit : {Duration(0s), Duration(2ms)}) {
      try {
        co_await channel.receive(limit);
      } catch (const TimeoutError&) {
        ++timed_out;
      }
    }
    co_await channel.send(1, 0s);
    for (const Duration limit : {Duration(0s), Duration(2ms)}) {
      try {
        co_await channel.send(2, limit);
      } catch (const TimeoutError&) {
        ++timed_out;
      }
    }
    try {
      co_await with_timeout(2ms, channel.send(3));
    } catch (const TimeoutError&) {
      ++timed_out;
    }
    EXPECT_EQ(timed_out, 5);
    EXPECT_EQ(channel.size(), 1U);
    const auto item = co_await channel.receive(0s);
    EXPECT_EQ(item, 1);
  };
  IOLoop::current().run_sync(body());
}

TEST(Channel, AStopEndsTheWaitAndPassesTheItemOn) {
  const auto body = []() -> Task<> {
    const Channel<int> channel(1);
    Numbers first;
    Numbers second;
    TaskGroup leaves;
    TaskGroup stays;
    leaves.spawn(receive_one(channel, &first));
    stays.spawn(receive_one(channel, &second));
    EXPECT_TRUE(channel.try_send(1));
    leaves.request_stop();
    EXPECT_EQ(leaves.size(), 1U) << "resumed inside request_stop()";
    co_await stays.join();
    bool cancelled = false;
    try {
      co_await leaves.join();
    } catch (const CancelledError&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(second, (Numbers{1}));
  };
  IOLoop::current().run_sync(body());
}

TEST(Channel, ClosingEndsReceiversAndFailsSendersThatWait) {
  const auto body = []() -> Task<> {
    const Channel<int> channel(1);
    TaskGroup senders;
    senders.spawn(send_range(channel, 1, 2));
    channel.close();
    bool failed = false;
    try {
      co_await senders.join();
    } catch (const ChannelClosed&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
    Numbers got;
    co_await receive_all(channel, &got);
    EXPECT_EQ(got, (Numbers{1}));
    failed = false;
    try {
      co_await channel.send(3);
    } catch (const ChannelClosed&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
  };
  IOLoop::current().run_sync(body());
}

TEST(Channel, RefusesToHaveNoRoom) { EXPECT_THROW(Channel<int>(0), UsageError); }

TEST(Channel, WhatALoopWasPromisedGoesToOthersWhenItEnds) {
  const Channel<int> channel(1);
  std::latch waits(1);
  std::latch sent(1);
  Numbers got;
  std::thread other([&] {
    IOLoop::current().spawn(receive_one(channel, &got));
    IOLoop::current().run_sync(turns(3));
    waits.count_down();
    sent.wait();  // the loop stands still, with word of the item waiting for it
  });
  waits.wait();
  ASSERT_TRUE(channel.try_send(1));
  EXPECT_EQ(channel.size(), 0U);
  EXPECT_FALSE(channel.try_receive()) << "took what was promised to who waits";
  sent.count_down();
  other.join();
  EXPECT_EQ(channel.try_receive(), 1);
  EXPECT_TRUE(got.empty());
}

TEST(Channel, WhoWaitsOnALoopThatHasEndedIsPassedOver) {
  const Channel<int> channel(2);
  Numbers got;
  detail::TaskRunner runner;
  detail::TaskRunner second;
  std::thread other([&] {
    const auto done = [](void*, std::exception_ptr) { ADD_FAILURE() << "it has resumed"; };
    runner.start(receive_one(channel, &got), nullptr, done, nullptr);
    second.start(receive_one(channel, &got), nullptr, done, nullptr);
    IOLoop::current().run_sync(turns(3));
  });
  other.join();
  Numbers here;
  const auto body = [](Channel<int> of, Numbers* out) -> Task<> {
    TaskGroup group;
    group.spawn(receive_one(of, out));
    EXPECT_TRUE(of.try_send(2));
    co_await group.join();
  };
  IOLoop::current().run_sync(body(channel, &here), 5s);
  EXPECT_EQ(here, (Numbers{2}));
  runner.cancel();
  second.cancel();
  EXPECT_TRUE(got.empty());
}

TEST(Channel, WordThatALoopNoLongerReadsIsNotLost) {
  const Channel<int> channel(2);
  std::latch waits(1);
  std::latch sent(1);
  Numbers got;
  detail::TaskRunner runner;  // its coroutine outlives its loop
  std::thread other([&] {
    const auto done = [](void*, std::exception_ptr) { ADD_FAILURE() << "it has resumed"; };
    runner.start(receive_one(channel, &got), nullptr, done, nullptr);
    IOLoop::current().run_sync(turns(3));
    waits.count_down();
    sent.wait();
  });
  waits.wait();
  ASSERT_TRUE(channel.try_send(1));
  EXPECT_FALSE(channel.try_receive());
  sent.count_down();
  other.join();
  EXPECT_EQ(channel.try_receive(), 1);
  runner.cancel();
}

TEST(Channel, OutlivesItsHandlesWhileSomeoneWaits) {
  const auto body = []() -> Task<> {
    TaskGroup group;
    Numbers got;
    {
      const auto wait = [](Numbers* out) -> Task<> {
        auto channel = std::make_unique<Channel<int>>(1);
        auto waiting = channel->receive();
        EXPECT_TRUE(channel->try_send(4));
        channel.reset();
        const auto item = co_await waiting;
        if (item) out->push_back(*item);
      };
      group.spawn(wait(&got));
    }
    co_await group.join();
    EXPECT_EQ(got, (Numbers{4}));
  };
  IOLoop::current().run_sync(body());
}

TEST(Channel, HandlesMayBeCopiedAndAssigned) {
  Channel<int> first(1);
  const Channel<int> second(1);
  const Channel<int> copy(first);
  EXPECT_TRUE(copy.try_send(1));
  EXPECT_EQ(first.try_receive(), 1);
  first = second;
  EXPECT_TRUE(first.try_send(2));
  EXPECT_EQ(second.try_receive(), 2);
}

}  // namespace
}  // namespace squall
