// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/coro/task.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace squall {

namespace detail {

/// One function on its way through an executor. The coroutine that waits and the thread that works
/// both hold it; the last one frees it.
class ExecutorJob {
 public:
  ExecutorJob(const ExecutorJob&) = delete;
  ExecutorJob& operator=(const ExecutorJob&) = delete;

  /// On the worker's thread: runs the function, then posts the news to the loop.
  void work() noexcept;
  /// Of a job that nobody holds yet.
  void discard() noexcept;
  void retain() noexcept;
  void release() noexcept;

 protected:
  ExecutorJob();
  virtual ~ExecutorJob();
  virtual void run() = 0;
  std::exception_ptr error_{};

 private:
  friend class ExecutorAwaiterBase;
  struct Shared;
  Shared* shared_;
};

class ExecutorAwaiterBase : private StopNode {
 public:
  ExecutorAwaiterBase(const ExecutorAwaiterBase&) = delete;
  ExecutorAwaiterBase& operator=(const ExecutorAwaiterBase&) = delete;
  [[nodiscard]] bool await_ready() const noexcept;
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, stop_state_of(waiting));
  }

 protected:
  explicit ExecutorAwaiterBase(ExecutorJob* job) noexcept;
  ~ExecutorAwaiterBase();
  void throw_if_failed();
  ExecutorJob* job_;

 private:
  friend class ExecutorJob;
  void suspend(std::coroutine_handle<> waiting, StopState* stop);
  static void on_stop(StopNode& node) noexcept;
  std::coroutine_handle<> waiting_{};
  bool cancelled_ = false;
};

template <class R>
class ExecutorAwaiter;

template <class R, class F, class... Args>
class ExecutorCall;

template <class R>
class ExecutorResult : public ExecutorJob {
 protected:
  friend class ExecutorAwaiter<R>;
  ExecutorResult() noexcept {}  // NOLINT: the union starts empty
  ~ExecutorResult() override {
    if (has_value_) value_.~R();
  }
  union {
    R value_;
  };
  bool has_value_ = false;
};
template <>
class ExecutorResult<void> : public ExecutorJob {};

template <class R, class F, class... Args>
class ExecutorCall final : public ExecutorResult<R> {
 public:
  explicit ExecutorCall(F function, Args... args)
      : function_(std::move(function)), args_(std::move(args)...) {}

 private:
  void run() override {
    if constexpr (std::is_void_v<R>) {
      std::apply(function_, std::move(args_));
    } else {
      ::new (static_cast<void*>(&this->value_)) R(std::apply(function_, std::move(args_)));
      this->has_value_ = true;
    }
  }
  F function_;
  std::tuple<Args...> args_;
};

template <class R>
class ExecutorAwaiter final : public ExecutorAwaiterBase {
 public:
  explicit ExecutorAwaiter(ExecutorResult<R>* job) noexcept : ExecutorAwaiterBase(job) {}
  R await_resume() {
    throw_if_failed();
    if constexpr (!std::is_void_v<R>) {
      return std::move(static_cast<ExecutorResult<R>*>(job_)->value_);
    }
  }
};

}  // namespace detail

/// A pool of threads for work that would block the loop: computation, files, foreign libraries.
class Executor {
 public:
  /// `threads` of zero means the number of CPUs plus four, at most 32. At most `max_queued` jobs
  /// wait; one more throws Error.
  explicit Executor(std::size_t threads = 0, std::size_t max_queued = limits::executor_queue_jobs);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  /// Waits for the jobs that run; those that wait are dropped and their awaits never resume.
  ~Executor();

  /// The process's own, made at the first use.
  static Executor& shared();

  /// Runs `function(args...)` on a thread of the pool; await the result on the loop. The call
  /// itself queues the job. Exceptions come out of the await. When the awaiting task is asked to
  /// stop, the await ends with CancelledError and the job, if it runs, goes on unheard.
  template <class F, class... Args>
  [[nodiscard]] auto run(F&& function, Args&&... args) {
    using R = std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>&&...>;
    auto* const job = new detail::ExecutorCall<R, std::decay_t<F>, std::decay_t<Args>...>(
        std::forward<F>(function), std::forward<Args>(args)...);
    submit(job);
    return detail::ExecutorAwaiter<R>(job);
  }

 private:
  struct Pool;
  void submit(detail::ExecutorJob* job);
  Pool* pool_;
};

/// Runs `function(args...)` on the shared pool of threads: `auto hash = co_await
/// run_in_executor(slow_hash, password);`. Pass state as arguments: with GCC 12 a capturing lambda
/// written inside the co_await expression is destroyed twice, so name such a lambda first.
template <class F, class... Args>
[[nodiscard]] auto run_in_executor(F&& function, Args&&... args) {
  return Executor::shared().run(std::forward<F>(function), std::forward<Args>(args)...);
}

}  // namespace squall
