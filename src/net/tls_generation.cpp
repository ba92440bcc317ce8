// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <squall/base/error.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

// From options and files to OpenSSL's contexts.
namespace squall::net {
namespace {

// Forward secrecy and authenticated encryption only (RFC 9325 §4.2); fast ones first, and
// SSL_OP_PRIORITIZE_CHACHA for clients without AES in hardware.
constexpr const char* default_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* default_cipher_suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* default_groups = "X25519:P-256:P-384";

// A key with a passphrase must not stop the start with a prompt.
int no_passphrase(char*, int, int, void*) { return 0; }

BIOPtr memory_bio(const std::string& bytes) {
  return BIOPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

SSLContextPtr make_context(const TLSConfig& config) {
  SSLContextPtr made(SSL_CTX_new(config.is_server ? TLS_server_method() : TLS_client_method()));
  if (!made) throw_tls_error("cannot make a TLS context");
  SSL_CTX* const context = made.get();
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_min_proto_version(
      context, config.min_version == TLSVersion::tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  std::uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION;
  if (config.is_server) options |= SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
  if (config.is_server && !config.resumption) options |= SSL_OP_NO_TICKET;
  SSL_CTX_set_options(context, options);
  // Idle connections own no buffers; the last write may lie elsewhere when it is tried again.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const auto text = [](const std::string& own, const char* standard) {
    return own.empty() ? standard : own.c_str();
  };
  if (SSL_CTX_set_cipher_list(context, text(config.ciphers, default_ciphers)) != 1) {
    throw_tls_error("cannot use the ciphers \"" + config.ciphers + "\"");
  }
  if (SSL_CTX_set_ciphersuites(context, text(config.cipher_suites, default_cipher_suites)) != 1) {
    throw_tls_error("cannot use the cipher suites \"" + config.cipher_suites + "\"");
  }
  if (SSL_CTX_set1_groups_list(context, text(config.groups, default_groups)) != 1) {
    throw_tls_error("cannot use the groups \"" + config.groups + "\"");
  }
  return made;
}

void load_client_authorities(SSL_CTX* context, const TLSConfig& config) {
  if (SSL_CTX_load_verify_file(context, config.ca_file.c_str()) != 1) {
    throw_tls_error("cannot use the authorities in " + config.ca_file);
  }
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(config.ca_file.c_str());
  if (names == nullptr) throw_tls_error("cannot use the authorities in " + config.ca_file);
  SSL_CTX_set_client_CA_list(context, names);
  const bool required = config.client_certificate == ClientCertificate::required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
}

void load_server_authorities(SSL_CTX* context, const TLSConfig& config) {
  if (!config.verify_server) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (config.ca_file.empty() && config.ca_pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      throw_tls_error("cannot use the system's certificate store");
    }
    return;
  }
  if (!config.ca_file.empty() && SSL_CTX_load_verify_file(context, config.ca_file.c_str()) != 1) {
    throw_tls_error("cannot use the authorities in " + config.ca_file);
  }
  if (config.ca_pem.empty()) return;
  const BIOPtr bio = memory_bio(config.ca_pem);
  int count = 0;
  while (const CertificatePtr one{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get()) != 1) {
      throw_tls_error("cannot use an authority of ca_pem");
    }
    ++count;
  }
  if (count == 0) throw_tls_error("ca_pem has no certificate");
  ERR_clear_error();  // the end of the text is one
}

// The certificate, its intermediates and its key; all of them are put to use or none.
CertificatePtr use_certificate(SSL_CTX* context, const CertificateSource& source) {
  const std::string text = read_tls_file(source.certificate_file);
  const BIOPtr bio = memory_bio(text);
  CertificatePtr leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
  if (!leaf) throw_tls_error("no certificate in " + source.certificate_file);
  const CertificatesPtr chain(sk_X509_new_null());
  while (X509* const one = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    sk_X509_push(chain.get(), one);
  }
  ERR_clear_error();  // the end of the file is one
  const std::string& key_file = source.key_file.empty() ? source.certificate_file : source.key_file;
  const std::string key_text = read_tls_file(key_file);
  const KeyPtr key(
      PEM_read_bio_PrivateKey(memory_bio(key_text).get(), nullptr, no_passphrase, nullptr));
  if (!key) throw_tls_error("no private key, or one with a passphrase, in " + key_file);
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    throw_tls_error("the key in " + key_file + " is not that of " + source.certificate_file);
  }
  if (SSL_CTX_use_cert_and_key(context, leaf.get(), key.get(), chain.get(), 1) != 1) {
    throw_tls_error("cannot use the certificate in " + source.certificate_file);
  }
  return leaf;
}

