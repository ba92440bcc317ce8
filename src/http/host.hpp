// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::http {

/// Whether a host must, or only may, be followed by a port.
enum class PortRule { optional, required };

/// Whether `authority` is `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2): a reg-name, an
/// IPv4 address or an IP-literal in brackets, and a port of at most 65535.
///
/// Stricter than the grammar in two points: the host is not empty, and it has no comma (a proxy
/// that joins two Host fields makes one).
[[nodiscard]] bool is_authority(std::string_view authority,
                                PortRule port = PortRule::optional) noexcept;

/// Whether `text` is an IPv6 address without brackets and zone (RFC 3986 §3.2.2).
[[nodiscard]] bool is_ipv6(std::string_view text) noexcept;

}  // namespace squall::http
