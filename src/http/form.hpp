// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace squall::http {

/// Why a form was refused.
enum class FormError : std::uint8_t {
  too_many_arguments = 1,  ///< 400: past the argument limit
};
std::error_code make_error_code(FormError error) noexcept;
[[nodiscard]] std::uint16_t status_for(FormError error) noexcept;

/// Appends the name-value pairs of a query string or of an application/x-www-form-urlencoded
/// body, decoded, in order.
///
/// Only `&` separates, `+` is a space, a name without `=` has an empty value, empty pieces are
/// skipped, and a malformed `%` is kept as it is. Names and values may be any bytes: that they
/// are UTF-8 is for the caller to check. After an error `out` holds the pairs before it.
Result<void> parse_form(std::string_view encoded,
                        std::vector<std::pair<std::string, std::string>>& out,
                        std::size_t argument_limit = limits::argument_count);

}  // namespace squall::http

template <>
struct std::is_error_code_enum<squall::http::FormError> : std::true_type {};
