// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ascii.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace squall::web {

/// Reads `name=value, name="value"` (RFC 9110 §11.2: auth-param), quoted strings unquoted.
class AuthParameters {
 public:
  explicit AuthParameters(std::string_view text) noexcept : rest_(text) {}

  /// Moves to the next parameter. False at the end, and where the text is malformed.
  bool next();
  [[nodiscard]] bool is_malformed() const noexcept { return malformed_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] const std::string& value() const noexcept { return value_; }

 private:
  bool fail() noexcept {
    malformed_ = true;
    return false;
  }
  bool take_quoted();
  void skip_space() noexcept {
    const std::size_t begin = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(begin == std::string_view::npos ? rest_.size() : begin);
  }

  std::string_view rest_;
  std::string_view name_;
  std::string value_;
  bool malformed_ = false;
};

inline bool AuthParameters::take_quoted() {
  value_.clear();
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      return true;
    }
    if (rest_[i] == '\\' && ++i == rest_.size()) break;
    value_ += rest_[i];
  }
  return fail();
}

inline bool AuthParameters::next() {
  skip_space();
  while (rest_.starts_with(',')) {  // empty elements of a list
    rest_.remove_prefix(1);
    skip_space();
  }
  if (rest_.empty() || malformed_) return false;
  const std::size_t equals = rest_.find_first_of("= \t");
  name_ = rest_.substr(0, equals);
  if (equals == std::string_view::npos || !http::is_token(name_)) return fail();
  rest_.remove_prefix(equals);
  skip_space();
  if (!rest_.starts_with('=')) return fail();
  rest_.remove_prefix(1);
  skip_space();
  if (rest_.starts_with('"')) {
    if (!take_quoted()) return false;
  } else {
    const std::size_t end = std::min(rest_.find_first_of(", \t"), rest_.size());
    value_ = rest_.substr(0, end);
    if (!http::is_token(value_)) return fail();
    rest_.remove_prefix(end);
  }
  skip_space();
  return rest_.empty() || rest_.starts_with(',') ? true : fail();
}

}  // namespace squall::web
