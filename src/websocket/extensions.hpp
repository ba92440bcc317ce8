// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace squall::websocket {

/// Reads the value of a Sec-WebSocket-Extensions field (RFC 6455 §9.1): extensions in order, each
/// with its parameters.
///
///   ExtensionReader reader(value);
///   while (reader.next_extension()) {
///     while (reader.next_parameter()) ...
///   }
///   if (reader.is_malformed()) ...
///
/// Strict: what is not in the grammar is malformed, and a quoted value must be a token once its
/// quotes and backslashes are gone. White space may stand around the separators, and list elements
/// may be empty (RFC 9110 §5.6.1). Linear.
class ExtensionReader {
 public:
  explicit ExtensionReader(std::string_view text) noexcept : rest_(text) {}

  /// Moves to the next extension, past what is left of this one; false at the end and after a
  /// fault.
  bool next_extension();
  /// Moves to the next parameter of this extension; false after its last and after a fault.
  bool next_parameter();
  [[nodiscard]] bool is_malformed() const noexcept { return malformed_; }

  std::string_view extension;  ///< its name, in the case it came in
  std::string_view name;       ///< the parameter's, in the case it came in
  bool has_value = false;
  std::string_view value;  ///< without quotes; valid until the next call

 private:
  bool fail() noexcept;
  void skip_blanks() noexcept;
  std::string_view take_token() noexcept;
  bool read_quoted();

  std::string_view rest_;
  std::string unquoted_;
  bool malformed_ = false;
  bool in_extension_ = false;
};

}  // namespace squall::websocket
