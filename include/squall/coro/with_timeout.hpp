// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/task.hpp>

#include <utility>

namespace squall {

namespace detail {

/// Asks for a stop when the time is up or when the outer scope is asked to stop.
class TimeoutScope : private TimerNode, private StopNode {
 public:
  TimeoutScope(Duration limit, StopState* outer);
  ~TimeoutScope();

  [[nodiscard]] StopState* stop_state() const noexcept { return source_.state(); }
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

 private:
  StopSource source_;
  Scheduler* scheduler_;
  bool timed_out_ = false;
};

}  // namespace detail

/// Awaits `task` for at most `limit`, then asks it to stop and throws TimeoutError.
///
/// Cancellation is cooperative: the error comes out when the task has ended, which the awaits of
/// this library do at once. A task that ends with a value after all keeps it.
template <class T>
Task<T> with_timeout(Duration limit, Task<T> task) {
  auto* const outer = co_await detail::CurrentStopState();
  detail::TimeoutScope scope(limit, outer);
  task.set_stop_state(scope.stop_state());
  try {
    co_return co_await task;
  } catch (const CancelledError&) {
    if (!scope.timed_out()) throw;
  }
  throw TimeoutError("timed out");
}

}  // namespace squall
