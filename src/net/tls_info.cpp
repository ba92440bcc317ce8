// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "base/hex.hpp"
#include "net/tls_context.hpp"
#include "net/tls_filter.hpp"
#include "net/tls_handshake.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <arpa/inet.h>

// What may be asked of a connection and of certificates.
namespace squall::net {
namespace {

std::string_view text_of(const char* text) noexcept { return text != nullptr ? text : ""; }

std::string_view text_of(const ASN1_STRING* text) noexcept {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
  std::string text;
  append_hex(text, {reinterpret_cast<const char*>(bytes), size});
  return text;
}

std::string name_text(const X509_NAME* name) {
  const BIOPtr out(BIO_new(BIO_s_mem()));
  if (!out) return {};
  // Bytes above 127 stay as they are: UTF-8.
  X509_NAME_print_ex(out.get(), name, 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

using AltNames = std::unique_ptr<GENERAL_NAMES, FreedBy<GENERAL_NAMES_free>>;

AltNames alternative_names(X509* certificate) {
  return AltNames(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int size = ASN1_STRING_length(address);
  const int family = size == 4 ? AF_INET : AF_INET6;
  if (size == 4 || size == 16) {
    ::inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text);
  }
  return text;
}

void describe(X509* certificate, TLSInfo& info) {
  info.has_peer_certificate = true;
  info.peer_subject = name_text(X509_get_subject_name(certificate));
  info.peer_issuer = name_text(X509_get_issuer_name(certificate));
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  info.peer_serial = hexadecimal(ASN1_STRING_get0_data(serial),
                                 static_cast<std::size_t>(ASN1_STRING_length(serial)));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) == 1) {
    info.peer_fingerprint = hexadecimal(digest, size);
  }
  const AltNames names = alternative_names(certificate);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    switch (name->type) {
      case GEN_DNS:
        text = "DNS:" + std::string(text_of(name->d.dNSName));
        break;
      case GEN_IPADD:
        text = "IP:" + address_text(name->d.iPAddress);
        break;
      case GEN_EMAIL:
        text = "email:" + std::string(text_of(name->d.rfc822Name));
        break;
      case GEN_URI:
        text = "URI:" + std::string(text_of(name->d.uniformResourceIdentifier));
        break;
      default:
        continue;
    }
    info.peer_names.push_back(std::move(text));
  }
}

}  // namespace

std::string_view TLSFilter::alpn_protocol() const noexcept {
  if (established_) return established_->alpn;
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TLSFilter::server_name() const noexcept {
  if (established_) return established_->server_name;
  return text_of(SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name));
}

std::string_view TLSFilter::version() const noexcept {
  return established_ ? established_->version : text_of(SSL_get_version(ssl_));
}

std::string_view TLSFilter::cipher() const noexcept {
  if (established_) return established_->cipher;
  return text_of(SSL_CIPHER_get_name(SSL_get_current_cipher(ssl_)));
}

bool TLSFilter::session_reused() const noexcept {
  return established_ ? established_->session_reused : SSL_session_reused(ssl_) == 1;
}

std::string_view TLSFilter::ocsp_response() const noexcept {
  if (ssl_ == nullptr) return {};  // a server
  const unsigned char* bytes = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl_, &bytes);
  if (bytes == nullptr || size <= 0) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

TLSInfo TLSFilter::info() const {
  TLSInfo info;
  info.version = version();
  info.cipher = cipher();
  info.alpn = alpn_protocol();
  info.server_name = server_name();
  info.session_reused = session_reused();
  X509* const certificate =
      established_ ? established_->peer.get() : SSL_get0_peer_certificate(ssl_);
  if (certificate != nullptr) describe(certificate, info);
  ERR_clear_error();
  return info;
}

std::string normal_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string lower(name);
  ascii::make_lower(lower);
  return lower;
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> found;
  const AltNames names = alternative_names(certificate);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) found.push_back(normal_host_name(text_of(name->d.dNSName)));
  }
  if (!found.empty()) return found;
  // Without alternative names the common name was the host's (RFC 6125 §6.4.4).
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) {
    found.push_back(
        normal_host_name(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
  }
  return found;
}

}  // namespace squall::net
