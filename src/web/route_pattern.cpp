// SPDX-License-Identifier: Apache-2.0
#include "web/route_pattern.hpp"

#include "http/ascii.hpp"
#include "http/percent.hpp"
#include "web/route_table.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace squall::web {
namespace {

using Kind = PatternPiece::Kind;

[[noreturn]] void refuse(std::string_view pattern, const char* why) {
  throw UsageError("route \"" + std::string(pattern) + "\": " + why);
}

bool is_name(std::string_view name) {
  if (name.empty() || http::ascii::is_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return http::ascii::is_alpha(c) || http::ascii::is_digit(c) || c == '_';
  });
}

bool is_word(char c) noexcept {
  return http::ascii::is_alpha(c) || http::ascii::is_digit(c) || c == '_';
}

void push_literal(std::vector<PatternPiece>& pieces, std::string& literal) {
  if (literal.empty()) return;
  std::string storage;
  pieces.push_back({Kind::literal, std::string(normalise_path(literal, storage))});
  literal.clear();
}

/// The end of the group that begins at `at`, and its name; npos when it holds another group.
std::size_t end_of_group(std::string_view expression, std::size_t at, std::string& name) {
  std::size_t i = at + 1;
  if (expression.substr(i).starts_with("?P<")) {
    const std::size_t end = expression.find('>', i);
    if (end == std::string_view::npos) return std::string_view::npos;
    name = expression.substr(i + 3, end - i - 3);
    i = end + 1;
  }
  for (bool in_class = false; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\') {
      ++i;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
    } else if (c == ')') {
      return i;
    } else if (c == '(' || c == '?') {
      if (c == '(' || expression[i - 1] == '(') return std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::vector<PatternPiece> take_apart(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') {
    refuse(pattern, "a pattern begins with a slash; for a regular expression write web::re(...)");
  }
  std::vector<PatternPiece> pieces;
  std::string literal;
  bool place_in_segment = false;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '}') refuse(pattern, "there is a } without {");
    if (c != '{') {
      if (c == '/') place_in_segment = false;
      literal.push_back(c);
      ++i;
      continue;
    }
    const std::size_t end = pattern.find('}', i);
    if (end == std::string_view::npos) refuse(pattern, "there is a { without }");
    std::string_view name = pattern.substr(i + 1, end - i - 1);
    const bool tail = name.ends_with("...");
    if (tail) name.remove_suffix(3);
    if (!is_name(name)) refuse(pattern, "a place is {name} or {name...}, the name an identifier");
    if (place_in_segment) refuse(pattern, "one segment has one place: put a slash between two");
    if (tail && end + 1 != pattern.size()) refuse(pattern, "{name...} stands at the end");
    for (const PatternPiece& piece : pieces) {
      if (piece.kind != Kind::literal && piece.text == name) {
        refuse(pattern, "two places have the same name");
      }
    }
    push_literal(pieces, literal);
    pieces.push_back({tail ? Kind::tail : Kind::place, std::string(name)});
    place_in_segment = true;
    i = end + 1;
  }
  push_literal(pieces, literal);
  return pieces;
}

std::string pattern_as_regex(std::string_view pattern) {
  std::string expression;
  if (pattern.empty()) return expression;
  for (const PatternPiece& piece : take_apart(pattern)) {
    if (piece.kind == Kind::literal) {
      expression += RE2::QuoteMeta(piece.text);
    } else {
      expression.append("(?P<").append(piece.text);
      expression += piece.kind == Kind::tail ? ">.*)" : ">[^/]+)";
    }
  }
  return expression;
}

void ReversePattern::append(ReversePattern other) {
  std::move(other.pieces.begin(), other.pieces.end(), std::back_inserter(pieces));
  if (why_not.empty()) why_not = std::move(other.why_not);
}

std::size_t ReversePattern::argument_count() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(pieces.begin(), pieces.end(),
                    [](const PatternPiece& piece) { return piece.kind != Kind::literal; }));
}

ReversePattern reverse_of_pattern(std::string_view pattern) {
  ReversePattern made;
  if (!pattern.empty()) made.pieces = take_apart(pattern);
  return made;
}

ReversePattern reverse_of_regex(std::string_view expression) {
  ReversePattern made;
  const auto no = [&made](const char* why) {
    made.pieces.clear();
    made.why_not = why;
    return made;
  };
  if (expression.starts_with('^')) expression.remove_prefix(1);
  if (expression.ends_with('$') && !expression.ends_with("\\$")) expression.remove_suffix(1);
  std::string literal;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\') {
      if (++i == expression.size() || is_word(expression[i])) {
        return no("outside of its groups there is more than literal text");
      }
      literal.push_back(expression[i]);
    } else if (c == '(') {
      std::string name;
      const std::size_t end = end_of_group(expression, i, name);
      if (end == std::string_view::npos) {
        return no("one of its groups holds another, or is not simply (...) or (?P<name>...)");
      }
      push_literal(made.pieces, literal);
      made.pieces.push_back({Kind::group, std::move(name)});
      i = end;
      if (i + 1 < expression.size() &&
          std::string_view("?*+{").find(expression[i + 1]) != std::string_view::npos) {
        return no("one of its groups may be left out or repeated");
      }
    } else if (std::string_view("*+?[]{}|^$)").find(c) != std::string_view::npos) {
      return no("outside of its groups there is more than literal text");
    } else {
      literal.push_back(c);
    }
  }
  push_literal(made.pieces, literal);
  return made;
}

void append_path_argument(std::string& out, std::string_view text, bool keep_slashes) {
  if (!keep_slashes) {
    out += http::percent_encode(text);
    return;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    if (at != 0) out += '/';
    out += http::percent_encode(text.substr(at, end - at));
    at = end + 1;
  }
}

std::string make_path(const ReversePattern& from, std::string_view name, std::string_view pattern,
                      const detail::URLArgument* arguments, std::size_t count) {
  const auto complain = [&](const std::string& what) {
    throw UsageError("reverse_url(\"" + std::string(name) + "\"): route \"" + std::string(pattern) +
                     "\" " + what);
  };
  if (!from.why_not.empty()) complain("cannot be reversed: " + from.why_not);
  if (const std::size_t wanted = from.argument_count(); wanted != count) {
    complain("has " + std::to_string(wanted) + " path arguments, not " + std::to_string(count));
  }
  std::string path;
  for (const PatternPiece& piece : from.pieces) {
    if (piece.kind == Kind::literal) {
      path += piece.text;
      continue;
    }
    const std::string_view text = (arguments++)->text();
    if (piece.kind == Kind::place && text.empty()) {
      complain("does not match an empty {" + piece.text + "}");
    }
    append_path_argument(path, text, piece.kind != Kind::place);
  }
  return path;
}

namespace detail {

void URLArgument::write(long long number) noexcept {
  size_ = static_cast<std::size_t>(std::to_chars(digits_, digits_ + sizeof digits_, number).ptr -
                                   digits_);
}
void URLArgument::write_unsigned(unsigned long long number) noexcept {
  size_ = static_cast<std::size_t>(std::to_chars(digits_, digits_ + sizeof digits_, number).ptr -
                                   digits_);
}
void URLArgument::write_real(double number) noexcept {
  size_ = static_cast<std::size_t>(std::to_chars(digits_, digits_ + sizeof digits_, number).ptr -
                                   digits_);
}

}  // namespace detail
}  // namespace squall::web
