// SPDX-License-Identifier: Apache-2.0
#include "net/tls_openssl.hpp"

#include <squall/net/tls_error.hpp>

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include <string>

namespace squall::net {
namespace {

const char* text_of(TLSError error) noexcept {
  switch (error) {
    case TLSError::handshake_failed:
      return "the TLS handshake failed";
    case TLSError::closed_in_handshake:
      return "the peer left during the TLS handshake";
    case TLSError::handshake_timeout:
      return "the TLS handshake took too long";
    case TLSError::not_tls:
      return "the peer does not speak TLS";
    case TLSError::plain_http:
      return "the peer speaks HTTP without TLS";
    case TLSError::unsupported_version:
      return "no version of TLS in common";
    case TLSError::no_shared_cipher:
      return "no TLS cipher in common";
    case TLSError::no_shared_protocol:
      return "no ALPN protocol in common";
    case TLSError::unrecognized_name:
      return "no certificate for the host name asked for";
    case TLSError::certificate_required:
      return "the client has shown no certificate";
    case TLSError::certificate_invalid:
      return "the peer's certificate is not valid";
    case TLSError::certificate_untrusted:
      return "nobody trusted has signed the peer's certificate";
    case TLSError::certificate_expired:
      return "the peer's certificate is not valid at this time";
    case TLSError::certificate_revoked:
      return "the peer's certificate has been revoked";
    case TLSError::hostname_mismatch:
      return "the peer's certificate is for another host name";
    case TLSError::ocsp_missing:
      return "the server has stapled no valid OCSP response";
    case TLSError::certificate_refused:
      return "the peer does not accept our certificate";
    case TLSError::peer_alert:
      return "the peer ended the TLS connection";
    case TLSError::bad_record:
      return "a TLS record is malformed or not authentic";
    case TLSError::protocol_violation:
      return "the peer violates the TLS protocol";
    case TLSError::truncated:
      return "the TLS connection ended without close_notify";
  }
  return "unknown TLS error";
}

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "tls"; }
  [[nodiscard]] std::string message(int value) const override {
    return text_of(static_cast<TLSError>(value));
  }
};

TLSError verification_error(long result) noexcept {
  switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return TLSError::hostname_mismatch;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return TLSError::certificate_expired;
    case X509_V_ERR_CERT_REVOKED:
      return TLSError::certificate_revoked;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return TLSError::certificate_untrusted;
    default:
      return TLSError::certificate_invalid;
  }
}

// Alerts that the peer has sent have their number behind this in the reason.
constexpr int alert_offset = SSL_AD_REASON_OFFSET;

TLSError error_of(int reason) noexcept {
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return TLSError::plain_http;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_UNKNOWN_PROTOCOL:
      return TLSError::not_tls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return TLSError::unsupported_version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_CIPHERS_SPECIFIED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
      return TLSError::no_shared_cipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case alert_offset + SSL_AD_NO_APPLICATION_PROTOCOL:
      return TLSError::no_shared_protocol;
    case SSL_R_CALLBACK_FAILED:  // of ours only that for server names refuses
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return TLSError::unrecognized_name;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TLSError::certificate_required;
    case SSL_R_INVALID_STATUS_RESPONSE:
      return TLSError::ocsp_missing;
    case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return TLSError::certificate_refused;
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_DATA_LENGTH_TOO_LONG:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_LENGTH_TOO_SHORT:
    case SSL_R_RECORD_TOO_SMALL:
      return TLSError::bad_record;
    default:
      return reason > alert_offset && reason < alert_offset + 256 ? TLSError::peer_alert
                                                                  : TLSError::protocol_violation;
  }
}

}  // namespace

const std::error_category& tls_category() noexcept {
  static const Category category;
  return category;
}

TLSFailure take_failure(SSL* ssl, int result) {
  const int kind = SSL_get_error(ssl, result);
  // The oldest is nearest to the cause; what the libraries below TLS complain of is in its words.
  unsigned long error = 0;
  while (const unsigned long next = ERR_get_error()) {
    if (error == 0 || (ERR_GET_LIB(error) != ERR_LIB_SSL && ERR_GET_LIB(next) == ERR_LIB_SSL)) {
      error = next;
    }
  }
  if (kind != SSL_ERROR_SSL || error == 0) {
    return {TLSError::handshake_failed, "no reason given"};
  }
  const int reason = ERR_GET_REASON(error);
  const char* const text = ERR_reason_error_string(error);
  const std::string words = text != nullptr ? text : "an error without a text";
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return {TLSError::protocol_violation, words};
  if (reason != SSL_R_CERTIFICATE_VERIFY_FAILED) return {error_of(reason), words};
  const long verified = SSL_get_verify_result(ssl);
  return {verification_error(verified), X509_verify_cert_error_string(verified)};
}

void throw_tls_error(const std::string& what) {
  const unsigned long first = ERR_peek_error();
  const char* const reason = first != 0 ? ERR_reason_error_string(first) : nullptr;
  ERR_clear_error();
  throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                          reason != nullptr ? what + " (" + reason + ")" : what);
}

}  // namespace squall::net
