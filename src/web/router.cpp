// SPDX-License-Identifier: Apache-2.0
#include "web/router_data.hpp"

#include <squall/base/error.hpp>

#include <utility>

namespace squall::web {

detail::RouteRules::RouteRules(const RouteOptions& options)
    : max_body_size(options.max_body_size),
      body_timeout(options.body_timeout),
      write_timeout(options.write_timeout),
      login_url(options.login_url),
      authenticated(options.authenticated),
      xsrf_exempt(options.xsrf_exempt),
      redirect_slash(options.redirect_slash),
      middleware(options.middleware) {
  if (body_timeout < Duration() || write_timeout < Duration()) {
    throw UsageError("a time-out of a route is longer than nothing");
  }
}

Route::Route(std::string_view path_pattern, HandlerSpec to, const RouteOptions& options)
    : pattern(path_pattern), target(std::move(to)), name(options.name), rules(options) {}
Route::Route(re path_expression, HandlerSpec to, const RouteOptions& options)
    : Route(path_expression.expression, std::move(to), options) {
  is_regex = true;
}
Route::Route(std::string_view prefix, Router to, const RouteOptions& options)
    : Route(prefix, HandlerSpec(), options) {
  router = std::move(to);
}
Route::Route(re prefix, Router to, const RouteOptions& options)
    : Route(prefix.expression, std::move(to), options) {
  is_regex = true;
}

Router::Router() = default;
Router::Router(std::initializer_list<Route> routes, const RouteOptions& options) {
  own().name = options.name;
  own().rules = detail::RouteRules(options);
  own().routes.assign(routes.begin(), routes.end());
}
Router::Router(const Router& other)
    : data_(other.data_ != nullptr ? new Data(*other.data_) : nullptr) {}
Router::Router(Router&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
Router& Router::operator=(Router other) noexcept {
  std::swap(data_, other.data_);
  return *this;
}
Router::~Router() { delete data_; }

Router::Data& Router::own() {
  if (data_ == nullptr) data_ = new Data();
  return *data_;
}

void Router::add_route(const Route& route) { own().routes.push_back(route); }

void Router::use(Middleware middleware) { own().rules.middleware.push_back(std::move(middleware)); }

void Router::set_default_handler(HandlerSpec handler) {
  own().default_handler = std::move(handler);
}

void Router::add_function(http::Method method, std::string_view pattern, HandlerSpec target,
                          const RouteOptions& options) {
  Route route(pattern, std::move(target), options);
  route.method = method;
  own().routes.push_back(std::move(route));
}

}  // namespace squall::web
