// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace squall::web {

/// Attributes of a cookie (RFC 6265 §4.1). Views: set_cookie() copies what it needs.
struct CookieOptions {
  std::string_view domain = {};  ///< "" means this host alone
  std::string_view path = "/";
  int expires_days = 0;      ///< zero means until the browser is closed
  std::int64_t expires = 0;  ///< seconds since 1970, goes before expires_days; zero sends none
  int max_age = -1;          ///< seconds; below zero sends none
  bool secure = false;
  bool httponly = false;
  bool partitioned = false;
  std::string_view samesite = {};  ///< Strict, Lax, None or ""
};
static_assert(std::is_trivially_destructible_v<CookieOptions>);

/// The same of a signed cookie, which is kept for 30 days unless told otherwise.
struct SignedCookieOptions {
  std::string_view domain = {};
  std::string_view path = "/";
  int expires_days = 30;  ///< zero means until the browser is closed
  std::int64_t expires = 0;
  int max_age = -1;
  bool secure = false;
  bool httponly = false;
  bool partitioned = false;
  std::string_view samesite = {};
  int version = 2;  ///< of the format, see create_signed_value(); 1 for what cannot read 2

  operator CookieOptions() const noexcept {  // NOLINT: implicit by design
    return {domain, path, expires_days, expires, max_age, secure, httponly, partitioned, samesite};
  }
};
static_assert(std::is_trivially_destructible_v<SignedCookieOptions>);

}  // namespace squall::web
