// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/task.hpp>

#include <coroutine>

namespace squall {

namespace detail {

/// Gives the awaiting coroutine's stop state; never suspends.
struct CurrentStopState {
  CurrentStopState() noexcept {}
  StopState* state = nullptr;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
    state = stop_state_of(waiting);
    return false;
  }
  [[nodiscard]] StopState* await_resume() const noexcept { return state; }
};

class SleepAwaiter : private TimerNode, private StopNode {
 public:
  explicit SleepAwaiter(Duration delay) noexcept
      : TimerNode(&on_timer), StopNode(&on_stop), delay_(delay) {}
  SleepAwaiter(SleepAwaiter&& other) noexcept : SleepAwaiter(other.delay_) {}
  SleepAwaiter& operator=(SleepAwaiter&&) = delete;
  ~SleepAwaiter();

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, stop_state_of(waiting));
  }
  void await_resume() const {
    if (cancelled_) throw CancelledError();
  }

 private:
  void suspend(std::coroutine_handle<> waiting, StopState* stop);
  static void on_timer(TimerNode& node) noexcept;
  static void on_stop(StopNode& node) noexcept;

  ResumeNode resume_;
  Scheduler* scheduler_ = nullptr;
  Duration delay_;
  bool cancelled_ = false;
};

}  // namespace detail

/// Waits for `delay`, never less; zero or below lets one turn of the loop pass.
/// Resolution is a millisecond. Ends early with CancelledError when the task is asked to stop.
[[nodiscard]] inline detail::SleepAwaiter sleep(Duration delay) noexcept {
  return detail::SleepAwaiter(delay);
}

}  // namespace squall
