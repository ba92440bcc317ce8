// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>

#include <string_view>
#include <type_traits>

namespace squall::web {

/// The cookie of RequestHandler::session(), and how long a session lasts. It is always HttpOnly,
/// and Secure when the client came over HTTPS. Views: the Application copies them.
struct SessionOptions {
  std::string_view cookie_name = "session";  ///< such as "__Host-session", with `secure`
  std::string_view domain = {};              ///< "" means this host alone
  std::string_view path = "/";
  std::string_view samesite = "Lax";  ///< Strict, Lax or None
  bool secure = false;                ///< also where the client came over plain HTTP
  bool until_browser_closes = false;  ///< the cookie has no age, the session keeps its own
  /// Without a request that asks for the session; a second or more.
  Duration max_age = Duration::from_seconds(14 * 24 * 60 * 60);
  /// Since the session was new, whatever its user does; zero for any time.
  Duration max_lifetime = {};
};
static_assert(std::is_trivially_destructible_v<SessionOptions>);

}  // namespace squall::web
