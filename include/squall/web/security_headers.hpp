// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/middleware.hpp>

#include <string_view>
#include <type_traits>

namespace squall::web {

/// Header fields that keep browsers from guessing and telling too much; "" leaves one out.
/// Strict-Transport-Security is Settings::hsts.
struct SecurityHeadersOptions {
  bool nosniff = true;  ///< X-Content-Type-Options: the type is what Content-Type says
  std::string_view referrer_policy = "strict-origin-when-cross-origin";
  /// X-Frame-Options: "DENY" or "SAMEORIGIN", for browsers that do not know frame-ancestors.
  std::string_view frame_options = "SAMEORIGIN";
  std::string_view content_security_policy = {};  ///< "default-src 'self'" is a strict beginning
  bool csp_report_only = false;                   ///< the policy is tried out, not enforced
  std::string_view permissions_policy = {};       ///< as "camera=(), geolocation=(self)"
  std::string_view cross_origin_opener_policy = "same-origin";
};
static_assert(std::is_trivially_destructible_v<SecurityHeadersOptions>);

/// A middleware that sets them on each response, errors too, unless the handler has set the field
/// itself. Views are copied. A UsageError for values that there are not or that cannot be sent.
[[nodiscard]] Middleware security_headers(const SecurityHeadersOptions& options = {});

}  // namespace squall::web
