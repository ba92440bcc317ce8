// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>

#include <coroutine>

namespace squall::web {

class OutputSource;

/// What flush() and drained() give: await it to wait until what was written has left. It may be
/// ignored. Throws StreamClosedError when the client has gone, CancelledError when the awaiting
/// task is asked to stop.
class OutputAwaiter : private squall::detail::StopNode {
 public:
  /// Without a source the client has gone already.
  explicit OutputAwaiter(OutputSource* source) noexcept;
  OutputAwaiter(const OutputAwaiter&) = delete;
  OutputAwaiter& operator=(const OutputAwaiter&) = delete;
  ~OutputAwaiter();

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, squall::detail::stop_state_of(waiting));
  }
  void await_resume() const;

 private:
  friend class OutputSource;
  void suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop);
  static void on_stop(StopNode& node) noexcept;

  OutputSource* source_;           // nullptr once the client has gone
  OutputAwaiter* next_ = nullptr;  // in the source's list of those that wait
  squall::detail::ResumeNode resume_;
  bool cancelled_ = false;
};

}  // namespace squall::web
