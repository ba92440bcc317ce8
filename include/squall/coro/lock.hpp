// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/semaphore.hpp>

namespace squall {

/// Lets one coroutine at a time into what spans several awaits; between two awaits nobody else runs
/// on the loop anyway.
///
/// It passes to those who wait in the order in which they began. It belongs to one loop, is not
/// recursive, and must outlive its Guards; any number may wait, without allocation. Destroying it
/// ends the waits with CancelledError.
class Lock {
 public:
  /// Releases the lock when it is destroyed.
  using Guard = Semaphore::Permit;

  Lock() = default;

  /// Takes the lock; release() gives it back. CancelledError when the task is asked to stop.
  [[nodiscard]] Semaphore::AcquireAwaiter acquire() noexcept { return semaphore_.acquire(); }
  /// Waits for at most `timeout`, then throws TimeoutError; zero only looks.
  [[nodiscard]] Semaphore::AcquireAwaiter acquire(Duration timeout) noexcept {
    return semaphore_.acquire(timeout);
  }
  /// As acquire(), for the scope of a variable: `const auto guard = co_await lock.scoped();`.
  [[nodiscard]] Semaphore::ScopedAwaiter scoped() noexcept { return semaphore_.scoped(); }
  [[nodiscard]] Semaphore::ScopedAwaiter scoped(Duration timeout) noexcept {
    return semaphore_.scoped(timeout);
  }
  /// Takes the lock if it is free now.
  [[nodiscard]] bool try_acquire() noexcept { return semaphore_.try_acquire(); }

  /// Passes the lock to the first who waits. A UsageError when it is not locked.
  void release();
  [[nodiscard]] bool locked() const noexcept { return semaphore_.value() == 0; }

 private:
  BoundedSemaphore semaphore_;
};

}  // namespace squall
