// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::http {

/// Whether `text` is a token: field names, methods, most parameters (RFC 9110 §5.6.2).
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// Whether `text` may be sent as a field value: VCHAR, obs-text, SP, HTAB (RFC 9110 §5.5). "" may.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// Reads the elements of a comma-separated list (RFC 9110 §5.6.1), white space around them
/// trimmed. Empty elements are given too; quoted strings are not looked into, so that it fits
/// lists of tokens only.
class ListReader {
 public:
  explicit ListReader(std::string_view list) noexcept : rest_(list) {}

  /// Moves to the next element; false when there is none. An empty list has one, empty, element.
  bool next() noexcept;
  [[nodiscard]] std::string_view element() const noexcept { return element_; }

 private:
  std::string_view rest_;
  std::string_view element_;
  bool ended_ = false;
};

/// Whether a comma-separated list has `token`, compared without regard to case.
[[nodiscard]] bool has_token(std::string_view list, std::string_view token) noexcept;

}  // namespace squall::http
