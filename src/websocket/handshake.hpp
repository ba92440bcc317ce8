// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>
#include <squall/http/request_head.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <vector>

namespace squall::websocket {

/// Why an opening handshake was refused. status_for() has the status that the server answers.
enum class HandshakeError : std::uint8_t {
  not_get = 1,         ///< 405: a method other than GET (RFC 6455 §4.2.1, 1)
  not_http_1_1,        ///< 400: HTTP/1.0 (RFC 6455 §4.2.1, 1)
  missing_upgrade,     ///< 400: no `websocket` in Upgrade (RFC 6455 §4.2.1, 3)
  missing_connection,  ///< 400: no `upgrade` in Connection (RFC 6455 §4.2.1, 4)
  bad_version,         ///< 426: Sec-WebSocket-Version is not 13 (RFC 6455 §4.2.1, 6, and §4.4)
  bad_key,             ///< 400: no key, two, or not base64 of 16 bytes (RFC 6455 §4.2.1, 5)
};
std::error_code make_error_code(HandshakeError error) noexcept;
[[nodiscard]] std::uint16_t status_for(HandshakeError error) noexcept;
/// A sentence that may be shown to the client.
[[nodiscard]] std::string_view text_for(HandshakeError error) noexcept;

/// The version that is spoken. An answer of 426 names it in Sec-WebSocket-Version (RFC 6455 §4.4)
/// and has `Upgrade: websocket` (RFC 9110 §15.5.22).
inline constexpr std::string_view supported_version = "13";

/// Checks a request for the opening handshake (RFC 6455 §4.2.1) and returns its Sec-WebSocket-Key,
/// a view into the head's bytes. Whether the origin is welcome is asked separately.
[[nodiscard]] Result<std::string_view> check_handshake(const http::RequestHead& head);

using AcceptValue = std::array<char, 28>;

/// The Sec-WebSocket-Accept that answers `key` (RFC 6455 §4.2.2, 5.4).
[[nodiscard]] AcceptValue accept_value(std::string_view key);

/// Says whether `origin`, an Origin field's value (RFC 6454 §7), has the host and port of `host`, a
/// Host field's value, which is the default of check_origin() (RFC 6455 §10.2).
///
/// Names are compared without regard to case, and a port that is left out is the default one of
/// the origin's scheme. Schemes are not compared: behind a TLS proxy the server does not know its
/// own. "null" and lists of origins are never the same.
[[nodiscard]] bool same_origin(std::string_view origin, std::string_view host) noexcept;

/// Subprotocols of one request that are looked at; the rest are ignored.
inline constexpr std::size_t max_subprotocol_count = 64;

/// What the client offers in Sec-WebSocket-Protocol, in its order of preference, as views into the
/// head's bytes (RFC 6455 §4.2.1, 8; §11.3.4). Elements that are not tokens are left out.
[[nodiscard]] std::vector<std::string_view> offered_subprotocols(const http::RequestHead& head);

}  // namespace squall::websocket

template <>
struct std::is_error_code_enum<squall::websocket::HandshakeError> : std::true_type {};
