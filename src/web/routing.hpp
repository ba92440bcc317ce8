// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/route_pattern.hpp"
#include "web/route_table.hpp"

#include <squall/web/router.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

/// Which hosts a table of routes is for.
class HostPattern {
 public:
  /// A host name, `*.` and what its end is, or `*`. Throws UsageError for what is no host.
  explicit HostPattern(std::string_view pattern);
  explicit HostPattern(const re& expression);

  /// `host` is normalised (normalise_host()).
  [[nodiscard]] bool matches(std::string_view host) const;
  /// As it was written, in lower case.
  [[nodiscard]] std::string text() const;

 private:
  std::string text_;  // all of the host, or its end
  bool is_ending_ = false;
  std::unique_ptr<RE2> expression_;
};

inline constexpr std::size_t longest_host = 255;

/// The host of an authority in lower case, without port and final dot; "" for one that is too long.
[[nodiscard]] std::string_view normalise_host(std::string_view authority,
                                              char (&storage)[longest_host + 1]) noexcept;

/// All routes of an application: its own, those of virtual hosts, and their names.
class Routing {
 public:
  /// Throws UsageError.
  void add(const Route& route);
  void add_host(HostPattern host, std::initializer_list<Route> routes);
  /// Routes of these hosts also answer what no other route does.
  void set_default_host(std::string_view host);

  /// Whether hosts matter.
  [[nodiscard]] bool has_hosts() const noexcept { return !hosts_.empty(); }
  /// The route of a path that is normalised; `authority` is looked at when has_hosts().
  bool find(std::string_view authority, std::string_view path, RouteTable::Match& match) const;

  /// Throws UsageError for a name that there is not, and for arguments that do not fit.
  [[nodiscard]] std::string reverse_url(std::string_view name, const detail::URLArgument* arguments,
                                        std::size_t count) const;

  /// Puts it before all routes, inside of those that are there.
  void use(Middleware middleware);
  /// Of routes without one of their own, and of paths without a route.
  [[nodiscard]] const RouteScope& root_scope() const noexcept { return root_scope_; }

  [[nodiscard]] RouteTable& table() noexcept { return table_; }

  struct Listed {
    std::string host;  ///< "" for any
    std::string name;  ///< "" for none
    const RouteTarget* target;
  };
  /// All entries of all tables, those of virtual hosts first, as they are asked.
  [[nodiscard]] std::vector<Listed> list() const;

 private:
  struct Host {
    explicit Host(HostPattern of) : pattern(std::move(of)) {}
    HostPattern pattern;
    RouteTable table;
  };
  struct Named {
    std::string pattern;
    ReversePattern reverse;
  };
  /// What the routers around a route say.
  struct Group {
    std::string pattern;
    bool is_router = false;
    bool is_regex = false;
    std::string names;
    const RouteScope* scope = nullptr;
    ReversePattern reverse;
  };

  void add(RouteTable& table, const Route& route, const Group& group);
  void add_router(RouteTable& table, const Route& mount, const Group& group);
  void add_name(std::string name, std::string pattern, ReversePattern reverse);
  const RouteScope* scope_of(const RouteScope* outer, const detail::RouteRules& rules);
  static void add_default(RouteTable& table, const HandlerSpec& handler, const Group& group);

  RouteTable table_;
  RouteScope root_scope_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::string default_host_;
  std::map<std::string, Named, std::less<>> names_;
  std::vector<std::unique_ptr<RouteScope>> scopes_;
};

}  // namespace squall::web
