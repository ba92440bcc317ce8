// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::locale {

enum class Encoding : std::uint8_t { detect, utf8, utf16, utf16_le, utf16_be, ascii, latin1 };

/// The encoding of that name, in any case, with '-', '_' or nothing between its parts; "" is
/// detect.
[[nodiscard]] std::optional<Encoding> encoding_of(std::string_view name);

/// The same text in UTF-8, without a byte order mark in front. Without one, `detect` is UTF-8 and
/// `utf16` is little-endian. Nothing when a byte is wrong, and `why` with its place then.
[[nodiscard]] std::optional<std::string> to_utf8(std::string bytes, Encoding encoding,
                                                 std::string& why);

}  // namespace squall::locale
