// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/task.hpp>

#include <type_traits>
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

/// What is awaited itself, unlike a Task, and may be moved before: the waits of Event and Queue.
template <class T>
concept MovableAwaiter = std::is_move_constructible_v<T> && requires(T& awaiter) {
  awaiter.await_ready();
  awaiter.await_resume();
};

template <class Awaiter>
using AwaitedType = decltype(std::declval<Awaiter&>().await_resume());

template <MovableAwaiter Awaiter>
Task<AwaitedType<Awaiter>> as_task(Awaiter awaiter) {
  co_return co_await awaiter;
}

}  // namespace detail

/// Awaits `task` for at most `limit`, then asks it to stop and throws TimeoutError.
///
/// Cancellation is cooperative: the error comes out when the task has ended, which the awaits of
/// this library do at once. A task that ends with a value after all keeps it.
template <class T>
Task<T> with_timeout(Duration limit, Task<T> task) {
  auto* const outer = co_await detail::CurrentStopState();
  detail::TimeoutScope scope(limit, outer);
  Task<T> bounded = std::move(task);  // destroyed before the scope, to whose stop it listens
  bounded.set_stop_state(scope.stop_state());
  try {
    co_return co_await bounded;
  } catch (const CancelledError&) {
    if (!scope.timed_out()) throw;
  }
  throw TimeoutError("timed out");
}

/// The same for one wait: `co_await with_timeout(1s, queue.get())`. Cost: two pooled frames; the
/// waits' own time-outs, `queue.get(1s)`, have none.
template <detail::MovableAwaiter Awaiter>
[[nodiscard]] Task<detail::AwaitedType<Awaiter>> with_timeout(Duration limit, Awaiter awaiter) {
  return with_timeout(limit, detail::as_task(std::move(awaiter)));
}

}  // namespace squall
