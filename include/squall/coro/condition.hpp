// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/waiter.hpp>

#include <cstddef>

namespace squall {

/// Lets coroutines wait until another one says that something has changed.
///
/// There is no lock beside it: a loop is one thread, so between looking at the state and waiting
/// nothing can happen. Look again after the wait, for others may have run before. It belongs to one
/// loop; any number may wait, without allocation. Destroying it ends the waits with CancelledError.
class Condition {
 public:
  class WaitAwaiter : public detail::Waiter {
   public:
    explicit WaitAwaiter(Condition& condition) noexcept : Waiter(condition.waiters_) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_resume() { end_or_throw(); }
  };
  class TimedWaitAwaiter : public detail::Waiter {
   public:
    TimedWaitAwaiter(Condition& condition, Duration timeout) noexcept
        : Waiter(condition.waiters_, timeout) {}
    [[nodiscard]] bool await_ready() noexcept { return times_out_at_once(); }
    bool await_resume();
  };

  Condition() noexcept : waiters_(this, &pass_on) {}

  /// Wakes the first `n` of those who wait, in a turn to come. One that is cancelled before it has
  /// resumed passes the notification on to the next.
  void notify(std::size_t n = 1) noexcept;
  /// Wakes all who wait now.
  void notify_all() noexcept { waiters_.grant_all(); }

  /// Waits for a notification. CancelledError when the task is asked to stop.
  [[nodiscard]] WaitAwaiter wait() noexcept { return WaitAwaiter(*this); }
  /// For at most `timeout`; gives whether a notification came. Zero gives false at once.
  [[nodiscard]] TimedWaitAwaiter wait(Duration timeout) noexcept {
    return TimedWaitAwaiter(*this, timeout);
  }

 private:
  static void pass_on(void* self) noexcept { static_cast<Condition*>(self)->notify(1); }

  detail::WaitList waiters_;
};

}  // namespace squall
