// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace squall {

template <class Signature>
class MoveOnlyFunction;

/// Holds one callable, which need not be copyable; small ones without an allocation.
///
/// std::function and its header are what this avoids: it is light to include and takes lambdas
/// that own things. Calling an empty one is undefined; test it first.
template <class R, class... Args>
class MoveOnlyFunction<R(Args...)> {
 public:
  MoveOnlyFunction() noexcept = default;
  MoveOnlyFunction(std::nullptr_t) noexcept {}  // NOLINT: implicit by design

  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, MoveOnlyFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      MoveOnlyFunction(F&& callable) {  // NOLINT: implicit by design
    using Callable = std::decay_t<F>;
    if constexpr (fits<Callable>) {
      ::new (static_cast<void*>(&storage_)) Callable(std::forward<F>(callable));
      operations_ = &inline_operations<Callable>;
    } else {
      storage_.pointer = new Callable(std::forward<F>(callable));
      operations_ = &heap_operations<Callable>;
    }
  }

  MoveOnlyFunction(MoveOnlyFunction&& other) noexcept { take(other); }
  MoveOnlyFunction& operator=(MoveOnlyFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  MoveOnlyFunction(const MoveOnlyFunction&) = delete;
  MoveOnlyFunction& operator=(const MoveOnlyFunction&) = delete;
  ~MoveOnlyFunction() { reset(); }

  explicit operator bool() const noexcept { return operations_ != nullptr; }

  R operator()(Args... args) { return operations_->call(&storage_, std::forward<Args>(args)...); }

 private:
  union Storage {
    void* pointer;
    std::max_align_t align;
    unsigned char bytes[4 * sizeof(void*)];
  };
  struct Operations {
    R (*call)(Storage*, Args&&...);
    void (*move)(Storage* from, Storage* to) noexcept;
    void (*destroy)(Storage*) noexcept;
  };

  template <class F>
  static constexpr bool fits =
      sizeof(F) <= sizeof(Storage) &&
      alignof(F) <= alignof(Storage) && std::is_nothrow_move_constructible_v<F>;

  template <class F>
  static F& inline_callable(Storage* storage) noexcept {
    return *std::launder(reinterpret_cast<F*>(storage->bytes));
  }
  template <class F>
  static F& heap_callable(Storage* storage) noexcept {
    return *static_cast<F*>(storage->pointer);
  }

  template <class F>
  static constexpr Operations inline_operations = {
      [](Storage* storage, Args&&... args) -> R {
        return static_cast<R>(inline_callable<F>(storage)(std::forward<Args>(args)...));
      },
      [](Storage* from, Storage* to) noexcept {
        ::new (static_cast<void*>(to)) F(std::move(inline_callable<F>(from)));
        inline_callable<F>(from).~F();
      },
      [](Storage* storage) noexcept { inline_callable<F>(storage).~F(); }};
  template <class F>
  static constexpr Operations heap_operations = {
      [](Storage* storage, Args&&... args) -> R {
        return static_cast<R>(heap_callable<F>(storage)(std::forward<Args>(args)...));
      },
      [](Storage* from, Storage* to) noexcept { to->pointer = from->pointer; },
      [](Storage* storage) noexcept { delete &heap_callable<F>(storage); }};

  void take(MoveOnlyFunction& other) noexcept {
    operations_ = other.operations_;
    if (operations_ != nullptr) operations_->move(&other.storage_, &storage_);
    other.operations_ = nullptr;
  }
  void reset() noexcept {
    if (operations_ != nullptr) operations_->destroy(&storage_);
    operations_ = nullptr;
  }

  Storage storage_;
  const Operations* operations_ = nullptr;
};

}  // namespace squall
