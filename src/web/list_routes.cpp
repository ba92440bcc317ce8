// SPDX-License-Identifier: Apache-2.0
#include "web/list_routes.hpp"

#include "loop/symbols.hpp"
#include "web/application_impl.hpp"
#include "web/worker.hpp"

#include <squall/json.hpp>
#include <squall/loop/unique_fd.hpp>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace squall::web {
namespace {

/// Functions have no name that would say something.
std::string handler_name(const detail::HandlerType& type) {
  std::string name = loop::demangled(type.type->name());
  if (name.find("{lambda") != std::string::npos ||
      name.find("FunctionHandler") != std::string::npos) {
    return "function";
  }
  return name;
}

json::array methods_of(const detail::HandlerType& type) {
  if (type.socket != nullptr) return {"WEBSOCKET"};
  if (type.events != nullptr) return {"EVENTS"};
  json::array names;
  for (std::size_t i = 0; i < http::method_count; ++i) {
    if (type.verbs[i]) names.emplace_back(http::to_string(static_cast<http::Method>(i)));
  }
  return names;
}

json::object describe(const Routing::Listed& route, const Endpoint& endpoint,
                      const json::array& methods, const RouteScope& root) {
  const RouteScope& scope = endpoint.scope != nullptr ? *endpoint.scope : root;
  const RouteTarget& target = *route.target;
  const bool is_slash = target.rank == RouteRank::slash;
  const bool takes_all = target.rank == RouteRank::fallback;
  return {{"host", route.host},
          {"pattern", target.pattern},
          {"regex", target.is_regex},
          {"methods", takes_all ? json::array{"*"} : methods},
          {"name", route.name},
          {"handler", is_slash ? "redirect_slash" : handler_name(endpoint.spec.factory()->type)},
          {"middleware", scope.middleware.size()},
          {"authenticated", scope.authenticated || endpoint.spec.factory()->type.authenticated}};
}

std::string lines_of(const Routing& routing) {
  std::string text;
  const auto add = [&](const Routing::Listed& route, const Endpoint& endpoint,
                       const json::array& methods) {
    text += json::serialize(describe(route, endpoint, methods, routing.root_scope())) + "\n";
  };
  for (const Routing::Listed& route : routing.list()) {
    const RouteTarget& target = *route.target;
    if (target.all) add(route, target.all, methods_of(target.all.spec.factory()->type));
    for (std::size_t i = 0; i < http::method_count; ++i) {
      if (!target.by_method[i]) continue;
      add(route, target.by_method[i], {http::to_string(static_cast<http::Method>(i))});
    }
  }
  return text;
}

void append_to(const char* path, std::string_view text) {
  const UniqueFd file(::open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  const bool is_written =
      file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!is_written) {
    throw std::system_error(errno, std::generic_category(), "cannot tell the routes");
  }
}

}  // namespace

bool list_routes_instead(Application& application) {
  static const char* const file = ::secure_getenv(routes_variable);
  if (file == nullptr) return false;
  Application::Impl& impl = application.impl();
  if (!std::exchange(impl.listening, true)) {
    append_to(file, lines_of(impl.routing));
    IOLoop::current().call_later(Duration(), [] { std::_Exit(0); });
  }
  return true;
}

}  // namespace squall::web
