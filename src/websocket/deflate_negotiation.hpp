// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/frame.hpp"

#include <squall/base/result.hpp>
#include <squall/http/request_head.hpp>
#include <squall/websocket/compression_options.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::websocket {

/// What both ends agreed on (RFC 7692 §7.1). Two bytes.
struct DeflateParameters {
  std::uint8_t server_max_window_bits : 4 = 15;  ///< 8 to 15
  std::uint8_t client_max_window_bits : 4 = 15;
  bool server_no_context_takeover : 1 = false;
  bool client_no_context_takeover : 1 = false;

  /// The parameters of what `sender` compresses.
  [[nodiscard]] unsigned window_bits(Role sender) const noexcept {
    return sender == Role::server ? server_max_window_bits : client_max_window_bits;
  }
  [[nodiscard]] bool context_takeover(Role sender) const noexcept {
    return !(sender == Role::server ? server_no_context_takeover : client_no_context_takeover);
  }
  friend bool operator==(const DeflateParameters&, const DeflateParameters&) = default;
};

/// Why an answer to our offer, or an offer, was refused.
enum class ExtensionError : std::uint8_t {
  malformed = 1,        ///< not in the grammar (RFC 6455 §9.1)
  not_offered,          ///< an extension that we did not offer (RFC 6455 §4.1)
  answered_twice,       ///< permessage-deflate more than once (RFC 7692 §5)
  unknown_parameter,    ///< RFC 7692 §7
  repeated_parameter,   ///< RFC 7692 §7
  bad_parameter_value,  ///< RFC 7692 §7, §7.1
  parameter_not_kept,   ///< what we offered was not agreed to, or exceeded (RFC 7692 §7.1)
};
std::error_code make_error_code(ExtensionError error) noexcept;

/// What the server agreed to, and the Sec-WebSocket-Extensions value that says so.
struct DeflateAgreement {
  DeflateParameters parameters;
  std::string answer;
};

/// Looks through all Sec-WebSocket-Extensions fields of a handshake for the first offer of
/// permessage-deflate that can be accepted (RFC 7692 §5.1, §7.1). Empty when there is none, or
/// compression is not enabled. ExtensionError::malformed: the handshake is to be refused with 400
/// (RFC 6455 §9.1); offers whose parameters are bad are only declined.
[[nodiscard]] Result<std::optional<DeflateAgreement>> accept_deflate(
    const http::RequestHead& head, const CompressionOptions& options);
/// The same, from the fields' values.
[[nodiscard]] Result<std::optional<DeflateAgreement>> accept_deflate(
    std::span<const std::string_view> values, const CompressionOptions& options);

/// The client's offer, the value of its Sec-WebSocket-Extensions; "" when not enabled. Where the
/// server is asked to do without context takeover, a second offer does not ask for that.
[[nodiscard]] std::string offer_deflate(const CompressionOptions& options);

/// Checks what a server answered to offer_deflate(options), from the values of all its
/// Sec-WebSocket-Extensions fields. Empty when it declined. With any error the connection is to be
/// failed (RFC 6455 §4.1, RFC 7692 §5.1).
[[nodiscard]] Result<std::optional<DeflateParameters>> check_deflate_answer(
    std::span<const std::string_view> values, const CompressionOptions& options);

}  // namespace squall::websocket

template <>
struct std::is_error_code_enum<squall::websocket::ExtensionError> : std::true_type {};
