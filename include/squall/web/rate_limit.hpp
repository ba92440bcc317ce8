// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/web/middleware.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace squall::web {

/// How many requests a client may send: a bucket of `burst` tokens a key, into which `requests`
/// tokens drop evenly over each `window`.
struct RateLimitOptions {
  std::size_t requests = 0;                      ///< in each window; at least 1
  Duration window = Duration::from_seconds(60);  ///< 1 s to a day
  std::size_t burst = 0;                         ///< at once; 0: as many as `requests`
  std::string_view name = "default";             ///< of the policy, in the response's fields
  /// Whom a request counts for; "" is not limited. Without it the client's address
  /// (remote_ip()), of IPv6 its /64. It is asked twice a request.
  std::string (*key)(RequestHandler& request) = nullptr;
  /// Keys that are remembered, 48 bytes each and what a map takes; past it, keys whose bucket is
  /// fullest are forgotten, which gives them a full one.
  std::size_t max_keys = 100'000;
  bool headers = true;  ///< tell clients by RateLimit and RateLimit-Policy
};
static_assert(std::is_trivially_destructible_v<RateLimitOptions>);

/// A middleware that refuses what comes too often with 429 and Retry-After, and tells all clients
/// how much they have left, in the fields RateLimit-Policy and RateLimit of the IETF draft
/// (draft-ietf-httpapi-ratelimit-headers). One that is used in several places counts them together;
/// its table is of the process, for all workers, and is locked for a look-up. A UsageError for
/// options that are out of range.
///
///     app.use(web::rate_limit({.requests = 100}));
[[nodiscard]] Middleware rate_limit(const RateLimitOptions& options);

}  // namespace squall::web
