// SPDX-License-Identifier: Apache-2.0
#include "web/routing.hpp"

#include "http/ascii.hpp"
#include "web/router_data.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <utility>

namespace squall::web {
namespace {

/// The same path or pattern with the slash at its end that it lacks, or without the one it has.
std::string with_other_slash(std::string_view path) {
  if (path.ends_with('/')) return std::string(path.substr(0, path.size() - 1));
  return std::string(path) + "/";
}

/// What a path with a slash too many or too few leads to.
struct SlashRedirect : RequestHandler {
  void get() {
    std::string url = with_other_slash(request().path());
    if (url.starts_with("//")) throw HTTPError(404);  // browsers would take that for a host
    if (!request().query().empty()) url.append("?").append(request().query());
    redirect(url, true);
  }
};

void add_slash_redirect(RouteTable& table, std::string_view pattern, const RouteScope* scope) {
  if (pattern == "/" || pattern.ends_with("...}")) return;
  table.add_lesser(with_other_slash(pattern), RouteRank::slash,
                   Endpoint(web::handler<SlashRedirect>, scope));
}

bool says_nothing(const detail::RouteRules& rules) noexcept {
  return rules.max_body_size == 0 && rules.body_timeout == Duration() &&
         rules.write_timeout == Duration() && rules.login_url.empty() && !rules.authenticated &&
         !rules.xsrf_exempt && !rules.redirect_slash && rules.middleware.empty();
}

/// All but the middleware.
void override_with(detail::RouteRules& rules, const detail::RouteRules& by) {
  if (by.max_body_size != 0) rules.max_body_size = by.max_body_size;
  if (by.body_timeout != Duration()) rules.body_timeout = by.body_timeout;
  if (by.write_timeout != Duration()) rules.write_timeout = by.write_timeout;
  if (!by.login_url.empty()) rules.login_url = by.login_url;
  rules.authenticated = rules.authenticated || by.authenticated;
  rules.xsrf_exempt = rules.xsrf_exempt || by.xsrf_exempt;
  rules.redirect_slash = rules.redirect_slash || by.redirect_slash;
}

}  // namespace

HostPattern::HostPattern(std::string_view pattern) {
  is_ending_ = pattern == "*" || pattern.starts_with("*.");
  if (is_ending_) pattern.remove_prefix(1);
  const bool is_literal = pattern.starts_with('[') && pattern.ends_with(']');
  const bool is_host = std::all_of(pattern.begin(), pattern.end(), [&](char c) {
    return http::ascii::is_alpha(c) || http::ascii::is_digit(c) || c == '.' || c == '-' ||
           c == '_' || (is_literal && (c == ':' || c == '[' || c == ']'));
  });
  if (!is_host || (pattern.empty() && !is_ending_)) {
    throw UsageError("host \"" + std::string(pattern) +
                     "\" is no host name: it has no port, and for a regular expression write "
                     "web::re(...)");
  }
  char storage[longest_host + 1];
  text_ = normalise_host(pattern, storage);
}

HostPattern::HostPattern(const re& expression)
    : expression_(compile_regex("host", expression.expression)) {}

bool HostPattern::matches(std::string_view host) const {
  if (expression_) {
    return RE2::FullMatch(re2::StringPiece(host.data(), host.size()), *expression_);
  }
  return is_ending_ ? host.size() > text_.size() && host.ends_with(text_) : host == text_;
}

std::string HostPattern::text() const {
  if (expression_) return "re(" + expression_->pattern() + ")";
  return (is_ending_ ? "*" : "") + text_;
}

std::string_view normalise_host(std::string_view authority,
                                char (&storage)[longest_host + 1]) noexcept {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    authority = authority.substr(0, colon);
  }
  if (authority.ends_with('.')) authority.remove_suffix(1);
  if (authority.size() > longest_host) return {};
  std::transform(authority.begin(), authority.end(), storage, http::ascii::lower);
  return {storage, authority.size()};
}

void Routing::add(const Route& route) { add(table_, route, {}); }

void Routing::add_host(HostPattern host, std::initializer_list<Route> routes) {
  auto made = std::make_unique<Host>(std::move(host));
  for (const Route& route : routes) add(made->table, route, {});
  hosts_.push_back(std::move(made));
}

void Routing::set_default_host(std::string_view host) {
  char storage[longest_host + 1];
  default_host_ = normalise_host(host, storage);
}

void Routing::add(RouteTable& table, const Route& route, const Group& group) {
  if (route.router.data() != nullptr) {
    add_router(table, route, group);
    return;
  }
  if (!route.target) {
    throw UsageError("route \"" + route.pattern +
                     "\" leads nowhere: give it a handler, or a router that has routes");
  }
  Endpoint endpoint(route.target, scope_of(group.scope, route.rules));
  ReversePattern reverse = group.reverse;
  std::string pattern = group.pattern;
  if (!group.is_regex && !route.is_regex) {
    pattern += route.pattern;
    if (pattern.empty() && group.is_router) pattern = "/";  // the prefix itself, of the root
    if (endpoint.scope != nullptr && endpoint.scope->redirect_slash) {
      add_slash_redirect(table, pattern, endpoint.scope);
    }
    table.add_pattern(pattern, route.method, std::move(endpoint));
    reverse = reverse_of_pattern(pattern);
  } else {
    if (!group.is_regex) pattern = pattern_as_regex(group.pattern);
    pattern += !route.is_regex         ? pattern_as_regex(route.pattern)
               : group.pattern.empty() ? route.pattern
                                       : "(?:" + route.pattern + ")";
    table.add_regex(pattern, route.method, std::move(endpoint));
    reverse.append(route.is_regex ? reverse_of_regex(route.pattern)
                                  : reverse_of_pattern(route.pattern));
  }
  if (!route.name.empty()) {
    add_name(group.names + route.name, std::move(pattern), std::move(reverse));
  }
}

