// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace squall::websocket {

/// Why a WebSocket was closed (RFC 6455 §7.4.1 and IANA's registry of close codes).
///
/// An application may also use 3000 to 3999 (registered by libraries) and 4000 to 4999 (private)
/// by casting the number.
enum class CloseCode : std::uint16_t {
  none = 0,                    ///< no close was seen; never on the wire
  normal = 1000,               ///< the purpose is fulfilled
  going_away = 1001,           ///< the server stops, or the browser left the page
  protocol_error = 1002,       ///< the peer broke the protocol
  unsupported_data = 1003,     ///< a kind of data that the endpoint does not take
  no_status = 1005,            ///< the close frame had no code; never on the wire
  abnormal = 1006,             ///< the connection went without a close frame; never on the wire
  invalid_payload = 1007,      ///< text that is not UTF-8, or data that contradicts its kind
  policy_violation = 1008,     ///< refused, when nothing more precise fits
  message_too_big = 1009,      ///< longer than the endpoint takes
  mandatory_extension = 1010,  ///< the server did not agree to an extension that the client needs
  internal_error = 1011,       ///< the server met a condition it did not expect
  service_restart = 1012,      ///< the server restarts; come back after a moment
  try_again_later = 1013,      ///< overloaded; come back later
};

/// Says whether an endpoint may put `code` into a close frame (RFC 6455 §7.4.1, §7.4.2): 1000 to
/// 1003, 1007 to 1014, and 3000 to 4999.
[[nodiscard]] constexpr bool may_be_sent(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace squall::websocket
