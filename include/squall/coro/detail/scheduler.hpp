// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/linked_node.hpp>

#include <coroutine>
#include <cstdint>

namespace squall::detail {

/// One piece of work that waits for its turn of the loop.
struct ReadyNode : LinkedNode<ReadyNode> {
  using Run = void (*)(ReadyNode& node) noexcept;

  ReadyNode() noexcept = default;
  explicit ReadyNode(Run what) noexcept : run(what) {}

  Run run = nullptr;
};

/// One timer of the wheel. It must be stopped before it is destroyed.
struct TimerNode : LinkedNode<TimerNode> {
  using Fire = void (*)(TimerNode& node) noexcept;

  TimerNode() noexcept = default;
  explicit TimerNode(Fire what) noexcept : fire(what) {}

  [[nodiscard]] bool is_armed() const noexcept { return is_linked(); }

  std::uint64_t due_ms = 0;  ///< on the scheduler's clock
  Fire fire = nullptr;
};

/// What coroutines need of the loop that runs them; the loop room implements it.
class Scheduler {
 public:
  /// The calling thread's; creates its loop when there is none yet.
  static Scheduler& current();
  /// How current() makes one; the loop room sets it.
  static void set_factory(Scheduler& (*factory)()) noexcept;

  /// Runs `node` in a turn to come, once.
  virtual void make_ready(ReadyNode& node) noexcept = 0;
  /// Fires `node` no earlier than `delay` from now; a delay below zero counts as zero.
  virtual void start_timer(TimerNode& node, Duration delay) noexcept = 0;
  virtual void stop_timer(TimerNode& node) noexcept = 0;

 protected:
  ~Scheduler() = default;
};

/// Resumes a coroutine in a turn to come.
struct ResumeNode : ReadyNode {
  ResumeNode() noexcept
      : ReadyNode(
            [](ReadyNode& node) noexcept { static_cast<ResumeNode&>(node).coroutine.resume(); }) {}
  std::coroutine_handle<> coroutine;
};

}  // namespace squall::detail
