// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <system_error>

// What the TLS files share of OpenSSL: owners of its objects, and its errors as ours.
namespace squall::net {

template <auto function>
struct FreedBy {
  template <class T>
  void operator()(T* object) const noexcept {
    function(object);
  }
};

inline void free_certificates(STACK_OF(X509) * certificates) noexcept {
  sk_X509_pop_free(certificates, X509_free);
}

using BIOPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using SSLContextPtr = std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreedBy<SSL_SESSION_free>>;
using CertificatePtr = std::unique_ptr<X509, FreedBy<X509_free>>;
using CertificatesPtr = std::unique_ptr<STACK_OF(X509), FreedBy<free_certificates>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using OCSPResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreedBy<OCSP_RESPONSE_free>>;
using OCSPBasicPtr = std::unique_ptr<OCSP_BASICRESP, FreedBy<OCSP_BASICRESP_free>>;

struct TLSFailure {
  std::error_code error;
  std::string reason;  ///< for the log; more exact than the error
};

/// Why the call that returned `result` failed. Empties this thread's queue of OpenSSL's errors.
[[nodiscard]] TLSFailure take_failure(SSL* ssl, int result);

/// Throws std::system_error with `what` and the oldest of OpenSSL's errors of this thread.
[[noreturn]] void throw_tls_error(const std::string& what);

}  // namespace squall::net
