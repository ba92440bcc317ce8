// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/tls_openssl.hpp"
#include "net/tls_session_cache.hpp"
#include "net/tls_tickets.hpp"

#include <squall/loop/unique_fd.hpp>
#include <squall/net/tls.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::net {

/// TLSCertificate with strings of its own.
struct CertificateSource {
  std::string certificate_file;
  std::string key_file;
  std::string ocsp_file;
  std::string host_names;
};

/// What both kinds of options say, with strings of its own.
struct TLSConfig {
  bool is_server = false;
  ClientCertificate client_certificate = ClientCertificate::none;
  bool verify_server = true;
  std::string ca_file;
  std::string ca_pem;
  std::string alpn;  // as it is on the wire: each name behind its length
  bool refuse_unknown_names = false;
  bool request_ocsp = false;
  bool require_ocsp = false;
  TLSVersion min_version = TLSVersion::tls1_2;
  std::string ciphers;
  std::string cipher_suites;
  std::string groups;
  bool resumption = true;
  Duration session_lifetime;
  Duration handshake_timeout;
  std::string key_log_file;
};

/// A DER response of a certificate's authority, and until when it may be shown.
struct OCSPStaple {
  const X509* certificate;
  std::string der;
  std::int64_t next_update;  // seconds since 1970
};

/// What one reading of the files gave. Never changed; connections that were begun with it keep it
/// until their handshake is done. The configuration must outlive it.
class TLSGeneration {
 public:
  /// Throws std::system_error.
  [[nodiscard]] static std::shared_ptr<const TLSGeneration> make(
      const TLSConfig& config, const std::vector<CertificateSource>& sources);

  [[nodiscard]] SSL_CTX* front() const noexcept { return contexts_.front().get(); }
  /// The context for a host name, or nullptr.
  [[nodiscard]] SSL_CTX* find(std::string_view host_name) const;
  [[nodiscard]] const OCSPStaple* staple(const X509* certificate) const noexcept;

 private:
  void add(const TLSConfig& config, const CertificateSource& source);
  void add_names(const std::vector<std::string>& names, SSL_CTX* context);

  std::vector<SSLContextPtr> contexts_;
  std::vector<std::vector<std::string>> context_names_;  // beside contexts_
  std::unordered_map<std::string, SSL_CTX*> by_name_;    // a wildcard stands as ".example.com"
  std::vector<OCSPStaple> staples_;
};

struct TLSContext::Impl {
  Impl(TLSConfig&& from, std::vector<CertificateSource>&& files, Duration ticket_key_lifetime);

  [[nodiscard]] std::shared_ptr<const TLSGeneration> generation() {
    const std::scoped_lock lock(mutex);
    return current;
  }

  std::atomic<unsigned> references{1};
  const TLSConfig config;
  std::mutex changing;  // one reload at a time; `mutex` is never held while files are read
  std::vector<CertificateSource> sources;  // under `changing`; of a client one at most
  TicketKeys tickets;
  TLSSessionCache sessions;
  UniqueFd key_log;
  std::mutex mutex;
  std::shared_ptr<const TLSGeneration> current;
};

/// Sets what OpenSSL calls back for a context's connections; see tls_callbacks.cpp.
void install_callbacks(SSL_CTX* context, const TLSConfig& config);

/// A file's bytes. Throws std::system_error that names it.
[[nodiscard]] std::string read_tls_file(const std::string& name);
/// "h2,http/1.1" as it is on the wire. Throws std::system_error.
[[nodiscard]] std::string alpn_on_the_wire(std::string_view names);
/// The host names of a certificate, in lower case.
[[nodiscard]] std::vector<std::string> names_of(X509* certificate);
/// In lower case, without a last dot.
[[nodiscard]] std::string normal_host_name(std::string_view name);

}  // namespace squall::net
