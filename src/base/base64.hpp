// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall {

/// Which base64 (RFC 4648).
enum class Base64 : std::uint8_t {
  standard,      ///< §4: '+' and '/', padded
  url,           ///< §5: '-' and '_', padded
  url_unpadded,  ///< §5: '-' and '_', never padded (JSON web tokens, HTTP2-Settings)
};

/// Characters that `byte_count` bytes become in a padded variant.
[[nodiscard]] constexpr std::size_t base64_padded_bytes(std::size_t byte_count) noexcept {
  return (byte_count + 2) / 3 * 4;
}

/// Writes `bytes` in base64 to `out`, which has room for base64_padded_bytes(bytes.size()), and
/// returns how many characters it wrote. Never allocates.
std::size_t encode_base64(char* out, std::string_view bytes,
                          Base64 variant = Base64::standard) noexcept;

/// The bytes in base64.
[[nodiscard]] std::string encode_base64(std::string_view bytes, Base64 variant = Base64::standard);

/// The bytes behind `text`, or nothing when it is not exactly what encode_base64() would have
/// written: a wrong character, white space, missing or superfluous padding, or bits set where
/// none are carried (RFC 4648 §3.5; two texts for the same bytes invite forgery).
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text,
                                                       Base64 variant = Base64::standard);

}  // namespace squall
