// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/post_queue.hpp"

#include <squall/base/pool.hpp>
#include <squall/base/result.hpp>
#include <squall/coro/detail/waiter.hpp>
#include <squall/realtime/detail/operation.hpp>
#include <squall/realtime/error.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace squall::realtime::detail {

/// One call of the hub that may be awaited, on one loop, and may end on any thread.
class OperationBase : public squall::detail::Pooled {
 public:
  OperationBase(const OperationBase&) = delete;
  OperationBase& operator=(const OperationBase&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// The calling loop waits for it from now on.
  void arm();
  /// Whether someone waits, or has waited; on that one's loop.
  [[nodiscard]] bool was_awaited() const noexcept { return posts_ != nullptr; }
  /// Who awaited it has gone without the result; on that one's loop.
  virtual void abandon() noexcept {}

  squall::detail::WaitList waiters;

 protected:
  OperationBase() noexcept = default;
  virtual ~OperationBase() = default;
  /// The result is there. On any thread, once.
  void finish() noexcept;

 private:
  enum class Status : std::uint8_t { pending, armed, done };

  void wake() noexcept;

  std::atomic<std::uint32_t> references_{1};
  std::atomic<Status> status_{Status::pending};
  std::shared_ptr<loop::PostQueue> posts_;
};

template <class T>
class Operation : public OperationBase {
 public:
  void complete(Result<T> result) noexcept {
    result_ = std::move(result);
    finish();
  }
  /// Only once it is complete.
  virtual Result<T> take() { return std::move(result_); }

 protected:
  Result<T> result_{make_error_code(RealtimeError::broker_unavailable)};
};

/// Owns a share in an operation.
template <class T>
class OperationRef {
 public:
  OperationRef() noexcept = default;
  explicit OperationRef(T& operation) noexcept : operation_(&operation) { operation.retain(); }
  OperationRef(OperationRef&& other) noexcept
      : operation_(std::exchange(other.operation_, nullptr)) {}
  OperationRef& operator=(OperationRef&& other) noexcept {
    std::swap(operation_, other.operation_);
    return *this;
  }
  ~OperationRef() {
    if (operation_ != nullptr) operation_->release();
  }
  explicit operator bool() const noexcept { return operation_ != nullptr; }
  T* operator->() const noexcept { return operation_; }
  T& operator*() const noexcept { return *operation_; }

 private:
  T* operation_ = nullptr;
};

}  // namespace squall::realtime::detail
