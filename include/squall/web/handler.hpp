// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>
#include <squall/http/method.hpp>
#include <squall/web/detail/handler_type.hpp>
#include <squall/web/request_handler.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace squall::web {

/// What a route leads to: how to make a handler and which verbs it has. Cheap to copy.
class HandlerSpec {
 public:
  HandlerSpec() noexcept = default;
  explicit HandlerSpec(detail::HandlerFactory* factory) noexcept : factory_(factory) {}
  HandlerSpec(const HandlerSpec& other) noexcept : factory_(other.factory_) {
    if (factory_ != nullptr) ++factory_->references;
  }
  HandlerSpec(HandlerSpec&& other) noexcept : factory_(std::exchange(other.factory_, nullptr)) {}
  HandlerSpec& operator=(HandlerSpec other) noexcept {
    std::swap(factory_, other.factory_);
    return *this;
  }
  ~HandlerSpec() {
    if (factory_ != nullptr && --factory_->references == 0) delete factory_;
  }

  explicit operator bool() const noexcept { return factory_ != nullptr; }
  [[nodiscard]] const detail::HandlerFactory* factory() const noexcept { return factory_; }

 private:
  detail::HandlerFactory* factory_ = nullptr;
};

namespace detail {

template <class T, class... Args>
class ClassFactory final : public HandlerFactory {
 public:
  explicit ClassFactory(Args... args)
      : HandlerFactory(handler_type<T>), args_(std::move(args)...) {}
  [[nodiscard]] RequestHandler* create() const override {
    return std::apply([](const Args&... args) -> RequestHandler* { return new T(args...); }, args_);
  }

 private:
  std::tuple<Args...> args_;
};

/// The type of `web::handler<T>`.
template <class T>
struct HandlerOf {
  static_assert(std::is_base_of_v<RequestHandler, T>,
                "web::handler<T> needs a class derived from web::RequestHandler");

  operator HandlerSpec() const {  // NOLINT: implicit by design
    static_assert(std::is_default_constructible_v<T>,
                  "this handler has no default constructor: pass its arguments, as in "
                  "web::handler<T>(std::ref(store))");
    return HandlerSpec(new ClassFactory<T>());
  }

  /// Arguments for the constructor of each handler: `web::handler<Story>(std::ref(store))`. They
  /// are kept by value and passed as const; wrap references, which must outlive the application.
  template <class... Args>
  HandlerSpec operator()(Args&&... args) const {
    static_assert(std::is_constructible_v<T, const std::decay_t<Args>&...>,
                  "the handler has no constructor for these arguments");
    return HandlerSpec(new ClassFactory<T, std::decay_t<Args>...>(std::forward<Args>(args)...));
  }
};

}  // namespace detail

/// Names a handler class in a route: `{"/story/{id}", web::handler<Story>}`.
template <class T>
inline constexpr detail::HandlerOf<T> handler{};

}  // namespace squall::web
