// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace squall::net {

enum class TLSVersion : std::uint8_t { tls1_2, tls1_3 };

/// Whether a server asks its clients for certificates.
enum class ClientCertificate : std::uint8_t {
  none,      ///< not asked for
  optional,  ///< asked for; one that is sent must be valid
  required,  ///< without a valid one the handshake fails
};

/// One certificate of a server. Files are PEM; views are copied where they are passed.
struct TLSCertificate {
  std::string_view certificate_file = {};  ///< the certificate, then its intermediates
  std::string_view key_file = {};          ///< its private key; "" looks in certificate_file
  std::string_view ocsp_file = {};  ///< a DER response to staple; left out once it has expired
  /// Host names that it answers for, with commas between them; "" takes those in it.
  std::string_view host_names = {};
};
static_assert(std::is_trivially_destructible_v<TLSCertificate>);

/// How a server speaks TLS. The defaults are what current browsers and clients support and no
/// scanner objects to: TLS 1.2 and 1.3, forward secrecy and authenticated encryption only.
struct TLSServerOptions {
  std::string_view certificate_file = {};  ///< PEM: the certificate, then its intermediates
  std::string_view key_file = {};          ///< PEM; "" looks in certificate_file
  std::string_view ocsp_file = {};  ///< a DER response to staple; left out once it has expired

  ClientCertificate client_certificate = ClientCertificate::none;
  std::string_view client_ca_file = {};  ///< PEM: who signs the certificates of clients

  /// Protocols to choose from (ALPN, RFC 7301), the preferred first, with commas between them. A
  /// client that offers others only is refused.
  std::string_view alpn = "http/1.1";
  /// Refuses clients that ask for a host name of no certificate (unrecognized_name), instead of
  /// showing them the first one.
  bool refuse_unknown_names = false;

  TLSVersion min_version = TLSVersion::tls1_2;
  std::string_view ciphers = {};        ///< of TLS 1.2, in OpenSSL's syntax; "" for the default
  std::string_view cipher_suites = {};  ///< of TLS 1.3, in OpenSSL's syntax; "" for the default
  std::string_view groups = {};         ///< for the key exchange; "" for X25519, P-256, P-384

  bool session_tickets = true;  ///< clients that return skip the costly half of the handshake
  Duration session_lifetime = Duration::from_seconds(12 * 3600);
  Duration ticket_key_lifetime = Duration::from_seconds(6 * 3600);  ///< until a new one is made

  Duration handshake_timeout = Duration::from_seconds(10);
  /// Writes the secrets of all connections to this file, for Wireshark (debugging only).
  std::string_view key_log_file = {};
  /// The same with the file that the environment's SSLKEYLOGFILE names.
  bool key_log_from_environment = false;
};
static_assert(std::is_trivially_destructible_v<TLSServerOptions>);

/// How a client speaks TLS. Certificates and host names are verified unless told otherwise.
struct TLSClientOptions {
  bool verify = true;  ///< false takes any certificate: it protects from nobody on the way
  std::string_view ca_file = {};  ///< PEM; without one and `ca_pem` the system's store is used
  std::string_view ca_pem = {};   ///< PEM text

  std::string_view certificate_file = {};  ///< PEM: to show to servers that ask for one
  std::string_view key_file = {};          ///< PEM; "" looks in certificate_file

  std::string_view alpn = {};  ///< protocols to offer, with commas between them
  bool request_ocsp = false;   ///< ask for a stapled OCSP response; a bad one is an error
  bool require_ocsp = false;   ///< and so is none

  TLSVersion min_version = TLSVersion::tls1_2;
  std::string_view ciphers = {};        ///< of TLS 1.2, in OpenSSL's syntax; "" for the default
  std::string_view cipher_suites = {};  ///< of TLS 1.3, in OpenSSL's syntax; "" for the default
  std::string_view groups = {};         ///< for the key exchange; "" for X25519, P-256, P-384

  bool resume_sessions = true;  ///< remembers servers' tickets, in memory, by host name

  Duration handshake_timeout = Duration::from_seconds(10);
  std::string_view key_log_file = {};     ///< as TLSServerOptions::key_log_file
  bool key_log_from_environment = false;  ///< as TLSServerOptions::key_log_from_environment
};
static_assert(std::is_trivially_destructible_v<TLSClientOptions>);

/// Certificates and settings that connections share: a cheap handle, of which copies name the same
/// thing. Any thread may use it. Empty unless made by server() or client().
class TLSContext {
 public:
  TLSContext() noexcept = default;
  /// Throw std::system_error with the reason, and the file if one is at fault.
  [[nodiscard]] static TLSContext server(const TLSServerOptions& options);
  [[nodiscard]] static TLSContext client(const TLSClientOptions& options = {});

  TLSContext(const TLSContext& other) noexcept;
  TLSContext(TLSContext&& other) noexcept : impl_(other.impl_) { other.impl_ = nullptr; }
  TLSContext& operator=(TLSContext other) noexcept;
  ~TLSContext();

  explicit operator bool() const noexcept { return impl_ != nullptr; }
  [[nodiscard]] bool is_server() const noexcept;

  /// Adds a certificate to a server, for the host names in it or those that are named. For names
  /// that have one of another key type (ECDSA, RSA) it stands beside it. Throws std::system_error
  /// as server() does.
  void add_certificate(const TLSCertificate& certificate) const;
  /// Reads all files again. New connections use what was read; the others go on. When one file is
  /// bad it throws std::system_error as server() does, and nothing changes.
  void reload() const;

  /// For the library.
  struct Impl;
  [[nodiscard]] Impl* impl() const noexcept { return impl_; }

 private:
  explicit TLSContext(Impl* impl) noexcept : impl_(impl) {}
  Impl* impl_ = nullptr;
};

/// What a TLS connection agreed on, and whom it leads to. The peer's certificate has been verified,
/// unless the client's options told not to.
struct TLSInfo {
  std::string version;      ///< "TLSv1.3" or "TLSv1.2"
  std::string cipher;       ///< "TLS_AES_128_GCM_SHA256"
  std::string alpn;         ///< the protocol chosen by ALPN, or ""
  std::string server_name;  ///< the host name that the client asked for (SNI), or ""
  bool session_reused = false;

  bool has_peer_certificate = false;
  std::string peer_subject;      ///< as in "CN=alice,O=Example" (RFC 2253)
  std::string peer_issuer;       ///< the same of who signed it
  std::string peer_serial;       ///< hexadecimal
  std::string peer_fingerprint;  ///< SHA-256 of the certificate, hexadecimal
  std::vector<std::string>
      peer_names;  ///< "DNS:example.com", "IP:192.0.2.1", "email:...", "URI:..."
};

}  // namespace squall::net
