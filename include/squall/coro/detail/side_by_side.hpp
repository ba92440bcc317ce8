// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace squall::detail {

/// What one of several tasks came to; a task without a value has only an error or none.
template <class T>
class Slot {
 public:
  template <class U>
  void set_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }
  /// The value, or throws the error.
  T take() {
    if (error_) std::rethrow_exception(error_);
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
  std::exception_ptr error_{};
};

template <>
class Slot<void> {
 public:
  void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }
  void take() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_{};
};

/// Hears of a task's end.
struct EndListener {
  virtual void ended(std::size_t index, const std::exception_ptr& error) = 0;

 protected:
  ~EndListener() = default;
};

/// Runs one of several tasks; nothing comes out of it but through `slot` and `listener`.
template <class T>
Task<> run_into(Slot<T>* slot, Task<T> task, std::size_t index, EndListener* listener) {
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await task;
    } else {
      T value = co_await task;
      slot->set_value(std::move(value));
    }
  } catch (...) {
    error = std::current_exception();
    slot->set_error(error);
  }
  listener->ended(index, error);
}

}  // namespace squall::detail