OCSPStaple read_staple(const std::string& file, const X509* certificate) {
  OCSPStaple staple{certificate, read_tls_file(file), 0};
  const auto* at = reinterpret_cast<const unsigned char*>(staple.der.data());
  const OCSPResponsePtr response(
      d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(staple.der.size())));
  const OCSPBasicPtr basic(response ? OCSP_response_get1_basic(response.get()) : nullptr);
  if (!basic || OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL ||
      OCSP_resp_count(basic.get()) < 1) {
    throw_tls_error("no OCSP response in " + file);
  }
  ASN1_GENERALIZEDTIME* next = nullptr;
  OCSP_single_get0_status(OCSP_resp_get0(basic.get(), 0), nullptr, nullptr, nullptr, &next);
  std::tm when{};
  staple.next_update = next != nullptr && ASN1_TIME_to_tm(next, &when) == 1
                           ? static_cast<std::int64_t>(::timegm(&when))
                           : INT64_MAX;
  return staple;
}

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.push_back(normal_host_name(name));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

bool has_key_like(SSL_CTX* context, X509* certificate) {
  const int kind = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
  bool found = false;
  for (long more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_FIRST); more == 1 && !found;
       more = SSL_CTX_set_current_cert(context, SSL_CERT_SET_NEXT)) {
    X509* const one = SSL_CTX_get0_certificate(context);
    found = one != nullptr && EVP_PKEY_get_base_id(X509_get0_pubkey(one)) == kind;
  }
  return found;
}

}  // namespace

std::string read_tls_file(const std::string& name) {
  const auto failed = [&name]() -> std::system_error {
    return {errno, std::generic_category(), "cannot read " + (name.empty() ? "\"\"" : name)};
  };
  const UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw failed();
  std::string bytes;
  char part[4096];
  for (;;) {
    const ssize_t got = ::read(fd.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw failed();
    if (got == 0) return bytes;
    bytes.append(part, static_cast<std::size_t>(got));
    if (bytes.size() > limits::tls_file_bytes) {
      throw std::system_error(std::make_error_code(std::errc::file_too_large),
                              "cannot use " + name);
    }
  }
}

std::string alpn_on_the_wire(std::string_view names) {
  std::string wire;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    if (comma == 0 || comma > 255) {
      throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                              "a protocol of the ALPN list is empty or too long");
    }
    wire.push_back(static_cast<char>(comma));
    wire.append(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return wire;
}

std::shared_ptr<const TLSGeneration> TLSGeneration::make(
    const TLSConfig& config, const std::vector<CertificateSource>& sources) {
  ERR_clear_error();
  auto made = std::make_shared<TLSGeneration>();
  if (config.is_server) {
    for (const CertificateSource& source : sources) made->add(config, source);
  } else {
    SSLContextPtr context = make_context(config);
    load_server_authorities(context.get(), config);
    if (!sources.empty()) static_cast<void>(use_certificate(context.get(), sources.front()));
    install_callbacks(context.get(), config);
    made->contexts_.push_back(std::move(context));
  }
  return made;
}

void TLSGeneration::add(const TLSConfig& config, const CertificateSource& source) {
  SSLContextPtr context = make_context(config);
  CertificatePtr leaf = use_certificate(context.get(), source);
  std::vector<std::string> names =
      source.host_names.empty() ? names_of(leaf.get()) : split_names(source.host_names);
  std::sort(names.begin(), names.end());
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    if (context_names_[i] != names || has_key_like(contexts_[i].get(), leaf.get())) continue;
    // The same names with another kind of key: clients get the one that they understand.
    leaf = use_certificate(contexts_[i].get(), source);
    if (!source.ocsp_file.empty()) staples_.push_back(read_staple(source.ocsp_file, leaf.get()));
    return;
  }
  if (!source.ocsp_file.empty()) staples_.push_back(read_staple(source.ocsp_file, leaf.get()));
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context.get(), static_cast<long>(config.session_lifetime.seconds()));
  SSL_CTX_set_num_tickets(context.get(), config.resumption ? 2 : 0);
  static constexpr unsigned char session_context[] = "squall";
  SSL_CTX_set_session_id_context(context.get(), session_context, sizeof session_context - 1);
  if (config.client_certificate != ClientCertificate::none) {
    load_client_authorities(context.get(), config);
  }
  install_callbacks(context.get(), config);
  add_names(names, context.get());
  context_names_.push_back(std::move(names));
  contexts_.push_back(std::move(context));
}

void TLSGeneration::add_names(const std::vector<std::string>& names, SSL_CTX* context) {
  for (const std::string& name : names) {
    by_name_.try_emplace(name.starts_with("*.") ? name.substr(1) : name, context);
  }
}

SSL_CTX* TLSGeneration::find(std::string_view host_name) const {
  const std::string name = normal_host_name(host_name);
  if (name.empty() || name.front() == '.') return nullptr;
  if (const auto exact = by_name_.find(name); exact != by_name_.end()) return exact->second;
  // A wildcard stands for one label (RFC 6125 §6.4.3).
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto wildcard = by_name_.find(name.substr(dot));
  return wildcard != by_name_.end() ? wildcard->second : nullptr;
}

const OCSPStaple* TLSGeneration::staple(const X509* certificate) const noexcept {
  for (const OCSPStaple& staple : staples_) {
    if (staple.certificate == certificate) return &staple;
  }
  return nullptr;
}

}  // namespace squall::net
