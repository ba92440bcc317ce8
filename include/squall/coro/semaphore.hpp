// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/waiter.hpp>

#include <cstddef>
#include <utility>

namespace squall {

/// A number of permits; who finds none waits for one.
///
/// Waits are served in the order in which they began, and nobody overtakes them. It belongs to one
/// loop and must outlive the Permits it gave; any number may wait, without allocation. Destroying
/// it ends the waits with CancelledError.
class Semaphore {
 public:
  /// A permit that is given back when this is destroyed.
  class [[nodiscard]] Permit {
   public:
    Permit() noexcept = default;
    explicit Permit(Semaphore& semaphore) noexcept : semaphore_(&semaphore) {}
    Permit(Permit&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(semaphore_, other.semaphore_);
      return *this;
    }
    ~Permit() { release(); }

    /// Gives it back now; a second time does nothing.
    void release() noexcept {
      if (semaphore_ != nullptr) std::exchange(semaphore_, nullptr)->give_back();
    }
    explicit operator bool() const noexcept { return semaphore_ != nullptr; }

   private:
    Semaphore* semaphore_ = nullptr;
  };

  class AcquireAwaiter : public detail::Waiter {
   public:
    explicit AcquireAwaiter(Semaphore& semaphore) noexcept
        : Waiter(semaphore.waiters_), semaphore_(semaphore) {}
    AcquireAwaiter(Semaphore& semaphore, Duration timeout) noexcept
        : Waiter(semaphore.waiters_, timeout), semaphore_(semaphore) {}
    [[nodiscard]] bool await_ready() noexcept {
      return semaphore_.try_acquire() || times_out_at_once();
    }
    void await_resume() { end_or_throw(); }

   protected:
    Semaphore& semaphore_;
  };
  class ScopedAwaiter : public AcquireAwaiter {
   public:
    using AcquireAwaiter::AcquireAwaiter;
    Permit await_resume() {
      end_or_throw();
      return Permit(semaphore_);
    }
  };

  /// `value` permits to begin with; a negative number is a UsageError.
  explicit Semaphore(std::ptrdiff_t value = 1);
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Takes a permit, waiting for one if need be; release() gives it back. CancelledError when the
  /// task is asked to stop.
  [[nodiscard]] AcquireAwaiter acquire() noexcept { return AcquireAwaiter(*this); }
  /// Waits for at most `timeout`, then throws TimeoutError; zero only looks.
  [[nodiscard]] AcquireAwaiter acquire(Duration timeout) noexcept {
    return AcquireAwaiter(*this, timeout);
  }
  /// As acquire(), for the scope of a variable: `const auto permit = co_await semaphore.scoped();`.
  [[nodiscard]] ScopedAwaiter scoped() noexcept { return ScopedAwaiter(*this); }
  [[nodiscard]] ScopedAwaiter scoped(Duration timeout) noexcept {
    return ScopedAwaiter(*this, timeout);
  }
  /// Takes a permit if one is free now.
  [[nodiscard]] bool try_acquire() noexcept;

  /// Gives the first who waits a permit, or keeps it for who comes next. Who calls it need not have
  /// acquired one. Of a BoundedSemaphore, a UsageError when none is out.
  void release();
  /// How many permits are free now.
  [[nodiscard]] std::ptrdiff_t value() const noexcept { return value_; }

 protected:
  Semaphore(std::ptrdiff_t value, std::ptrdiff_t max);

 private:
  static void pass_on(void* self) noexcept { static_cast<Semaphore*>(self)->give_back(); }
  void give_back() noexcept;

  detail::WaitList waiters_;
  std::ptrdiff_t value_;  // above zero only while nobody waits
  std::ptrdiff_t max_;
};

/// A Semaphore that refuses to get more permits back than it began with.
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
};

}  // namespace squall
