// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

namespace squall {

/// Holds a `T`, or the std::error_code that tells why there is none.
///
/// The member names are those of std::expected, so that it can take its place one day. Failures
/// on the I/O path travel this way: they cost a hundredth of a thrown exception.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)  // NOLINT: implicit by design
      : has_value_(true) {
    ::new (static_cast<void*>(&value_)) T(std::move(value));
  }
  Result(std::error_code error) noexcept : error_(error), has_value_(false) {}  // NOLINT
  template <class E>
  requires std::is_error_code_enum_v<E> Result(E error)
  noexcept : error_(make_error_code(error)), has_value_(false) {}  // NOLINT

  Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
      : error_(other.error_), has_value_(other.has_value_) {
    if (has_value_) ::new (static_cast<void*>(&value_)) T(std::move(other.value_));
  }
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result& operator=(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
    if (this != &other) {
      this->~Result();
      ::new (static_cast<void*>(this)) Result(std::move(other));
    }
    return *this;
  }
  ~Result() {
    if (has_value_) value_.~T();
  }

  [[nodiscard]] bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }

  /// The value; only when has_value().
  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }

  /// The value, or throws std::system_error with the error's text.
  T& value() & {
    if (!has_value_) throw std::system_error(error_);
    return value_;
  }
  T&& value() && {
    if (!has_value_) throw std::system_error(error_);
    return std::move(value_);
  }

  /// The reason; a default (no error) code when has_value().
  [[nodiscard]] std::error_code error() const noexcept { return error_; }

 private:
  union {
    T value_;
  };
  std::error_code error_{};
  bool has_value_;
};

/// Success without a value, or the reason why not.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() noexcept = default;
  Result(std::error_code error) noexcept : error_(error) {}  // NOLINT: implicit by design
  template <class E>
  requires std::is_error_code_enum_v<E> Result(E error)
  noexcept : error_(make_error_code(error)) {}  // NOLINT

  [[nodiscard]] bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return !error_; }
  [[nodiscard]] std::error_code error() const noexcept { return error_; }
  void value() const {
    if (error_) throw std::system_error(error_);
  }

 private:
  std::error_code error_{};
};

}  // namespace squall
