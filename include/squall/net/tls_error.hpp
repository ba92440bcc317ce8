// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

namespace squall::net {

/// Why a TLS connection failed. Section numbers are those of RFC 8446.
enum class TLSError {
  handshake_failed = 1,   ///< for a reason that has no enumerator of its own
  closed_in_handshake,    ///< the peer left before the handshake was done, as port scanners do
  handshake_timeout,      ///< the peer took longer than handshake_timeout
  not_tls,                ///< the peer does not speak TLS
  plain_http,             ///< the peer speaks HTTP without TLS
  unsupported_version,    ///< no version of TLS in common (§4.2.1)
  no_shared_cipher,       ///< no cipher suite, group or signature in common (§4.1.1)
  no_shared_protocol,     ///< no ALPN protocol in common (RFC 7301 §3.2)
  unrecognized_name,      ///< no certificate for the host name asked for (RFC 6066 §3)
  certificate_required,   ///< the client has shown no certificate (§4.4.2.4)
  certificate_invalid,    ///< the peer's certificate is malformed, or not for this purpose
  certificate_untrusted,  ///< nobody trusted has signed the peer's certificate
  certificate_expired,    ///< the peer's certificate, or one above it, is not valid now
  certificate_revoked,    ///< the peer's certificate has been revoked
  hostname_mismatch,      ///< the peer's certificate is for other names (RFC 6125)
  ocsp_missing,           ///< the server stapled no valid OCSP response (RFC 6066 §8)
  certificate_refused,    ///< the peer does not accept our certificate
  peer_alert,             ///< the peer ended the connection with another alert (§6.2)
  bad_record,             ///< a record is malformed or its authentication fails (§5.2)
  protocol_violation,     ///< a message that TLS does not allow here
  truncated,              ///< the connection ended without close_notify (§6.1)
};

[[nodiscard]] const std::error_category& tls_category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(TLSError error) noexcept {
  return {static_cast<int>(error), tls_category()};
}

}  // namespace squall::net

template <>
struct std::is_error_code_enum<squall::net::TLSError> : std::true_type {};
