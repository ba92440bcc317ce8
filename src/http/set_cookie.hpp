// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace squall::http {

/// Why a cookie cannot be sent: always a mistake of the program that sets it.
enum class CookieError : std::uint8_t {
  bad_name = 1,       ///< not a token (RFC 6265 §4.1.1)
  bad_value,          ///< a control character or a space in the value
  bad_attribute,      ///< a control character, a space or `;` in domain or path
  bad_samesite,       ///< not Strict, Lax or None
  bad_secure_prefix,  ///< a name that begins with `__Secure-`, without `secure`
  bad_host_prefix,    ///< a name that begins with `__Host-`, without `secure`, or a path but "/"
};
std::error_code make_error_code(CookieError error) noexcept;

/// What a Set-Cookie field says (RFC 6265 §4.1). Holds views only.
struct SetCookie {
  std::string_view name;
  std::string_view value = {};
  std::string_view domain = {};  ///< "" sends none: the cookie is for this host alone
  std::string_view path = "/";   ///< "" sends none: the cookie is for the request's directory
  std::optional<std::int64_t> expires = {};  ///< seconds since 1970
  std::optional<std::int64_t> max_age = {};  ///< seconds; zero or less deletes the cookie
  bool secure = false;
  bool httponly = false;
  bool partitioned = false;        ///< browsers want `secure` with it
  std::string_view samesite = {};  ///< Strict, Lax or None in any case; "" sends none
};
static_assert(std::is_trivially_destructible_v<SetCookie>);

/// The value of the Set-Cookie field. A value that is not made of cookie-octets (RFC 6265
/// §4.1.1) is sent between double quotes with octal escapes, which unquote_cookie() undoes.
[[nodiscard]] Result<std::string> serialize(const SetCookie& cookie);

/// Whether browsers take a cookie of that name only with `secure` (RFC 6265bis §4.1.3).
[[nodiscard]] bool has_secure_prefix(std::string_view name) noexcept;

}  // namespace squall::http

template <>
struct std::is_error_code_enum<squall::http::CookieError> : std::true_type {};
