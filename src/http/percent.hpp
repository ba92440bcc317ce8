// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace squall::http {

/// What a plus sign stands for: itself, or a space as in forms and queries.
enum class Plus { literal, space };

/// Undoes percent-encoding (RFC 3986 §2.1). A `%` without two hexadecimal digits stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, Plus plus = Plus::literal);

/// Percent-encodes every byte that is not unreserved (RFC 3986 §2.3).
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace squall::http
