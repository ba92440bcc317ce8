// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>

#include <cstdint>
#include <exception>
#include <map>

namespace squall::detail {

/// A scheduler for tests of this room: time moves only when nothing else is left to do.
class FakeScheduler final : public Scheduler {
 public:
  FakeScheduler() {
    instance = this;
    Scheduler::set_factory([]() -> Scheduler& { return *instance; });
  }
  ~FakeScheduler() { Scheduler::set_factory(nullptr); }

  void make_ready(ReadyNode& node) noexcept override {
    if (!node.is_linked()) ready_.append(node);
  }
  void start_timer(TimerNode& node, Duration delay) noexcept override {
    node.due_ms = now_ms + static_cast<std::uint64_t>(delay.milliseconds());
    node.next = node.previous = &node;
    timers_.emplace(node.due_ms, &node);
  }
  void stop_timer(TimerNode& node) noexcept override {
    std::erase_if(timers_, [&node](const auto& entry) { return entry.second == &node; });
    node.next = node.previous = nullptr;
  }

  void run() {
    for (;;) {
      if (!ready_.is_empty()) {
        ReadyNode& node = ready_.take_first();
        node.run(node);
      } else if (!timers_.empty()) {
        TimerNode& node = *timers_.begin()->second;
        now_ms = timers_.begin()->first;
        stop_timer(node);
        node.fire(node);
      } else {
        return;
      }
    }
  }

  /// Runs `task` to its end and rethrows what it threw.
  void run(Task<> task, StopState* stop = nullptr) {
    TaskRunner runner;
    std::exception_ptr error;
    runner.start(
        std::move(task), stop,
        [](void* out, std::exception_ptr what) { *static_cast<std::exception_ptr*>(out) = what; },
        &error);
    run();
    if (error) std::rethrow_exception(error);
  }

  std::uint64_t now_ms = 0;

 private:
  static inline FakeScheduler* instance = nullptr;
  NodeRing<ReadyNode> ready_;
  std::multimap<std::uint64_t, TimerNode*> timers_;
};

}  // namespace squall::detail
