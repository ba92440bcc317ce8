// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/middleware.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace squall::web {

struct RequestIDOptions {
  enum class Trust : std::uint8_t {
    nobody,   ///< each request gets a new id
    proxies,  ///< one that a proxy of Settings::trusted_proxies sent is taken
    all,      ///< anybody's is taken: ids may repeat then, and mean what clients want
  };
  Trust trust = Trust::proxies;
  std::string_view header = "X-Request-Id";  ///< of requests and responses
};
static_assert(std::is_trivially_destructible_v<RequestIDOptions>);

/// A middleware that gives each request an id: RequestHandler::request_id(), a field of the
/// response, errors too, and the field request_id of the access log. It is 32 random hexadecimal
/// digits; one that is taken is 1 to 128 letters, digits and -._~+/=:@ and others are replaced.
/// A UsageError when `header` is no field name.
[[nodiscard]] Middleware request_ids(const RequestIDOptions& options = {});

}  // namespace squall::web
