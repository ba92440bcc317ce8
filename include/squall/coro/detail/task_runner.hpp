// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace squall::detail {

/// Runs one task that nobody awaits and tells its owner when it has ended.
///
/// It stays where it is while the task runs. Destroying it, or cancel(), destroys the task where it
/// waits; neither may happen from within the task itself.
class TaskRunner {
 public:
  using Done = void (*)(void* context, std::exception_ptr error);

  TaskRunner() noexcept = default;
  TaskRunner(const TaskRunner&) = delete;
  TaskRunner& operator=(const TaskRunner&) = delete;
  ~TaskRunner() { cancel(); }

  /// Starts `task` at once, up to its first wait. `done` is called when it ends, maybe before this
  /// returns; the runner may be destroyed in it. An empty task ends at once.
  void start(Task<> task, StopState* stop, Done done, void* context);

  [[nodiscard]] bool is_running() const noexcept { return static_cast<bool>(frame_); }
  void cancel() noexcept {
    if (frame_) std::exchange(frame_, {}).destroy();
  }

 private:
  struct Detached;
  static Detached drive(TaskRunner* self, Task<> task, Done done, void* context);

  std::coroutine_handle<> frame_{};
};

}  // namespace squall::detail
