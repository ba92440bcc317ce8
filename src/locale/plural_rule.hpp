// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::locale {

/// Which plural form a count takes: the `Plural-Forms` field of a gettext catalogue, an expression
/// of C over `n` with unsigned numbers. Its size is bounded (limits::plural_expression_nodes), and
/// so is the time that an evaluation takes.
class PluralRule {
 public:
  /// One form for 1 and another for the rest.
  PluralRule();

  /// Parses `nplurals=3; plural=n==1 ? 0 : n%10>=2 ? 1 : 2;`. Nothing when it is malformed, or past
  /// a limit, or gives a form that there is not (or divides by zero) for a count of up to 1000;
  /// `why` says what and where then.
  [[nodiscard]] static std::optional<PluralRule> parse(std::string_view field, std::string& why);

  /// The form for `n`; npos when the expression divides by zero or gives one that there is not.
  [[nodiscard]] std::size_t form(std::uint64_t n) const noexcept;
  [[nodiscard]] std::size_t form_count() const noexcept { return form_count_; }

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  friend class PluralParser;
  enum class Op : std::uint8_t {
    number,
    count,  // n
    negate,
    multiply,
    divide,
    modulo,
    add,
    subtract,
    less,
    greater,
    at_most,
    at_least,
    equal,
    unequal,
    both,
    either,
    choose,
  };
  /// `a`, `b`, `c` are nodes that stand before it; of a number `value`.
  struct Node {
    Op op = Op::number;
    std::uint16_t a = 0;
    std::uint16_t b = 0;
    std::uint16_t c = 0;
    std::uint64_t value = 0;
  };

  [[nodiscard]] std::uint64_t evaluate(std::size_t node, std::uint64_t n,
                                       bool& failed) const noexcept;

  std::size_t form_count_ = 2;
  std::vector<Node> nodes_;  // the last is the whole
};

}  // namespace squall::locale
