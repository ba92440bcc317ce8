// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/net/address.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace squall::net {

/// Why bytes are no header of the PROXY protocol. The sections are those of its specification,
/// proxy-protocol.txt of HAProxy. There is no answer to any of them: the connection is dropped.
enum class ProxyError : std::uint8_t {
  no_header = 1,  ///< the connection begins with something else (§2)
  bad_text,       ///< a version 1 line that is not as it must be (§2.1)
  bad_version,    ///< a version other than 2 behind the binary signature (§2.2)
  bad_command,    ///< neither LOCAL nor PROXY (§2.2)
  bad_family,     ///< an address family or transport that is not assigned (§2.2)
  too_short,      ///< the length does not hold the addresses of the family (§2.2)
  too_long,       ///< more than limits::proxy_header_bytes (§2.2)
  bad_option,     ///< a type-length-value reaches past the header (§2.2)
  bad_checksum,   ///< the CRC32C that the header carries is not its own (§2.2.3)
};
std::error_code make_error_code(ProxyError error) noexcept;

/// What a proxy says about a connection that it passes on.
struct ProxyHeader {
  std::size_t bytes = 0;  ///< of the header; what follows is the connection's own
  /// Whether it names addresses; without them (LOCAL, UNKNOWN) those of the socket count.
  bool has_addresses = false;
  SocketAddress source;       ///< the client
  SocketAddress destination;  ///< where the client connected to
};

enum class ProxyParse : std::uint8_t { need_more, done, failed };

/// Reads a header of version 1 or 2 from the begin of a connection. `in` is all that has come so
/// far; with need_more, call again with more. It fails with the first byte that cannot be right.
///
/// Options (type-length-value) are passed over, except for a CRC32C, which is verified.
ProxyParse parse_proxy_header(std::string_view in, ProxyHeader& header, ProxyError& error) noexcept;

}  // namespace squall::net

template <>
struct std::is_error_code_enum<squall::net::ProxyError> : std::true_type {};
