// SPDX-License-Identifier: Apache-2.0
#include "web/route_table.hpp"

#include "http/ascii.hpp"
#include "web/route_pattern.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace squall::web {
namespace {

[[noreturn]] void refuse(std::string_view pattern, const char* why) {
  throw UsageError("route \"" + std::string(pattern) + "\": " + why);
}

void check_parameters(const RouteTarget& target, std::string_view pattern,
                      const HandlerSpec& spec) {
  const auto check = [&](const detail::VerbEntry& verb) {
    if (!verb || verb.parameter_count == 0 || verb.parameter_count == target.names.size()) return;
    throw UsageError(
        "route \"" + std::string(pattern) + "\" has " + std::to_string(target.names.size()) +
        " path arguments, but its handler takes " + std::to_string(verb.parameter_count) +
        ": take all of them, or none and use path_argument()");
  };
  const detail::HandlerType& type = spec.factory()->type;
  for (const detail::VerbEntry& verb : type.verbs) check(verb);
  if (type.socket != nullptr) check(type.socket->open);
}

}  // namespace

/// A place within a node: what may follow in its segment, and where it leads.
struct RouteTable::Place {
  std::string suffix;  // literal text up to the segment's end
  std::unique_ptr<Node> next;
};

struct RouteTable::Node {
  std::string prefix;                           // literal text before all that follows
  std::vector<std::unique_ptr<Node>> children;  // by different first bytes
  std::vector<Place> places;                    // longest suffix first
  std::unique_ptr<RouteTarget> end;             // for a path that ends here
  std::unique_ptr<RouteTarget> tail;            // for `{name...}` here

  Node* child_for(char first) const {
    for (const auto& child : children) {
      if (child->prefix.front() == first) return child.get();
    }
    return nullptr;
  }

  /// The node at the end of `literal`, made if need be; nodes are split where texts part.
  Node& descend(std::string_view literal) {
    if (literal.empty()) return *this;
    Node* const child = child_for(literal.front());
    if (child == nullptr) {
      children.push_back(std::make_unique<Node>());
      children.back()->prefix = literal;
      return *children.back();
    }
    const auto [at, other] =
        std::mismatch(child->prefix.begin(), child->prefix.end(), literal.begin(), literal.end());
    const auto common = static_cast<std::size_t>(at - child->prefix.begin());
    if (common < child->prefix.size()) {
      auto lower = std::make_unique<Node>();
      lower->prefix = child->prefix.substr(common);
      lower->children = std::move(child->children);
      lower->places = std::move(child->places);
      lower->end = std::move(child->end);
      lower->tail = std::move(child->tail);
      child->prefix.resize(common);
      child->children.clear();
      child->places.clear();
      child->children.push_back(std::move(lower));
    }
    return child->descend(literal.substr(common));
  }

  Node& place(std::string_view suffix) {
    for (Place& known : places) {
      if (known.suffix == suffix) return *known.next;
    }
    const auto at = std::find_if(places.begin(), places.end(), [&](const Place& known) {
      return known.suffix.size() < suffix.size();
    });
    return *places.insert(at, Place{std::string(suffix), std::make_unique<Node>()})->next;
  }
};

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;

/// nullptr when the paths have a higher entry, or one as high that is not a route.
RouteTarget* RouteTable::place(std::string_view pattern, RouteRank rank) {
  const std::vector<PatternPiece> pieces = take_apart(pattern);
  Node* node = root_.get();
  std::vector<std::string> names;
  bool tail = false;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const PatternPiece& piece = pieces[i];
    if (piece.kind == PatternPiece::Kind::literal) {
      node = &node->descend(piece.text);
      continue;
    }
    names.push_back(piece.text);
    if (piece.kind == PatternPiece::Kind::tail) {
      tail = true;  // take_apart() made sure that nothing follows
      break;
    }
    std::string_view literal;
    if (i + 1 < pieces.size()) literal = pieces[i + 1].text;
    const std::string_view suffix = literal.substr(0, literal.find('/'));
    node = &node->place(suffix);
    if (!literal.empty()) {
      node = &node->descend(literal.substr(suffix.size()));
      ++i;
    }
  }
  if (names.size() > max_arguments) refuse(pattern, "it has more than 16 places");
  std::unique_ptr<RouteTarget>& slot = tail ? node->tail : node->end;
  if (slot != nullptr && rank < RouteRank::route && slot->rank >= rank) return nullptr;
  if (slot == nullptr || slot->rank < rank) {
    slot = std::make_unique<RouteTarget>();
    slot->rank = rank;
    slot->pattern = pattern;
    slot->names = std::move(names);
    slot->order = next_order_++;
  } else if (slot->names != names) {
    throw UsageError("route \"" + std::string(pattern) + "\" stands for the same paths as \"" +
                     slot->pattern + "\"");
  }
  return slot.get();
}

