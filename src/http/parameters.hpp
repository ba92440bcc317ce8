// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace squall::http {

/// Reads the parameters behind a media type or a disposition: `; name=value; name="value"`
/// (RFC 9110 §5.6.6), as clients really write them. Within quotes a backslash stands for itself,
/// except before another backslash and before a quote that is not the last one. White space around
/// the equals sign is let through, and empty parameters are skipped. Linear.
class ParameterReader {
 public:
  /// `text` begins with the first semicolon, or is empty.
  explicit ParameterReader(std::string_view text) noexcept
      : rest_(text), size_(text.size()), last_quote_(text.rfind('"')) {}

  /// Moves to the next parameter; false at the end and after a fault.
  bool next();
  [[nodiscard]] bool is_malformed() const noexcept { return malformed_; }

  std::string_view name;  ///< a token, in the case it came in
  std::string value;      ///< without its quotes

 private:
  bool fail() noexcept;
  void skip_blanks() noexcept;
  bool read_quoted();

  std::string_view rest_;
  std::size_t size_;
  std::size_t last_quote_;
  bool malformed_ = false;
};

}  // namespace squall::http
