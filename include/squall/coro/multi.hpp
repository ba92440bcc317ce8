// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/side_by_side.hpp>
#include <squall/coro/task.hpp>
#include <squall/coro/task_group.hpp>

#include <cstddef>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall {

namespace detail {

/// Runs tasks side by side; keeps their first error and logs the further ones.
class MultiRun final : private EndListener {
 public:
  explicit MultiRun(std::size_t count) noexcept : group_(count) {}

  template <class T>
  void start(Slot<T>& slot, Task<T> task) {
    group_.spawn(run_into(&slot, std::move(task), 0, static_cast<EndListener*>(this)));
  }
  /// Waits for all; passes a stop on to them.
  [[nodiscard]] TaskGroup::JoinAwaiter join() noexcept { return group_.join(); }
  void throw_first() const {
    if (first_error_) std::rethrow_exception(first_error_);
  }

 private:
  void ended(std::size_t index, const std::exception_ptr& error) override;

  std::exception_ptr first_error_{};
  TaskGroup group_;
};

template <class T>
std::tuple<T> slot_value(Slot<T>& slot) {
  return std::tuple<T>(slot.take());
}
inline std::tuple<> slot_value(Slot<void>& slot) {
  slot.take();
  return {};
}

template <class... T>
using MultiTuple = decltype(std::tuple_cat(slot_value(std::declval<Slot<T>&>())...));
template <class... T>
using MultiResult = std::conditional_t<(std::is_void_v<T> && ...), void, MultiTuple<T...>>;

template <class... T, std::size_t... I>
void start_all(MultiRun& run, std::tuple<Slot<T>...>& slots, std::index_sequence<I...>,
               Task<T>&... tasks) {
  (run.start(std::get<I>(slots), std::move(tasks)), ...);
}
template <class... T>
MultiTuple<T...> values_of(std::tuple<Slot<T>...>& slots) {
  return std::apply([](Slot<T>&... each) { return std::tuple_cat(slot_value(each)...); }, slots);
}

}  // namespace detail

/// Runs `tasks` side by side and gives their values in the same order.
///
/// When some fail, the others go on; the error that came first is thrown after all have ended and
/// the further ones are logged. When the awaiting task is asked to stop, so are these, and the wait
/// goes on until they have ended; destroying it ends them. For tasks that should end at the first
/// error there is TaskGroup.
template <class T>
Task<std::vector<T>> multi(std::vector<Task<T>> tasks) {
  std::vector<detail::Slot<T>> slots(tasks.size());
  detail::MultiRun run(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) run.start(slots[i], std::move(tasks[i]));
  co_await run.join();
  run.throw_first();
  std::vector<T> values;
  values.reserve(slots.size());
  for (detail::Slot<T>& slot : slots) values.push_back(slot.take());
  co_return values;
}

/// The same for tasks without a value.
inline Task<> multi(std::vector<Task<>> tasks) {
  detail::MultiRun run(tasks.size());
  detail::Slot<void> errors;  // the run has the first one
  for (Task<>& task : tasks) run.start(errors, std::move(task));
  co_await run.join();
  run.throw_first();
}

/// The same for tasks of different types: `auto both = co_await multi(user(id), stories(id));`
/// gives a std::tuple. Tasks without a value have no place in it; when none has one, there is no
/// tuple.
template <class... T>
requires(sizeof...(T) > 0) Task<detail::MultiResult<T...>> multi(Task<T>... tasks) {
  std::tuple<detail::Slot<T>...> slots;
  detail::MultiRun run(sizeof...(T));
  detail::start_all(run, slots, std::index_sequence_for<T...>(), tasks...);
  co_await run.join();
  run.throw_first();
  if constexpr (!(std::is_void_v<T> && ...)) co_return detail::values_of(slots);
}

}  // namespace squall