void RouteTable::add_lesser(std::string_view pattern, RouteRank rank, Endpoint target) {
  RouteTarget* const at = place(pattern, rank);
  if (at == nullptr) return;
  check_parameters(*at, pattern, target.spec);
  at->all = std::move(target);
}

void RouteTable::add_pattern(std::string_view pattern, Endpoint target) {
  RouteTarget& at = *place(pattern, RouteRank::route);
  const bool taken = at.all || std::any_of(at.by_method.begin(), at.by_method.end(),
                                           [](const Endpoint& one) { return bool(one); });
  if (taken) {
    throw UsageError("route \"" + std::string(pattern) + "\" is there already, as \"" + at.pattern +
                     "\"");
  }
  check_parameters(at, pattern, target.spec);
  at.all = std::move(target);
}

void RouteTable::add_pattern(std::string_view pattern, http::Method method, Endpoint target) {
  if (method == http::Method::unknown) {
    add_pattern(pattern, std::move(target));
    return;
  }
  RouteTarget& at = *place(pattern, RouteRank::route);
  Endpoint& slot = at.by_method[static_cast<std::size_t>(method)];
  if (at.all || slot) {
    throw UsageError("route \"" + std::string(pattern) + "\" answers " +
                     std::string(http::to_string(method)) + " already");
  }
  check_parameters(at, pattern, target.spec);
  slot = std::move(target);
}

void RouteTable::add_regex(std::string_view expression, Endpoint target) {
  add_regex(expression, http::Method::unknown, std::move(target));
}

void RouteTable::add_regex(std::string_view expression, http::Method method, Endpoint target) {
  const bool one_method = method != http::Method::unknown;
  for (Regex& known : regexes_) {
    if (known.target.pattern != expression) continue;
    Endpoint& slot = known.target.by_method[one_method ? static_cast<std::size_t>(method) : 0];
    if (!one_method || known.target.all || slot) {
      throw UsageError("route re(\"" + std::string(expression) + "\") is there already");
    }
    check_parameters(known.target, expression, target.spec);
    slot = std::move(target);
    return;
  }
  auto compiled = compile_regex("route", expression);
  const auto groups = static_cast<std::size_t>(compiled->NumberOfCapturingGroups());
  if (groups > max_arguments) refuse(expression, "it has more than 16 groups");
  RouteTarget made;
  made.pattern = expression;
  made.is_regex = true;
  made.names.resize(groups);
  for (const auto& [number, name] : compiled->CapturingGroupNames()) {
    made.names[static_cast<std::size_t>(number) - 1] = name;
  }
  made.order = next_order_++;
  check_parameters(made, expression, target.spec);
  (one_method ? made.by_method[static_cast<std::size_t>(method)] : made.all) = std::move(target);
  regexes_.push_back({std::move(compiled), std::move(made)});
}

void RouteTable::add_fallback_regex(std::string_view expression, Endpoint target) {
  add_regex(expression, std::move(target));
  regexes_.back().target.rank = RouteRank::fallback;
}

std::unique_ptr<RE2> compile_regex(const char* what, std::string_view expression) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled =
      std::make_unique<RE2>(re2::StringPiece(expression.data(), expression.size()), options);
  if (!compiled->ok()) {
    throw UsageError(std::string(what) + " re(\"" + std::string(expression) +
                     "\"): " + compiled->error());
  }
  return compiled;
}

