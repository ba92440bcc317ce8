// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/detail/handler_type.hpp>
#include <squall/web/request_handler.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace squall::web {

/// What a function route gets: everything a handler class has.
using Request = RequestHandler;

namespace detail {
template <class F>
struct StreamsBody : F {
  explicit StreamsBody(F function) : F(std::move(function)) {}
  static constexpr bool stream_request_body = true;
};
}  // namespace detail

/// Makes a function route that reads its request's body in pieces:
/// `app.post("/upload", web::stream_request_body([](web::Request& request) -> Task<> { ... }));`
template <class F>
[[nodiscard]] detail::StreamsBody<F> stream_request_body(F function) {
  return detail::StreamsBody<F>(std::move(function));
}

namespace detail {

/// The handler behind a function route.
class FunctionHandler final : public RequestHandler {
 public:
  explicit FunctionHandler(void* function) noexcept : function_(function) {}
  [[nodiscard]] void* function() const noexcept { return function_; }

 private:
  void* function_;
};

template <class Signature>
struct FunctionVerb;

template <class F, bool WithRequest>
struct InvokeFunction {
  template <class... Args>
  decltype(auto) operator()(RequestHandler& handler, Args&&... args) const {
    F& function = *static_cast<F*>(static_cast<FunctionHandler&>(handler).function());
    if constexpr (WithRequest) {
      return function(handler, std::forward<Args>(args)...);
    } else {
      return function(std::forward<Args>(args)...);
    }
  }
};

template <class F, class R, class... Args>
struct FunctionEntry {
  static constexpr VerbEntry entry =
      VerbCall<R, Args...>::template entry<InvokeFunction<F, false>>();
};
template <class F, class R, class... Args>
struct FunctionEntry<F, R, RequestHandler&, Args...> {
  static constexpr VerbEntry entry =
      VerbCall<R, Args...>::template entry<InvokeFunction<F, true>>();
};

template <class F, class Signature>
struct FunctionTraits;
template <class F, class C, class R, class... Args>
struct FunctionTraits<F, R (C::*)(Args...)> : FunctionEntry<F, R, Args...> {};
template <class F, class C, class R, class... Args>
struct FunctionTraits<F, R (C::*)(Args...) const> : FunctionEntry<F, R, Args...> {};
template <class F, class C, class R, class... Args>
struct FunctionTraits<F, R (C::*)(Args...) noexcept> : FunctionEntry<F, R, Args...> {};
template <class F, class C, class R, class... Args>
struct FunctionTraits<F, R (C::*)(Args...) const noexcept> : FunctionEntry<F, R, Args...> {};
template <class F, class R, class... Args>
struct FunctionTraits<F, R (*)(Args...)> : FunctionEntry<F, R, Args...> {};
template <class F, class R, class... Args>
struct FunctionTraits<F, R (*)(Args...) noexcept> : FunctionEntry<F, R, Args...> {};

template <class F>
constexpr VerbEntry function_entry() {
  if constexpr (std::is_pointer_v<F>) {
    return FunctionTraits<F, F>::entry;
  } else {
    static_assert(
        requires { &F::operator(); },
        "a route's function needs parameters of known types: no auto, no overloads");
    return FunctionTraits<F, decltype(&F::operator())>::entry;
  }
}

/// Keeps the function of a route; coroutine lambdas may capture, because it outlives all requests.
template <class F>
class FunctionFactory final : public HandlerFactory {
 public:
  FunctionFactory(http::Method method, F function)
      : HandlerFactory(own_type_), function_(std::move(function)) {
    own_type_.type = &typeid(F);
    own_type_.verbs[static_cast<std::size_t>(method)] = function_entry<F>();
    set_body_mode();
  }
  /// For all methods.
  explicit FunctionFactory(F function) : HandlerFactory(own_type_), function_(std::move(function)) {
    own_type_.type = &typeid(F);
    for (VerbEntry& verb : own_type_.verbs) verb = function_entry<F>();
    set_body_mode();
  }
  [[nodiscard]] RequestHandler* create() const override { return new FunctionHandler(&function_); }

 private:
  void set_body_mode() {
    if constexpr (requires { F::stream_request_body; }) own_type_.body = BodyMode::pulled;
  }

  HandlerType own_type_;
  mutable F function_;
};

}  // namespace detail
}  // namespace squall::web
