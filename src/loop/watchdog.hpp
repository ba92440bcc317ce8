// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <vector>

namespace squall::loop {

class LoopCore;

/// Reports loops that are blocked: one thread looks at all loops of the process a few times within
/// the threshold, and asks the blocked one's thread, by a signal, where it stands.
///
/// It sleeps for longer and longer while no loop has anything to do, and is then woken by the first
/// that has, so that an idle process stays idle.
class Watchdog {
 public:
  static Watchdog& instance();

  /// From the loop's own thread.
  void add(const LoopCore& core, std::int64_t threshold_ns);
  void set_threshold(const LoopCore& core, std::int64_t threshold_ns);
  void remove(const LoopCore& core) noexcept;

  /// Called as a loop wakes up; a plain load unless the watchdog is asleep.
  void notice() noexcept {
    if (asleep_.load()) wake();
  }

  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  struct Watched {
    const LoopCore* core;
    pthread_t thread;
    std::int64_t threshold_ns;
    std::uint64_t reported_turn_ns;  // busy_since of the turn that was reported last
  };

  Watchdog() = default;
  ~Watchdog();
  void wake() noexcept;
  void run();
  void report(const Watched& watched, std::uint64_t busy_ns);

  std::mutex mutex_;
  std::condition_variable condition_;
  std::vector<Watched> watched_;
  std::thread thread_;
  bool stopping_ = false;
  std::atomic<bool> asleep_{false};
};

}  // namespace squall::loop
