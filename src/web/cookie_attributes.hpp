// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/set_cookie.hpp"

#include <squall/web/cookie_options.hpp>
#include <squall/web/session_options.hpp>

#include <string_view>

namespace squall::web {

/// A cookie with these attributes, without a value and without an age.
inline http::SetCookie cookie_with(std::string_view name, const CookieOptions& options) noexcept {
  http::SetCookie cookie{.name = name};
  cookie.domain = options.domain;
  cookie.path = options.path;
  cookie.secure = options.secure;
  cookie.httponly = options.httponly;
  cookie.partitioned = options.partitioned;
  cookie.samesite = options.samesite;
  return cookie;
}

/// The attributes of the session's cookie.
inline CookieOptions attributes_of(const SessionOptions& options) noexcept {
  CookieOptions attributes;
  attributes.domain = options.domain;
  attributes.path = options.path;
  attributes.samesite = options.samesite;
  attributes.httponly = true;
  attributes.secure = options.secure;
  return attributes;
}

}  // namespace squall::web
