// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/handler.hpp>
#include <squall/web/router.hpp>

#include <re2/re2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

/// What the routes of a group share; the middleware is the application's, too.
using RouteScope = detail::RouteRules;

/// Who answers, and how.
struct Endpoint {
  Endpoint() noexcept = default;
  Endpoint(HandlerSpec to, const RouteScope* of = nullptr) noexcept  // NOLINT: implicit by design
      : spec(std::move(to)), scope(of) {}
  template <class T>
  Endpoint(const detail::HandlerOf<T>& to) : spec(to) {}  // NOLINT: implicit by design

  explicit operator bool() const noexcept { return static_cast<bool>(spec); }

  HandlerSpec spec;
  const RouteScope* scope = nullptr;  ///< nullptr: the application's own
};

/// How much an entry of the table is worth; of those for one path the highest is taken.
enum class RouteRank : std::uint8_t {
  fallback,  ///< a router's default handler
  slash,     ///< leads to the pattern that has a slash more or less
  route,
};

/// Where a path leads: one target for all methods, or one for each.
struct RouteTarget {
  RouteRank rank = RouteRank::route;
  Endpoint all;
  std::array<Endpoint, http::method_count> by_method;
  std::string pattern;  ///< as the program wrote it
  bool is_regex = false;
  std::vector<std::string> names;  ///< of the path arguments; "" for a regular expression's
  std::size_t order = 0;           ///< position in the table
};

/// The route table: patterns in a radix tree, regular expressions in a list.
class RouteTable {
 public:
  static constexpr std::size_t max_arguments = 16;

  struct Match {
    const RouteTarget* target = nullptr;
    std::string_view arguments[max_arguments];  ///< as they stand in the path
    std::size_t argument_count = 0;
  };

  RouteTable();
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;
  ~RouteTable();

  /// Throws UsageError for a malformed pattern, one that stands for the same paths as an earlier
  /// one, or a verb whose parameters do not fit it.
  void add_pattern(std::string_view pattern, Endpoint target);
  void add_pattern(std::string_view pattern, http::Method method, Endpoint target);
  void add_regex(std::string_view expression, Endpoint target);
  /// An entry below routes, in force only where there is no higher one for the same paths.
  void add_lesser(std::string_view pattern, RouteRank rank, Endpoint target);
  /// For what the expressions before it leave.
  void add_fallback_regex(std::string_view expression, Endpoint target);
  // Method::unknown stands for all methods.
  void add_regex(std::string_view expression, http::Method method, Endpoint target);

  /// The route of a path that is normalised (normalise_path()).
  [[nodiscard]] bool find(std::string_view path, Match& match) const;

  /// All entries in the order in which they were made.
  [[nodiscard]] std::vector<const RouteTarget*> targets() const;

 private:
  struct Node;
  struct Place;
  struct Regex {
    std::unique_ptr<RE2> expression;
    RouteTarget target;
  };

  RouteTarget* place(std::string_view pattern, RouteRank rank);
  static void collect(const Node& node, std::vector<const RouteTarget*>& out);
  static const RouteTarget* walk(const Node& node, std::string_view rest, Match& match);

  std::unique_ptr<Node> root_;
  std::vector<Regex> regexes_;
  std::size_t next_order_ = 0;
};

/// Throws UsageError with the reason, `what` in front.
[[nodiscard]] std::unique_ptr<RE2> compile_regex(const char* what, std::string_view expression);

/// Decodes percent-encoded unreserved characters and writes other escapes in capitals (RFC 3986
/// §6.2.2), so that "/%7euser" and "/~user" are the same path. Returns `path` itself when there is
/// nothing to do, else a view of `storage`.
[[nodiscard]] std::string_view normalise_path(std::string_view path, std::string& storage);

}  // namespace squall::web
