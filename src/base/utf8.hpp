// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace squall {

/// Checks that text is UTF-8 (RFC 3629), in pieces cut at any byte.
///
/// Overlong forms, surrogates and values past U+10FFFF are refused at the first byte that rules
/// out every valid continuation, not only when the character is whole.
class Utf8Validator {
 public:
  /// Takes the next bytes. False once any byte so far was wrong, and for ever after.
  bool feed(std::string_view text) noexcept;

  /// Says whether all bytes so far were right and the last character is whole.
  [[nodiscard]] bool complete() const noexcept { return needed_ == 0; }

 private:
  // What the next byte of an unfinished character must be. After a wrong byte the range is empty
  // and a byte is still needed, so that the failure stays without a flag of its own.
  std::uint8_t needed_ = 0;
  std::uint8_t lowest_ = 0x80;
  std::uint8_t highest_ = 0xBF;
};

/// Says whether `text` is UTF-8 from its first to its last byte; "" is.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Appends the bytes of a code point, which is 0x10FFFF or less.
void append_utf8(std::string& out, std::uint32_t code);

}  // namespace squall
