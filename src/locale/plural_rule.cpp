// SPDX-License-Identifier: Apache-2.0
#include "locale/plural_rule.hpp"

#include "http/ascii.hpp"

#include <squall/base/limits.hpp>

#include <fmt/format.h>

#include <array>

namespace squall::locale {

namespace ascii = http::ascii;

/// Reads one expression with C's precedences into the nodes of a rule.
class PluralParser {
 public:
  using Op = PluralRule::Op;
  PluralParser(std::string_view text, std::vector<PluralRule::Node>& nodes)
      : text_(text), nodes_(nodes) {}

  bool parse(std::string& why) {
    const int whole = conditional(0);
    skip_blanks();
    if (whole >= 0 && at_ != text_.size()) fail("what is this");
    // The last node is the whole: an operator comes after its operands, a parenthesis is none.
    if (!why_.empty()) why = std::move(why_);
    return why.empty();
  }

 private:
  struct Binary {
    std::string_view sign;
    Op op;
    int precedence;
  };
  static constexpr std::array<Binary, 13> binaries = {{
      {"||", Op::either, 1},
      {"&&", Op::both, 2},
      {"==", Op::equal, 3},
      {"!=", Op::unequal, 3},
      {"<=", Op::at_most, 4},
      {">=", Op::at_least, 4},
      {"<", Op::less, 4},
      {">", Op::greater, 4},
      {"+", Op::add, 5},
      {"-", Op::subtract, 5},
      {"*", Op::multiply, 6},
      {"/", Op::divide, 6},
      {"%", Op::modulo, 6},
  }};

  // Each gives the number of its node, or -1 after fail().

  int conditional(std::size_t depth) {
    if (depth > limits::plural_expression_depth) return fail("too many parts within each other");
    const int condition = binary(depth, 1);
    if (condition < 0 || !take("?")) return condition;
    const int yes = conditional(depth + 1);
    if (yes < 0) return yes;
    if (!take(":")) return fail("expected ':'");
    const int no = conditional(depth + 1);
    return no < 0 ? no : add(Op::choose, condition, yes, no);
  }

  int binary(std::size_t depth, int least) {
    int left = unary(depth);
    while (left >= 0) {
      const Binary* const found = next_binary(least);
      if (found == nullptr) break;
      at_ += found->sign.size();
      const int right = binary(depth, found->precedence + 1);
      left = right < 0 ? right : add(found->op, left, right);
    }
    return left;
  }

  int unary(std::size_t depth) {
    if (depth > limits::plural_expression_depth) return fail("too many parts within each other");
    skip_blanks();
    if (text_.substr(at_, 1) == "!" && text_.substr(at_, 2) != "!=") {
      ++at_;
      const int operand = unary(depth + 1);
      return operand < 0 ? operand : add(Op::negate, operand);
    }
    if (take("(")) {
      const int inner = conditional(depth + 1);
      if (inner >= 0 && !take(")")) return fail("expected ')'");
      return inner;
    }
    if (take("n")) return add(Op::count);
    if (at_ == text_.size() || !ascii::is_digit(text_[at_])) {
      return fail("expected a number, 'n' or '('");
    }
    std::uint64_t value = 0;
    for (; at_ < text_.size() && ascii::is_digit(text_[at_]); ++at_) {
      value = value * 10 + static_cast<unsigned>(text_[at_] - '0');
      if (value > 1'000'000'000'000) return fail("a number that is too large");
    }
    const int node = add(Op::number);
    if (node >= 0) nodes_.back().value = value;
    return node;
  }

  const Binary* next_binary(int least) {
    skip_blanks();
    for (const Binary& binary : binaries) {
      if (text_.substr(at_).starts_with(binary.sign)) {
        return binary.precedence >= least ? &binary : nullptr;
      }
    }
    return nullptr;
  }

  int add(Op op, int a = 0, int b = 0, int c = 0) {
    if (nodes_.size() >= limits::plural_expression_nodes) return fail("too many parts");
    nodes_.push_back({op, static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b),
                      static_cast<std::uint16_t>(c), 0});
    return static_cast<int>(nodes_.size()) - 1;
  }

