// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>
#include <squall/http/method.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/path_argument.hpp>
#include <squall/web/request_handler.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

// How registration looks at a handler class: which verbs it has, of which kind, with which
// parameters.
namespace squall::web {

class EventSourceHandler;
class WebSocketHandler;

namespace detail {

/// One verb of a class, ready to be called. Exactly one of the functions is set.
struct VerbEntry {
  void (*plain)(RequestHandler& handler, const PathArguments& arguments) = nullptr;
  Task<> (*coroutine)(RequestHandler& handler, const PathArguments& arguments) = nullptr;
  /// Whether the arguments convert to the verb's parameters.
  bool (*fits)(const PathArguments& arguments) = nullptr;
  std::size_t parameter_count = 0;

  constexpr explicit operator bool() const noexcept {
    return plain != nullptr || coroutine != nullptr;
  }
};

/// What a WebSocketHandler adds.
struct SocketType {
  VerbEntry open;
  void (*message_plain)(WebSocketHandler& handler, std::string_view message, bool binary) = nullptr;
  Task<> (*message_coroutine)(WebSocketHandler& handler, std::string_view message,
                              bool binary) = nullptr;
  void (*close)(WebSocketHandler& handler) = nullptr;
};

/// What an EventSourceHandler adds.
struct EventsType {
  VerbEntry open;
  void (*close)(EventSourceHandler& handler) = nullptr;
};

/// How a handler wants a request's body.
enum class BodyMode : std::uint8_t {
  whole,   // before prepare()
  pulled,  // the verb reads it
  pushed,  // to data_received(), before the verb
};

struct HandlerType {
  const std::type_info* type = nullptr;
  VerbEntry verbs[http::method_count];
  BodyMode body = BodyMode::whole;
  const SocketType* socket = nullptr;
  const EventsType* events = nullptr;
  bool computes_etag = false;  // it overrides compute_etag()
  bool loads_user = false;     // it overrides load_current_user()
  bool authenticated = false;  // it answers users only
};

/// Makes the handlers of one route.
class HandlerFactory {
 public:
  explicit HandlerFactory(const HandlerType& of) noexcept : type(of) {}
  HandlerFactory(const HandlerFactory&) = delete;
  HandlerFactory& operator=(const HandlerFactory&) = delete;
  virtual ~HandlerFactory() = default;
  [[nodiscard]] virtual RequestHandler* create() const = 0;

