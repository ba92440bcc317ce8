// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>
#include <squall/coro/detail/side_by_side.hpp>
#include <squall/coro/semaphore.hpp>
#include <squall/coro/task.hpp>
#include <squall/coro/task_group.hpp>

#include <cstddef>
#include <exception>
#include <utility>
#include <vector>

namespace squall {

/// Runs tasks side by side and gives what they come to in the order in which they end.
///
/// The tasks start, each up to its first wait, when it is made. Destroying it ends those that still
/// run. It belongs to one loop and must outlive the tasks that next() returned.
///
///     auto pages = as_completed(std::move(fetches));
///     while (!pages.done()) {
///       const auto page = co_await pages.next();
///       use(pages.current_index(), page);
///     }
template <class T>
class WaitIterator final : private detail::EndListener {
 public:
  explicit WaitIterator(std::vector<Task<T>> tasks)
      : slots_(tasks.size()), finished_(0), group_(tasks.size()) {
    order_.reserve(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      group_.spawn(detail::run_into(&slots_[i], std::move(tasks[i]), i,
                                    static_cast<detail::EndListener*>(this)));
    }
  }
  WaitIterator(const WaitIterator&) = delete;
  WaitIterator& operator=(const WaitIterator&) = delete;

  /// Waits for the next task to end and gives its value or throws its exception; the others go on.
  /// When the awaiting task is asked to stop, CancelledError; nothing is lost then. One may be
  /// awaited at a time; once done(), UsageError.
  Task<T> next() {
    if (done()) throw UsageError("next() after the last result: look at done() first");
    co_await finished_.acquire();
    current_index_ = order_[taken_];
    ++taken_;
    co_return slots_[current_index_].take();
  }
  /// Where the task whose result came last stood in the list, from zero.
  [[nodiscard]] std::size_t current_index() const noexcept { return current_index_; }
  /// Whether next() has given all results.
  [[nodiscard]] bool done() const noexcept { return taken_ == slots_.size(); }

 private:
  void ended(std::size_t index, const std::exception_ptr&) override {
    order_.push_back(index);
    finished_.release();
  }

  std::vector<detail::Slot<T>> slots_;
  std::vector<std::size_t> order_;
  std::size_t taken_ = 0;
  std::size_t current_index_ = 0;
  Semaphore finished_;
  TaskGroup group_;  // first to be destroyed: its tasks use the rest
};

/// See WaitIterator.
template <class T>
[[nodiscard]] WaitIterator<T> as_completed(std::vector<Task<T>> tasks) {
  return WaitIterator<T>(std::move(tasks));
}

}  // namespace squall
