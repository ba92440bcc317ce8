// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/url_argument.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

/// A pattern taken apart: literal text, normalised, and places in turn.
struct PatternPiece {
  enum class Kind : std::uint8_t {
    literal,
    place,  ///< a part of one segment
    tail,   ///< all the rest
    group,  ///< of a regular expression
  };
  Kind kind;
  std::string text;  ///< the literal, or the place's name
};

/// Throws UsageError that names the pattern and says why it is malformed.
[[nodiscard]] std::vector<PatternPiece> take_apart(std::string_view pattern);

/// The regular expression that matches what the pattern matches.
[[nodiscard]] std::string pattern_as_regex(std::string_view pattern);

/// How the URLs of a named route are made.
struct ReversePattern {
  std::vector<PatternPiece> pieces;
  std::string why_not;  ///< when they cannot be made

  void append(ReversePattern other);
  [[nodiscard]] std::size_t argument_count() const noexcept;
};
[[nodiscard]] ReversePattern reverse_of_pattern(std::string_view pattern);
/// Of an expression that is literal text and groups that are not nested.
[[nodiscard]] ReversePattern reverse_of_regex(std::string_view expression);

/// `name` and `pattern` are for the UsageError about arguments that do not fit.
[[nodiscard]] std::string make_path(const ReversePattern& from, std::string_view name,
                                    std::string_view pattern, const detail::URLArgument* arguments,
                                    std::size_t count);

/// Percent-encodes a path argument; with `keep_slashes` these stay.
void append_path_argument(std::string& out, std::string_view text, bool keep_slashes);

}  // namespace squall::web
