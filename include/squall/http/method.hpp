// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

/// The request methods of RFC 9110 §9.3 and PATCH (RFC 5789). `unknown` is any other token.
enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  connect,
  options,
  trace,
  patch,
  unknown,
};

inline constexpr std::size_t method_count = 9;  ///< the known ones

/// The method's name as it stands in a request line; "" for `unknown`.
[[nodiscard]] std::string_view to_string(Method method) noexcept;

/// The method of that exact (case-sensitive, RFC 9110 §9.1) name, or `unknown`.
[[nodiscard]] Method parse_method(std::string_view name) noexcept;

}  // namespace squall::http