  bool take(std::string_view sign) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size() && ascii::is_blank(text_[at_])) ++at_;
  }

  int fail(std::string_view what) {
    if (why_.empty()) {
      why_ = fmt::format("plural expression \"{}\", character {}: {}", text_.substr(0, 200),
                         at_ + 1, what);
    }
    return -1;
  }

  std::string_view text_;
  std::vector<PluralRule::Node>& nodes_;
  std::size_t at_ = 0;
  std::string why_;
};

namespace {

// The value of `name=value` at the beginning, up to the semicolon or the end.
std::optional<std::string_view> take_assignment(std::string_view& field, std::string_view name) {
  field = ascii::trim(field);
  if (!field.starts_with(name)) return {};
  std::string_view rest = ascii::trim(field.substr(name.size()));
  if (!rest.starts_with('=')) return {};
  rest.remove_prefix(1);
  const std::size_t end = rest.find(';');
  const std::string_view value = ascii::trim(rest.substr(0, end));
  field = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return value;
}

}  // namespace

PluralRule::PluralRule() {
  nodes_ = {{Op::count, 0, 0, 0, 0}, {Op::number, 0, 0, 0, 1}, {Op::unequal, 0, 1, 0, 0}};
}

std::optional<PluralRule> PluralRule::parse(std::string_view field, std::string& why) {
  PluralRule rule;
  rule.nodes_.clear();
  const auto forms = take_assignment(field, "nplurals");
  const auto expression = forms ? take_assignment(field, "plural") : std::nullopt;
  if (!expression) {
    why = "Plural-Forms is not \"nplurals=NUMBER; plural=EXPRESSION;\"";
    return {};
  }
  std::size_t count = 0;
  for (const char c : *forms) {
    if (!ascii::is_digit(c) || count > limits::plural_forms) {
      count = 0;
      break;
    }
    count = count * 10 + static_cast<std::size_t>(c - '0');
  }
  if (count == 0 || count > limits::plural_forms) {
    why = fmt::format("nplurals is 1 to {}, not \"{}\"", limits::plural_forms, *forms);
    return {};
  }
  rule.form_count_ = count;
  if (!PluralParser(*expression, rule.nodes_).parse(why)) return {};
  for (std::uint64_t n = 0; n <= 1000; ++n) {
    if (rule.form(n) != npos) continue;
    why = fmt::format("plural expression \"{}\" gives none of the {} forms for {}",
                      expression->substr(0, 200), count, n);
    return {};
  }
  return rule;
}

std::size_t PluralRule::form(std::uint64_t n) const noexcept {
  bool failed = false;
  const std::uint64_t form = evaluate(nodes_.size() - 1, n, failed);
  return failed || form >= form_count_ ? npos : static_cast<std::size_t>(form);
}

// Operands stand before their operator, so this goes no deeper than there are nodes.
std::uint64_t PluralRule::evaluate(std::size_t index, std::uint64_t n,
                                   bool& failed) const noexcept {
  const Node& node = nodes_[index];
  switch (node.op) {
    case Op::number:
      return node.value;
    case Op::count:
      return n;
    case Op::negate:
      return evaluate(node.a, n, failed) == 0 ? 1 : 0;
    case Op::both:
      return evaluate(node.a, n, failed) != 0 && evaluate(node.b, n, failed) != 0 ? 1 : 0;
    case Op::either:
      return evaluate(node.a, n, failed) != 0 || evaluate(node.b, n, failed) != 0 ? 1 : 0;
    case Op::choose:
      return evaluate(evaluate(node.a, n, failed) != 0 ? node.b : node.c, n, failed);
    default:
      break;
  }
  const std::uint64_t left = evaluate(node.a, n, failed);
  const std::uint64_t right = evaluate(node.b, n, failed);
  switch (node.op) {
    case Op::multiply:
      return left * right;
    case Op::divide:
    case Op::modulo:
      if (right == 0) {
        failed = true;
        return 0;
      }
      return node.op == Op::divide ? left / right : left % right;
    case Op::add:
      return left + right;
    case Op::subtract:
      return left - right;
    case Op::less:
      return left < right ? 1 : 0;
    case Op::greater:
      return left > right ? 1 : 0;
    case Op::at_most:
      return left <= right ? 1 : 0;
    case Op::at_least:
      return left >= right ? 1 : 0;
    case Op::equal:
      return left == right ? 1 : 0;
    default:
      return left != right ? 1 : 0;  // Op::unequal
  }
}

}  // namespace squall::locale