void Routing::add_router(RouteTable& table, const Route& mount, const Group& group) {
  const Router::Data& router = *mount.router.data();
  if (!mount.is_regex && mount.pattern != "/" && mount.pattern.ends_with('/')) {
    throw UsageError("router at \"" + mount.pattern +
                     "\": its prefix has no slash at the end, its routes begin with one");
  }
  Group inner = group;
  inner.is_router = true;
  std::string_view prefix = mount.pattern;
  if (!mount.is_regex && prefix == "/") prefix = {};
  if (mount.is_regex || group.is_regex) {
    if (!group.is_regex) inner.pattern = pattern_as_regex(group.pattern);
    inner.is_regex = true;
    inner.pattern += mount.is_regex ? "(?:" + std::string(prefix) + ")" : pattern_as_regex(prefix);
  } else {
    if (!prefix.empty()) static_cast<void>(take_apart(prefix));  // it is in order by itself
    inner.pattern += prefix;
  }
  inner.reverse.append(mount.is_regex ? reverse_of_regex(prefix) : reverse_of_pattern(prefix));
  for (const std::string* name : {&mount.name, &router.name}) {
    if (!name->empty()) inner.names.append(*name).append(":");
  }
  // The mount is outside, but what it says of limits goes before what the router says.
  detail::RouteRules rules = router.rules;
  rules.middleware.clear();
  override_with(rules, mount.rules);
  for (const detail::RouteRules* of : {&mount.rules, &router.rules}) {
    rules.middleware.insert(rules.middleware.end(), of->middleware.begin(), of->middleware.end());
  }
  inner.scope = scope_of(group.scope, rules);
  for (const Route& route : router.routes) {
    if (!route.is_regex && !route.pattern.empty() && route.pattern.front() != '/') {
      throw UsageError("route \"" + route.pattern + "\" of the router at \"" + mount.pattern +
                       "\" begins with a slash, or is \"\" for the prefix itself");
    }
    add(table, route, inner);
  }
  if (router.default_handler) add_default(table, router.default_handler, inner);
}

/// For all paths below a router's prefix, and for the prefix.
void Routing::add_default(RouteTable& table, const HandlerSpec& handler, const Group& group) {
  const Endpoint endpoint(handler, group.scope);
  if (group.is_regex) {
    table.add_fallback_regex("(?:" + group.pattern + ")(?:/.*)?", endpoint);
    return;
  }
  table.add_lesser(group.pattern + "/{unmatched_path...}", RouteRank::fallback, endpoint);
  if (!group.pattern.empty()) table.add_lesser(group.pattern, RouteRank::fallback, endpoint);
}

const RouteScope* Routing::scope_of(const RouteScope* outer, const detail::RouteRules& rules) {
  if (says_nothing(rules)) return outer;
  auto made = std::make_unique<RouteScope>(outer != nullptr ? *outer : root_scope_);
  override_with(*made, rules);
  made->middleware.insert(made->middleware.end(), rules.middleware.begin(), rules.middleware.end());
  scopes_.push_back(std::move(made));
  return scopes_.back().get();
}

void Routing::use(Middleware middleware) {
  const auto at = static_cast<std::ptrdiff_t>(root_scope_.middleware.size());
  for (const auto& scope : scopes_) {
    scope->middleware.insert(scope->middleware.begin() + at, middleware);
  }
  root_scope_.middleware.push_back(std::move(middleware));
}

void Routing::add_name(std::string name, std::string pattern, ReversePattern reverse) {
  const auto [known, is_new] = names_.try_emplace(std::move(name));
  if (!is_new) {
    throw UsageError("two routes have the name \"" + known->first + "\": \"" +
                     known->second.pattern + "\" and \"" + pattern +
                     "\"; of a router that is mounted twice, name the mounts");
  }
  known->second = {std::move(pattern), std::move(reverse)};
}

bool Routing::find(std::string_view authority, std::string_view path,
                   RouteTable::Match& match) const {
  if (hosts_.empty()) return table_.find(path, match);
  char storage[longest_host + 1];
  const std::string_view host = normalise_host(authority, storage);
  for (const auto& of : hosts_) {
    if (of->pattern.matches(host) && of->table.find(path, match)) return true;
  }
  if (table_.find(path, match)) return true;
  if (default_host_.empty()) return false;
  for (const auto& of : hosts_) {
    if (of->pattern.matches(default_host_) && of->table.find(path, match)) return true;
  }
  return false;
}

std::vector<Routing::Listed> Routing::list() const {
  std::vector<Listed> out;
  const auto add_table = [&](const std::string& host, const RouteTable& table) {
    for (const RouteTarget* const target : table.targets()) {
      const auto named = std::find_if(names_.begin(), names_.end(), [target](const auto& one) {
        return one.second.pattern == target->pattern;
      });
      out.push_back({host, named != names_.end() ? named->first : std::string(), target});
    }
  };
  for (const auto& of : hosts_) add_table(of->pattern.text(), of->table);
  add_table({}, table_);
  return out;
}

std::string Routing::reverse_url(std::string_view name, const detail::URLArgument* arguments,
                                 std::size_t count) const {
  const auto found = names_.find(name);
  if (found == names_.end()) {
    throw UsageError("reverse_url(\"" + std::string(name) +
                     "\"): no route has that name; give it one with {.name = ...}");
  }
  return make_path(found->second.reverse, name, found->second.pattern, arguments, count);
}

}  // namespace squall::web
