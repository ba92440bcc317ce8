// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>
#include <squall/base/pool.hpp>
#include <squall/coro/stop_token.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace squall {

template <class T>
class Task;

namespace detail {

/// What every coroutine of ours carries, whatever it returns.
class PromiseBase : public Pooled {
 public:
  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      const std::coroutine_handle<> waiting = self.promise().continuation_;
      if (waiting) return waiting;
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }

  [[nodiscard]] StopState* stop_state() const noexcept { return stop_; }
  void set_stop_state(StopState* stop) noexcept { stop_ = stop; }
  void set_continuation(std::coroutine_handle<> waiting) noexcept { continuation_ = waiting; }

 protected:
  void take_once() {
    if (taken_) throw UsageError("this task was awaited before: a task gives its result once");
    taken_ = true;
  }

 private:
  std::coroutine_handle<> continuation_{};
  StopState* stop_ = nullptr;  // outlives the task: it belongs to whoever awaits or runs it
  bool taken_ = false;
};

/// The stop state that a coroutine carries; nullptr for one that is not ours.
template <class Promise>
[[nodiscard]] StopState* stop_state_of(std::coroutine_handle<Promise> coroutine) noexcept {
  if constexpr (std::is_base_of_v<PromiseBase, Promise>) return coroutine.promise().stop_state();
  return nullptr;
}

template <class T>
class TaskPromise final : public PromiseBase {
 public:
  TaskPromise() noexcept {}  // NOLINT: the union starts empty
  TaskPromise(const TaskPromise&) = delete;
  TaskPromise& operator=(const TaskPromise&) = delete;
  ~TaskPromise() {
    if (outcome_ == Outcome::value) value_.~T();
    if (outcome_ == Outcome::error) error_.~exception_ptr();
  }

  Task<T> get_return_object() noexcept;

  template <class U>
  requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    ::new (static_cast<void*>(&value_)) T(std::forward<U>(value));
    outcome_ = Outcome::value;
  }
  void unhandled_exception() noexcept {
    ::new (static_cast<void*>(&error_)) std::exception_ptr(std::current_exception());
    outcome_ = Outcome::error;
  }
  T take() {
    take_once();
    if (outcome_ == Outcome::error) std::rethrow_exception(error_);
    return std::move(value_);
  }

 private:
  enum class Outcome : std::uint8_t { none, value, error };
  Outcome outcome_ = Outcome::none;
  union {
    T value_;
    std::exception_ptr error_;
  };
};

template <>
class TaskPromise<void> final : public PromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void take() {
    take_once();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_{};
};

/// Starts the awaited task inside await_suspend and goes on without suspending when it ends at
/// once. So a loop that awaits ready tasks uses constant stack in every build, also those without
/// tail calls (Debug, sanitizers); it is sound because a loop is one thread.
template <class T>
class TaskAwaiter {
 public:
  using Handle = std::coroutine_handle<TaskPromise<T>>;
  explicit TaskAwaiter(Handle task) noexcept : task_(task) {}

  [[nodiscard]] bool await_ready() const noexcept { return !task_ || task_.done(); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) const {
    if constexpr (std::is_base_of_v<PromiseBase, Promise>) {
      if (task_.promise().stop_state() == nullptr) {
        task_.promise().set_stop_state(waiting.promise().stop_state());
      }
    }
    task_.resume();
    if (task_.done()) return false;
    task_.promise().set_continuation(waiting);
    return true;
  }
  T await_resume() const {
    if (!task_) {
      if constexpr (std::is_void_v<T>) {
        return;
      } else {
        throw UsageError("this task has no coroutine: it was moved from or awaited before");
      }
    }
    return task_.promise().take();
  }

 private:
  Handle task_;
};

}  // namespace detail

/// A lazy coroutine: it begins to run when it is awaited, spawned or given to run_sync().
///
/// Owned by one; awaited exactly once. Destroying it ends it: what it awaits is cancelled and its
/// locals are destroyed. Exceptions come out of the await. A default-constructed `Task<>` is one
/// that has already ended, so that a plain function may return `{}` for "nothing to wait for".
/// Coroutine parameters must be values (or outlive the task), and a capturing lambda must not be
/// a coroutine: its captures are gone at the first suspension.
/// Cost: one frame from the thread's pool; no heap allocation in the steady state.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() noexcept = default;
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// Whether there is a coroutine to await.
  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

  detail::TaskAwaiter<T> operator co_await() const noexcept {
    return detail::TaskAwaiter<T>(handle_);
  }

  /// For the library: makes awaits inside it end when `stop` is requested.
  void set_stop_state(detail::StopState* stop) noexcept {
    if (handle_) handle_.promise().set_stop_state(stop);
  }

 private:
  Handle handle_{};
};

template <class T>
Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace squall
