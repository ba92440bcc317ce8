// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>
#include <squall/web/request_handler.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace squall::web {

/// What comes after a middleware that stands around it: the rest of the chain and the handler.
class Next {
 public:
  /// Runs them, once; done when the handler has returned, or throws what that threw. A handler that
  /// called finish() has its response sent by then; what others wrote is sent when the outermost
  /// middleware returns.
  [[nodiscard]] Task<> operator()() const;

 private:
  friend class Exchange;
  Next(Exchange& exchange, std::size_t position) noexcept
      : exchange_(&exchange), position_(position) {}
  Exchange* exchange_;
  std::size_t position_;
};

namespace detail {

class MiddlewareObject {
 public:
  MiddlewareObject() = default;
  MiddlewareObject(const MiddlewareObject&) = delete;
  MiddlewareObject& operator=(const MiddlewareObject&) = delete;
  virtual ~MiddlewareObject();
  virtual Task<> before(RequestHandler& request);
  virtual void after(RequestHandler& request);
  virtual Task<> around(RequestHandler& request, Next next);

  bool has_after = false;
  bool has_around = false;
  std::size_t references = 1;
};

template <class Call>
Task<> call_before(Call call) {
  using Result = decltype(call());
  static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>,
                "before the handler, a middleware returns nothing or a Task<>");
  if constexpr (std::is_void_v<Result>) {
    call();
    return {};
  } else {
    return call();
  }
}

template <class T>
concept MiddlewareFunction = requires(T& function, RequestHandler& request) {
  function(request);
};
template <class T>
concept MiddlewareAround = requires(T& function, RequestHandler& request, Next next) {
  function(request, next);
};
template <class T>
concept MiddlewareClass = requires {
  &T::before;
}
|| requires { &T::after; }
|| requires { &T::around; };

template <class T>
class MiddlewareOf final : public MiddlewareObject {
 public:
  explicit MiddlewareOf(T value) : value_(std::move(value)) {
    has_after = requires { &T::after; };
    has_around = requires { &T::around; }
    || (!MiddlewareClass<T> && MiddlewareAround<T>);
  }
  Task<> before(RequestHandler& request) override {
    if constexpr (requires { &T::before; }) {
      return call_before([&] { return value_.before(request); });
    } else if constexpr (!MiddlewareClass<T> && MiddlewareFunction<T>) {
      return call_before([&] { return value_(request); });
    } else {
      return {};
    }
  }
  void after(RequestHandler& request) override {
    if constexpr (requires { &T::after; }) {
      static_assert(std::is_void_v<decltype(value_.after(request))>,
                    "after() sees the head as it leaves: it is plain and returns nothing");
      value_.after(request);
    }
  }
  Task<> around(RequestHandler& request, Next next) override {
    if constexpr (requires { &T::around; }) {
      return value_.around(request, next);
    } else if constexpr (!MiddlewareClass<T> && MiddlewareAround<T>) {
      return value_(request, next);
    } else {
      return {};
    }
  }

 private:
  T value_;
};

template <class F>
struct AfterFunction {
  void after(RequestHandler& request) { function(request); }
  F function;
};

}  // namespace detail

/// Something that stands before handlers: of an Application, a Router or a route.
///
/// Made of a function, which says by its parameters where it stands, or of an object of a class
/// that has some of three members:
///
///     void before(web::Request&);              // or Task<>; before the handler
///     Task<> around(web::Request&, web::Next); // before, and after co_await next()
///     void after(web::Request&);               // when the head of the response is about to leave
///
/// A function of a Request is before(), one of a Request and a Next is around(), and
/// `web::after(function)` is after(). What finishes the response in before(), or does not await
/// next(), answers in place of the handler. Exceptions become error pages as those of handlers do.
/// Headers that are set in before() are forgotten by error pages: set them in after(), which runs
/// once for each head, that of errors, streams and WebSocket handshakes too, and may change status
/// and headers, not the body. The one object serves all requests, on all workers' threads.
class Middleware {
 public:
  template <class T>
  requires(!std::is_same_v<T, Middleware>) Middleware(T value)  // NOLINT: implicit by design
      : object_(new detail::MiddlewareOf<T>(std::move(value))) {
    static_assert(
        detail::MiddlewareClass<T> || detail::MiddlewareFunction<T> || detail::MiddlewareAround<T>,
        "a middleware is a function of (web::Request&) or (web::Request&, web::Next), or "
        "has a public before(), around() or after()");
  }
  Middleware(const Middleware& other) noexcept : object_(other.object_) {
    if (object_ != nullptr) ++object_->references;
  }
  Middleware(Middleware&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Middleware& operator=(Middleware other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Middleware() {
    if (object_ != nullptr && --object_->references == 0) delete object_;
  }

  [[nodiscard]] detail::MiddlewareObject& object() const noexcept { return *object_; }

 private:
  detail::MiddlewareObject* object_;
};

/// A function that sees each response's head before it leaves.
template <class F>
[[nodiscard]] Middleware after(F function) {
  return Middleware(detail::AfterFunction<F>{std::move(function)});
}

}  // namespace squall::web