  const HandlerType& type;
  std::size_t references = 1;
};

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<Task<T>> = true;

[[noreturn]] void refuse_path_argument();

/// Converts the path arguments, 404 when one does not fit, and calls `call` with them.
template <class... Args, std::size_t... Index, class Call>
decltype(auto) with_path_arguments(const PathArguments& from, std::index_sequence<Index...>,
                                   Call&& call) {
  static_assert(
      (PathArgument<std::remove_cvref_t<Args>> && ...),
      "a verb's parameters are path arguments: numbers, std::string, std::string_view, or a "
      "type with bool parse_path_argument(std::string_view, T&)");
  std::tuple<std::remove_cvref_t<Args>...> values;
  if (!(parse_path_argument(from.values[Index], std::get<Index>(values)) && ...)) {
    refuse_path_argument();
  }
  return call(std::move(std::get<Index>(values))...);
}

template <class... Args, std::size_t... Index>
bool fit_path_arguments(const PathArguments& from, std::index_sequence<Index...>) {
  std::tuple<std::remove_cvref_t<Args>...> values;
  return (parse_path_argument(from.values[Index], std::get<Index>(values)) && ...);
}

/// Writes what a verb returns, if it returns something.
template <class R>
Task<> write_result(RequestHandler& handler, Task<R> task) {
  auto result = co_await task;
  handler.write(result);
}

template <class R, class... Args>
struct VerbCall {
  /// `Invoke` is a stateless callable: invoke(handler, args...).
  template <class Invoke>
  static constexpr VerbEntry entry() {
    VerbEntry made;
    made.parameter_count = sizeof...(Args);
    if constexpr (sizeof...(Args) > 0) {
      made.fits = [](const PathArguments& from) {
        return fit_path_arguments<Args...>(from, std::index_sequence_for<Args...>());
      };
    }
    if constexpr (is_task<R>) {
      made.coroutine = [](RequestHandler& handler, const PathArguments& from) -> Task<> {
        return with_path_arguments<Args...>(
            from, std::index_sequence_for<Args...>(), [&handler](auto&&... args) -> Task<> {
              if constexpr (std::is_same_v<R, Task<>>) {
                return Invoke()(handler, std::forward<decltype(args)>(args)...);
              } else {
                return write_result(handler,
                                    Invoke()(handler, std::forward<decltype(args)>(args)...));
              }
            });
      };
    } else {
      made.plain = [](RequestHandler& handler, const PathArguments& from) {
        with_path_arguments<Args...>(
            from, std::index_sequence_for<Args...>(), [&handler](auto&&... args) {
              if constexpr (std::is_void_v<R>) {
                Invoke()(handler, std::forward<decltype(args)>(args)...);
              } else {
                handler.write(Invoke()(handler, std::forward<decltype(args)>(args)...));
              }
            });
      };
    }
    return made;
  }
};

template <class T, auto Member>
struct InvokeAs {
  template <class... Args>
  decltype(auto) operator()(RequestHandler& handler, Args&&... args) const {
    return (static_cast<T&>(handler).*Member)(std::forward<Args>(args)...);
  }
};

template <class T, auto Member, class Signature = decltype(Member)>
struct MemberVerb;
template <class T, auto Member, class C, class R, class... Args>
struct MemberVerb<T, Member, R (C::*)(Args...)> {
  static constexpr VerbEntry entry = VerbCall<R, Args...>::template entry<InvokeAs<T, Member>>();
};
template <class T, auto Member, class C, class R, class... Args>
struct MemberVerb<T, Member, R (C::*)(Args...) const> : MemberVerb<T, Member, R (C::*)(Args...)> {};
template <class T, auto Member, class C, class R, class... Args>
struct MemberVerb<T, Member, R (C::*)(Args...) noexcept>
    : MemberVerb<T, Member, R (C::*)(Args...)> {};
template <class T, auto Member, class C, class R, class... Args>
struct MemberVerb<T, Member, R (C::*)(Args...) const noexcept>
    : MemberVerb<T, Member, R (C::*)(Args...)> {};

// A verb that is there but overloaded has no single address; name look-up then finds it in the
// probe as well as here, which tells it from one that is not there.
struct VerbNames {
  int get, head, post, put, patch, delete_, options, trace;
};
template <class T, bool = std::is_final_v<T>>
struct VerbProbe : T, VerbNames {};
template <class T>
struct VerbProbe<T, true> : VerbNames {};

#define SQUALL_VERB(method, name)                                                                  \
  if constexpr (requires { &T::name; }) {                                                          \
    made.verbs[static_cast<std::size_t>(http::Method::method)] = MemberVerb<T, &T::name>::entry;   \
  } else {                                                                                         \
    static_assert(                                                                                 \
        requires { &VerbProbe<T>::name; }, "this handler's " #name                                 \
                                           "() is overloaded or not public: a verb is one public " \
                                           "function");                                            \
  }

template <class T>
constexpr BodyMode body_mode() {
  static_assert(
      requires { &T::data_received; }, "this handler's data_received() is not public");
  if constexpr (!std::is_same_v<decltype(&T::data_received),
                                decltype(&RequestHandler::data_received)>) {
    return BodyMode::pushed;
  } else if constexpr (requires { T::stream_request_body; }) {
    return T::stream_request_body ? BodyMode::pulled : BodyMode::whole;
  } else {
    return BodyMode::whole;
  }
}

template <class T>
constexpr bool overrides_compute_etag() {
  if constexpr (requires { &T::compute_etag; }) {
    return !std::is_same_v<decltype(&T::compute_etag), decltype(&RequestHandler::compute_etag)>;
  } else {
    return true;  // its own, and not public
  }
}

template <class T>
constexpr bool overrides_load_current_user() {
  if constexpr (requires { &T::load_current_user; }) {
    return !std::is_same_v<decltype(&T::load_current_user),
                           decltype(&RequestHandler::load_current_user)>;
  } else {
    return true;
  }
}

template <class T>
constexpr bool is_authenticated() {
  if constexpr (requires { T::authenticated; }) {
    static_assert(std::is_same_v<decltype(T::authenticated), const bool>,
                  "it is `static constexpr bool authenticated = true;`");
    return T::authenticated;
  } else {
    return false;
  }
}

/// What all kinds of handlers have in common.
template <class T>
constexpr HandlerType describe_handler() {
  HandlerType made;
  made.type = &typeid(T);
  made.loads_user = overrides_load_current_user<T>();
  made.authenticated = is_authenticated<T>();
  return made;
}

template <class T>
constexpr HandlerType describe_verbs() {
  HandlerType made = describe_handler<T>();
  made.body = body_mode<T>();
  made.computes_etag = overrides_compute_etag<T>();
  SQUALL_VERB(get, get)
  SQUALL_VERB(head, head)
  SQUALL_VERB(post, post)
  SQUALL_VERB(put, put)
  SQUALL_VERB(patch, patch)
  SQUALL_VERB(delete_, delete_)
  SQUALL_VERB(options, options)
  SQUALL_VERB(trace, trace)
  return made;
}

#undef SQUALL_VERB

/// How a class is described; the WebSocket header adds to it.
template <class T>
struct Describe {
  static constexpr HandlerType type = describe_verbs<T>();
};

template <class T>
inline constexpr const HandlerType& handler_type = Describe<T>::type;

}  // namespace detail
}  // namespace squall::web
