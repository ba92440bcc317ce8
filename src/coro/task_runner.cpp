// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/detail/task_runner.hpp>

namespace squall::detail {

struct TaskRunner::Detached {
  struct promise_type : PromiseBase {
    Detached get_return_object() noexcept {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // drive() catches all
  };
  std::coroutine_handle<promise_type> handle;
};

TaskRunner::Detached TaskRunner::drive(TaskRunner* self, Task<> task, Done done, void* context) {
  std::exception_ptr error;
  try {
    co_await task;
  } catch (...) {
    error = std::current_exception();
  }
  task = Task<>();  // its locals end before the owner hears of it
  self->frame_ = {};
  done(context, std::move(error));
}

void TaskRunner::start(Task<> task, StopState* stop, Done done, void* context) {
  const Detached detached = drive(this, std::move(task), done, context);
  detached.handle.promise().set_stop_state(stop);
  frame_ = detached.handle;
  detached.handle.resume();
}

}  // namespace squall::detail
