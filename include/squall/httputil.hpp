// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/status.hpp>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Small things of HTTP that programs need beside handlers.
namespace squall::httputil {

using http::reason_phrase;

/// A URL with more query arguments, before its fragment; what is there stays as it is.
///
///     url_concat("https://example.com/?a=1#top", {{"b", "two words"}})
///     // https://example.com/?a=1&b=two+words#top
[[nodiscard]] std::string url_concat(
    std::string_view url,
    std::initializer_list<std::pair<std::string_view, std::string_view>> arguments);
[[nodiscard]] std::string url_concat(
    std::string_view url, const std::vector<std::pair<std::string, std::string>>& arguments);

struct HostAndPort {
  std::string_view host;  ///< of an IPv6 address with its brackets
  int port = -1;          ///< -1 when there is none
};

/// Takes a `host:port` apart (RFC 3986 §3.2); views `authority`. A port past 65535 is none, and
/// neither is what follows the last colon of an IPv6 address without brackets.
[[nodiscard]] HostAndPort split_host_and_port(std::string_view authority) noexcept;

/// A time in seconds since 1970 as HTTP writes it (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37
/// GMT`.
[[nodiscard]] std::string format_timestamp(std::int64_t unix_seconds);

/// The cookies of a Cookie field as browsers read them; of two with one name, the last. At most
/// limits::cookie_count are looked at.
[[nodiscard]] std::map<std::string, std::string, std::less<>> parse_cookie(std::string_view field);

}  // namespace squall::httputil