// A node is reached by one way only, so a look-up costs at most the tree, whatever the path is.
const RouteTarget* RouteTable::walk(const Node& node, std::string_view rest, Match& match) {
  if (!rest.starts_with(node.prefix)) return nullptr;
  rest.remove_prefix(node.prefix.size());
  if (rest.empty()) {
    if (node.end != nullptr) return node.end.get();
  } else {
    if (const Node* const child = node.child_for(rest.front())) {
      if (const RouteTarget* const found = walk(*child, rest, match)) return found;
    }
    if (!node.places.empty() && rest.front() != '/') {
      const std::string_view segment = rest.substr(0, rest.find('/'));
      const std::size_t depth = match.argument_count;
      for (const Place& place : node.places) {
        if (segment.size() <= place.suffix.size() || !segment.ends_with(place.suffix)) continue;
        match.arguments[depth] = segment.substr(0, segment.size() - place.suffix.size());
        match.argument_count = depth + 1;
        if (const RouteTarget* const found =
                walk(*place.next, rest.substr(segment.size()), match)) {
          return found;
        }
        match.argument_count = depth;
      }
    }
  }
  if (node.tail != nullptr) {
    match.arguments[match.argument_count++] = rest;
    return node.tail.get();
  }
  return nullptr;
}

bool RouteTable::find(std::string_view path, Match& match) const {
  match.argument_count = 0;
  match.target = walk(*root_, path, match);
  if (regexes_.empty()) return match.target != nullptr;
  const re2::StringPiece text(path.data(), path.size());
  for (const Regex& regex : regexes_) {
    if (match.target != nullptr && match.target->order < regex.target.order) break;
    re2::StringPiece groups[max_arguments + 1];
    const int count = static_cast<int>(regex.target.names.size()) + 1;
    if (!regex.expression->Match(text, 0, text.size(), RE2::ANCHOR_BOTH, groups, count)) continue;
    match.target = &regex.target;
    match.argument_count = regex.target.names.size();
    for (std::size_t i = 0; i < match.argument_count; ++i) {
      match.arguments[i] = {groups[i + 1].data(), groups[i + 1].size()};
    }
    break;
  }
  return match.target != nullptr;
}

void RouteTable::collect(const Node& node, std::vector<const RouteTarget*>& out) {
  for (const auto* target : {&node.end, &node.tail}) {
    if (*target != nullptr) out.push_back(target->get());
  }
  for (const auto& child : node.children) collect(*child, out);
  for (const Place& place : node.places) collect(*place.next, out);
}

std::vector<const RouteTarget*> RouteTable::targets() const {
  std::vector<const RouteTarget*> out;
  collect(*root_, out);
  for (const Regex& regex : regexes_) out.push_back(&regex.target);
  std::sort(out.begin(), out.end(),
            [](const RouteTarget* a, const RouteTarget* b) { return a->order < b->order; });
  return out;
}

std::string_view normalise_path(std::string_view path, std::string& storage) {
  const auto is_plain = [](char c) {
    return c != '%' && static_cast<unsigned char>(c) < 0x80 && c != ' ';
  };
  if (std::all_of(path.begin(), path.end(), is_plain)) return path;
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto escape = [&storage](unsigned char byte) {
    storage.push_back('%');
    storage.push_back(digits[byte >> 4]);
    storage.push_back(digits[byte & 15]);
  };
  storage.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (is_plain(c)) {
      storage.push_back(c);
      continue;
    }
    if (c != '%') {
      escape(static_cast<unsigned char>(c));
      continue;
    }
    const int high = i + 2 < path.size() ? http::ascii::hex_value(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? http::ascii::hex_value(path[i + 2]) : -1;
    if (high < 0 || low < 0) {
      storage.push_back('%');
      continue;
    }
    const auto byte = static_cast<unsigned char>(high << 4 | low);
    const char decoded = static_cast<char>(byte);
    const bool unreserved = http::ascii::is_alpha(decoded) || http::ascii::is_digit(decoded) ||
                            decoded == '-' || decoded == '.' || decoded == '_' || decoded == '~';
    if (unreserved) {
      storage.push_back(decoded);
    } else {
      escape(byte);
    }
    i += 2;
  }
  return storage;
}

}  // namespace squall::web
