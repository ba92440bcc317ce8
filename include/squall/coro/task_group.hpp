// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/coro/task.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace squall {

/// Runs many tasks side by side and awaits them all.
///
/// The first exception asks the others to stop and comes out of join(). Destroying the group ends
/// the tasks that still run. It belongs to one loop and must outlive its join().
class TaskGroup {
 public:
  /// At most `max_tasks` may run at a time; one more is a UsageError.
  explicit TaskGroup(std::size_t max_tasks = 100'000) noexcept : max_tasks_(max_tasks) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// Starts `task` at once, up to its first wait.
  void spawn(Task<> task);

  /// Starts `function(args...)`, which returns a task. Function and arguments are kept until it has
  /// ended, so a capturing lambda is safe here.
  template <class F, class... Args>
  requires std::is_invocable_r_v < Task<>, std::decay_t<F>
  &, std::decay_t<Args>... > void spawn(F&& function, Args&&... args) {
    spawn(keep(std::forward<F>(function), std::forward<Args>(args)...));
  }

  /// Asks all tasks to stop; does not wait.
  void request_stop() noexcept { source_.request_stop(); }
  [[nodiscard]] std::size_t size() const noexcept { return running_; }

  class JoinAwaiter : private detail::StopNode {
   public:
    explicit JoinAwaiter(TaskGroup& group) noexcept : StopNode(&on_stop), group_(group) {}
    JoinAwaiter(JoinAwaiter&& other) noexcept : JoinAwaiter(other.group_) {}
    JoinAwaiter& operator=(JoinAwaiter&&) = delete;
    ~JoinAwaiter() {
      if (suspended_) give_up();
    }
    [[nodiscard]] bool await_ready() const noexcept { return group_.running_ == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) {
      suspend(waiting, detail::stop_state_of(waiting));
    }
    void await_resume();

   private:
    void suspend(std::coroutine_handle<> waiting, detail::StopState* stop);
    void give_up() noexcept;
    static void on_stop(StopNode& node) noexcept;
    TaskGroup& group_;
    bool suspended_ = false;
  };

  /// Waits until every task has ended; throws what the first failing one threw. When the awaiting
  /// task is asked to stop, so are these, and the wait goes on until they have ended.
  [[nodiscard]] JoinAwaiter join() noexcept { return JoinAwaiter(*this); }

 private:
  struct Entry;
  friend class JoinAwaiter;

  template <class F, class... Args>
  static Task<> keep(F function, Args... args) {
    co_await function(std::move(args)...);
  }
  static void on_done(void* context, std::exception_ptr error);

  StopSource source_;
  Entry* entries_ = nullptr;
  std::size_t running_ = 0;
  std::size_t max_tasks_;
  std::exception_ptr first_error_{};
  detail::ResumeNode joiner_;
};

}  // namespace squall
