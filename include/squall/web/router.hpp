// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/http/method.hpp>
#include <squall/web/detail/function_handler.hpp>
#include <squall/web/handler.hpp>
#include <squall/web/middleware.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall::web {

/// A regular expression (RE2's syntax, linear time) in place of a route's or a host's pattern; it
/// must match the whole. Of a route, its groups are the path arguments.
struct re {
  explicit re(std::string_view text) : expression(text) {}
  std::string expression;
};

/// What a route has beside pattern and target, written by name: `{"/story/{id}",
/// web::handler<Story>, {.name = "story"}}`. Views are copied.
struct RouteOptions {
  /// For reverse_url(). Of a Router: what stands before the names of its routes, with a colon.
  std::string_view name = {};
  /// Bytes of a request body, in place of Settings::max_body_size and max_streamed_body_size; past
  /// it the answer is 413. Of a Router: of its routes that say nothing. 0 says nothing.
  std::size_t max_body_size = 0;
  /// In place of Settings::body_timeout, write_timeout and login_url, in the same way.
  Duration body_timeout = {};
  Duration write_timeout = {};
  std::string_view login_url = {};
  /// Answers users only, as handlers' classes with `authenticated` do.
  bool authenticated = false;
  /// Leaves out what Settings::xsrf_cookies and xsrf_check_origin ask for: right where clients send
  /// a key and no cookies.
  bool xsrf_exempt = false;
  /// Sends GET and HEAD of the same path with one slash more or less at its end to the pattern's
  /// own form, with 301 and the query; other methods are 404 there. A route of that path goes
  /// first. Patterns that end in `{name...}` and regular expressions have no other form.
  bool redirect_slash = false;
  /// What stands before the handlers, the first outermost; inside of what the routers around and
  /// the application have. To be written inside the braces.
  std::initializer_list<Middleware> middleware = {};
};
static_assert(std::is_trivially_destructible_v<RouteOptions>);

struct Route;

namespace detail {

/// What RouteOptions say of requests, kept.
struct RouteRules {
  RouteRules() = default;
  explicit RouteRules(const RouteOptions& options);

  std::size_t max_body_size = 0;  // zero, as "" and no time: nothing is said
  Duration body_timeout;
  Duration write_timeout;
  std::string login_url;
  bool authenticated = false;
  bool xsrf_exempt = false;
  bool redirect_slash = false;
  std::vector<Middleware> middleware;  // the outermost first
};

/// The routes to functions that applications and routers share.
template <class Self>
class RouteFunctions {
 public:
  /// Routes one method of a pattern to a function. Its parameters are the path arguments, after an
  /// optional `web::Request&`; it may return text or JSON to write, nothing, or a Task of these.
  ///
  ///     app.get("/hello/{name}", [](web::Request&, std::string name) { return "Hello, " + name;
  ///     });
  template <class F>
  void get(std::string_view pattern, F function, const RouteOptions& options = {}) {
    route(http::Method::get, pattern, std::move(function), options);
  }
  template <class F>
  void post(std::string_view pattern, F function, const RouteOptions& options = {}) {
    route(http::Method::post, pattern, std::move(function), options);
  }
  template <class F>
  void put(std::string_view pattern, F function, const RouteOptions& options = {}) {
    route(http::Method::put, pattern, std::move(function), options);
  }
  template <class F>
  void patch(std::string_view pattern, F function, const RouteOptions& options = {}) {
    route(http::Method::patch, pattern, std::move(function), options);
  }
  template <class F>
  void delete_(std::string_view pattern, F function, const RouteOptions& options = {}) {
    route(http::Method::delete_, pattern, std::move(function), options);
  }
  template <class F>
  void route(http::Method method, std::string_view pattern, F function,
             const RouteOptions& options = {}) {
    static_cast<Self*>(this)->add_function(
        method, pattern, HandlerSpec(new FunctionFactory<F>(method, std::move(function))), options);
  }

 private:
  friend Self;
  RouteFunctions() = default;
};

}  // namespace detail

/// A function as the target of a route, for all methods: `{"/old/{path...}", web::function([](
/// web::Request& request, std::string path) { ... })}`.
template <class F>
[[nodiscard]] HandlerSpec function(F function) {
  return HandlerSpec(new detail::FunctionFactory<F>(std::move(function)));
}

/// A group of routes, to be mounted in an Application or in another Router: `{"/api", api}`. A
/// value: mounting takes the routes that it has by then.
///
/// Its routes' patterns stand below the prefix, which may have places of its own; "" is the prefix
/// itself. A verb's parameters are the places of prefix and pattern together. A path that no route
/// here matches goes on to the other routes of the application, and to the default handler here.
class Router : public detail::RouteFunctions<Router> {
 public:
  Router();
  Router(std::initializer_list<Route> routes, const RouteOptions& options = {});
  Router(const Router& other);
  Router(Router&& other) noexcept;
  Router& operator=(Router other) noexcept;
  ~Router();

  void add_route(const Route& route);
  /// Puts a middleware before all routes of this, inside of those that it has.
  void use(Middleware middleware);
  /// Answers paths below the prefix, and the prefix itself, that no other route of the application
  /// matches, as Application::set_default_handler() does for all paths.
  void set_default_handler(HandlerSpec handler);

  /// For the library.
  struct Data;
  [[nodiscard]] const Data* data() const noexcept { return data_; }

 private:
  friend detail::RouteFunctions<Router>;
  void add_function(http::Method method, std::string_view pattern, HandlerSpec target,
                    const RouteOptions& options);
  Data& own();

  Data* data_ = nullptr;
};

/// One line of the route table.
///
/// A pattern is a path: literal text, `{name}` for a part of one segment, `{name...}` at the end
/// for all the rest. Among patterns the most specific wins, wherever it stands: literal text before
/// `{name}` before `{name...}`. A regular expression wins over the patterns that stand behind it in
/// the table and over later expressions. Two routes for the same paths are a UsageError at the
/// start.
struct Route {
  Route(std::string_view path_pattern, HandlerSpec to, const RouteOptions& options = {});
  Route(re path_expression, HandlerSpec to, const RouteOptions& options = {});
  /// The routes of a Router below a prefix.
  Route(std::string_view prefix, Router to, const RouteOptions& options = {});
  Route(re prefix, Router to, const RouteOptions& options = {});

  std::string pattern;
  HandlerSpec target;
  Router router;  ///< in place of the target
  bool is_regex = false;
  http::Method method = http::Method::unknown;  ///< the only one, or `unknown` for all
  std::string name;
  detail::RouteRules rules;
};

}  // namespace squall::web
