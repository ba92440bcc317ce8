// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>
#include <squall/coro/detail/waiter.hpp>
#include <squall/realtime/error.hpp>

#include <coroutine>
#include <utility>

namespace squall::realtime::detail {

class OperationBase;

/// A share in an operation. As a base it outlives the wait, which is in the operation's list.
class OperationShare {
 protected:
  /// Takes over one share.
  explicit OperationShare(OperationBase& operation) noexcept : operation_(&operation) {}
  OperationShare(OperationShare&& other) noexcept
      : operation_(std::exchange(other.operation_, nullptr)) {}
  OperationShare& operator=(OperationShare&&) = delete;
  ~OperationShare();
  [[nodiscard]] squall::detail::WaitList& waiters() const noexcept;

  OperationBase* operation_;
};

/// Waits for one call of the hub, or is thrown away without. It may be moved until it is awaited.
class OperationWaiter : private OperationShare, public squall::detail::Waiter {
 public:
  OperationWaiter(OperationWaiter&& other) noexcept
      : OperationShare(std::move(other)), Waiter(std::move(other)) {}
  OperationWaiter& operator=(OperationWaiter&&) = delete;
  ~OperationWaiter();

  /// Never: even what is known already comes after what the loop's subscribers are handed.
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    Waiter::await_suspend(waiting);
    arm();
  }

 protected:
  explicit OperationWaiter(OperationBase& operation) noexcept
      : OperationShare(operation), Waiter(waiters()) {}
  /// Throws CancelledError when the task was asked to stop.
  OperationBase& finish();

 private:
  void arm();
  bool awaited_ = false;
  bool finished_ = false;
};

template <class T>
[[nodiscard]] Result<T> take_result(OperationBase& operation);

template <class T, bool throws>
class OperationAwaiter : public OperationWaiter {
 public:
  explicit OperationAwaiter(OperationBase& operation) noexcept : OperationWaiter(operation) {}

  auto await_resume() {
    Result<T> result = take_result<T>(finish());
    if constexpr (throws) {
      if (!result) throw HubError(result.error());
      return std::move(*result);
    } else {
      return result;
    }
  }
};

}  // namespace squall::realtime::detail
