// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/deflate_negotiation.hpp"

#include <squall/base/result.hpp>
#include <squall/websocket/compression_options.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::websocket {

/// A header field, as views.
struct Field {
  std::string_view name;
  std::string_view value;
};

using Nonce = std::array<std::uint8_t, 16>;
using HandshakeKey = std::array<char, 24>;

/// The Sec-WebSocket-Key made of 16 random bytes, new for each connection (RFC 6455 §4.1, 7).
[[nodiscard]] HandshakeKey handshake_key(const Nonce& nonce);

/// What a client's opening handshake says (RFC 6455 §4.1). Views only.
struct ClientHandshake {
  std::string_view target = "/";  ///< path and query, percent-encoded: origin-form
  std::string_view host;          ///< with the port where it is not the scheme's default
  std::string_view key;           ///< a handshake_key()
  std::string_view origin;        ///< left out when empty
  std::span<const std::string_view> subprotocols;  ///< in order of preference
  CompressionOptions compression;                  ///< permessage-deflate is offered when enabled
  std::span<const Field> fields;                   ///< more of them: Cookie, Authorization, ...
};

/// The request, ready to be sent. Throws UsageError for what cannot be put into it: a target, host
/// or field that HTTP does not allow, a field that the handshake itself writes, subprotocols that
/// are not tokens or not distinct.
[[nodiscard]] std::string write_handshake(const ClientHandshake& handshake);

/// Why a server's answer was refused; each fails the connection (RFC 6455 §4.1).
enum class AnswerError : std::uint8_t {
  not_switching = 1,     ///< a status other than 101 (point 1); a redirect is the caller's affair
  not_http_1_1,          ///< an answer of HTTP/1.0 switches nothing (RFC 9110 §7.8)
  missing_upgrade,       ///< Upgrade is not `websocket` (point 2)
  missing_connection,    ///< no `upgrade` in Connection (point 3)
  bad_accept,            ///< Sec-WebSocket-Accept is missing, repeated or wrong (point 4)
  unknown_extension,     ///< an extension that was not offered (point 5)
  bad_extension,         ///< permessage-deflate with parameters that do not answer the offer
  unknown_subprotocol,   ///< one that was not offered (point 6)
  repeated_subprotocol,  ///< more than one (RFC 6455 §11.3.4)
};
std::error_code make_error_code(AnswerError error) noexcept;
[[nodiscard]] std::string_view text_for(AnswerError error) noexcept;

struct ClientAgreement {
  std::string_view subprotocol;  ///< the one of the handshake's that was chosen; "" for none
  std::optional<DeflateParameters> deflate;
};

/// Checks the server's answer to `handshake`, whose views must still be valid.
[[nodiscard]] Result<ClientAgreement> check_answer(const ClientHandshake& handshake,
                                                   unsigned minor_version, unsigned status,
                                                   std::span<const Field> fields);

}  // namespace squall::websocket

template <>
struct std::is_error_code_enum<squall::websocket::AnswerError> : std::true_type {};
