// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/waiter.hpp>

namespace squall {

/// A flag that coroutines wait for.
///
/// It belongs to one loop. Any number may wait: each wait is a part of its coroutine's frame and
/// costs no allocation. Destroying it ends the waits with CancelledError.
class Event {
 public:
  class WaitAwaiter : public detail::Waiter {
   public:
    explicit WaitAwaiter(Event& event) noexcept : Waiter(event.waiters_), event_(event) {}
    WaitAwaiter(Event& event, Duration timeout) noexcept
        : Waiter(event.waiters_, timeout), event_(event) {}
    [[nodiscard]] bool await_ready() noexcept { return event_.is_set_ || times_out_at_once(); }
    void await_resume() { end_or_throw(); }

   private:
    Event& event_;
  };

  Event() noexcept = default;

  /// Lets all who wait go on, in a turn to come, even if clear() is called before they do; waits
  /// end at once from now on.
  void set() noexcept;
  /// Makes waits wait again.
  void clear() noexcept { is_set_ = false; }
  [[nodiscard]] bool is_set() const noexcept { return is_set_; }

  /// Waits until the flag is set. CancelledError when the task is asked to stop.
  [[nodiscard]] WaitAwaiter wait() noexcept { return WaitAwaiter(*this); }
  /// For at most `timeout`, then throws TimeoutError; zero only looks.
  [[nodiscard]] WaitAwaiter wait(Duration timeout) noexcept { return WaitAwaiter(*this, timeout); }

 private:
  detail::WaitList waiters_;
  bool is_set_ = false;
};

}  // namespace squall
