// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>
#include <squall/coro/detail/waiter.hpp>
#include <squall/realtime/error.hpp>

#include <coroutine>
#include <utility>

namespace squall::realtime::detail {

class HubCore;
class OperationBase;

/// Waits for one call of the hub, or is thrown away without. It may be moved until it is awaited.
class OperationWaiter : public squall::detail::Waiter {
 public:
  OperationWaiter(OperationWaiter&& other) noexcept
      : Waiter(std::move(other)), operation_(std::exchange(other.operation_, nullptr)) {}
  OperationWaiter& operator=(OperationWaiter&&) = delete;
  ~OperationWaiter();

  [[nodiscard]] bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    Waiter::await_suspend(waiting);
    arm();
  }

 protected:
  /// Takes over one share of `operation`.
  explicit OperationWaiter(OperationBase& operation) noexcept;
  /// Throws CancelledError when the task was asked to stop.
  void finish();

  OperationBase* operation_;

 private:
  void arm();
  bool awaited_ = false;
};

template <class T>
[[nodiscard]] Result<T> take_result(OperationBase& operation);

template <class T, bool throws>
class OperationAwaiter : public OperationWaiter {
 public:
  explicit OperationAwaiter(OperationBase& operation) noexcept : OperationWaiter(operation) {}

  auto await_resume() {
    finish();
    Result<T> result = take_result<T>(*operation_);
    if constexpr (throws) {
      if (!result) throw HubError(result.error());
      return std::move(*result);
    } else {
      return result;
    }
  }
};

}  // namespace squall::realtime::detail
