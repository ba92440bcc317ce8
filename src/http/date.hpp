// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::http {

inline constexpr std::size_t http_date_size = 29;

/// Writes the 29 characters of an IMF-fixdate (RFC 9110 §5.6.7) for a time in seconds since 1970:
/// `Sun, 06 Nov 1994 08:49:37 GMT`. Times outside the years 1 to 9999 are moved to that range.
void format_http_date(std::int64_t unix_seconds, char* out) noexcept;

/// Reads a date in any of the three forms (IMF-fixdate, RFC 850, asctime) as seconds since 1970;
/// nothing when it is none. The name of the day is not checked against the date.
///
/// A two-digit year that would be more than 50 years after `now` is of the century before (RFC
/// 9110 §5.6.7); with the default of 2020 that makes 70 to 99 the twentieth century.
[[nodiscard]] std::optional<std::int64_t> parse_http_date(
    std::string_view text, std::int64_t now = 1'577'836'800) noexcept;

}  // namespace squall::http
