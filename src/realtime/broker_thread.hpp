// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/function.hpp>
#include <squall/loop/ioloop.hpp>

#include <mutex>
#include <thread>

namespace squall::realtime {

/// A thread with a loop of its own, for the connections that all loops of a process share.
class BrokerThread {
 public:
  BrokerThread() = default;
  BrokerThread(const BrokerThread&) = delete;
  BrokerThread& operator=(const BrokerThread&) = delete;
  ~BrokerThread() { stop(nullptr); }

  /// Starts the thread; `begin` is its first turn. May be called once.
  void start(MoveOnlyFunction<void()> begin);

  /// Runs `function` on the thread's loop. False before start() and after stop(): it will not run.
  [[nodiscard]] bool post(MoveOnlyFunction<void()> function);

  /// Runs what was posted, then `end`, and waits for the thread's end. Does nothing when it does
  /// not run. A UsageError from the thread itself, which cannot wait for its own end.
  void stop(MoveOnlyFunction<void()> end);

 private:
  std::mutex mutex_;
  std::thread thread_;
  IOLoop* loop_ = nullptr;  // while posts are taken
};

}  // namespace squall::realtime
