// SPDX-License-Identifier: Apache-2.0
#include "net/tls_callbacks.hpp"

#include "loop/clock.hpp"
#include "net/tls_context.hpp"
#include "net/tls_handshake.hpp"
#include "net/tls_turn.hpp"

#include <squall/net/tls_error.hpp>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <unistd.h>

namespace squall::net {

// What OpenSSL calls. C code is beneath these functions: nothing may be thrown through it.
struct TLSCallbacks {
  // The wire. Records are read from where the loop received them, and written to where the stream
  // sends from; a BIO never blocks for writing, so that SSL_write() never has to be repeated.

  static int read(BIO* bio, char* out, std::size_t size, std::size_t* got) {
    auto& filter = *static_cast<TLSFilter*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    std::span<char>& input = filter.input_;
    if (input.empty()) {
      BIO_set_retry_read(bio);
      *got = 0;
      return -1;
    }
    *got = std::min(size, input.size());
    std::memcpy(out, input.data(), *got);
    input = input.subspan(*got);
    return 1;
  }

  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) noexcept {
    auto& filter = *static_cast<TLSFilter*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *written = 0;
    try {
      loop::Stream& stream = filter.stream_;
      stream.wire().write(stream.core().blocks(), {bytes, size});
      if (!filter.sealing_) {
        stream.schedule_flush();
        if (filter.is_handshake_done()) filter.reply_bytes_ += static_cast<std::uint32_t>(size);
      }
    } catch (...) {  // no memory
      return 0;
    }
    *written = size;
    return 1;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static TLSFilter& filter_of(const SSL* ssl) noexcept {
    return *static_cast<TLSFilter*>(BIO_get_data(SSL_get_rbio(ssl)));
  }

  static void log_key(const SSL* ssl, const char* line) noexcept {
    const TLSFilter& filter = filter_of(ssl);
    if (filter.handshake_) filter.handshake_->secrets.take(line);
    const int fd = filter.context_.impl()->key_log.get();
    if (fd < 0) return;
    char text[512];
    const std::size_t size = std::strlen(line);
    if (size + 1 > sizeof text) return;
    std::memcpy(text, line, size);
    text[size] = '\n';
    // In one call, so that the lines of several threads do not mix.
    [[maybe_unused]] const ssize_t written = ::write(fd, text, size + 1);
  }

  // Of servers.

  // Counts the records that leave after Finished, with the keys that application data has too.
  static void count_records(int is_sent, int, int type, const void* bytes, std::size_t size,
                            SSL* ssl, void*) noexcept {
    const TLSFilter& filter = filter_of(ssl);
    if (is_sent == 0 || !filter.handshake_ || size == 0) return;
    if (type == SSL3_RT_HEADER) {
      ++filter.handshake_->records_sent;
    } else if (type == SSL3_RT_HANDSHAKE &&
               *static_cast<const unsigned char*>(bytes) == SSL3_MT_FINISHED) {
      // In TLS 1.2 it is itself the first record with these keys; in 1.3 the last without.
      filter.handshake_->records_sent = SSL_version(ssl) == TLS1_3_VERSION ? 0 : 1;
    }
  }

  static int choose_name(SSL* ssl, int* alert, void* config) noexcept {
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const TLSFilter& filter = filter_of(ssl);
    if (!filter.handshake_) return SSL_TLSEXT_ERR_NOACK;
    try {
      if (SSL_CTX* const context = filter.handshake_->generation->find(name)) {
        if (context != SSL_get_SSL_CTX(ssl) && SSL_set_SSL_CTX(ssl, context) == nullptr) {
          *alert = SSL_AD_INTERNAL_ERROR;
          return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
        return SSL_TLSEXT_ERR_OK;
      }
    } catch (...) {
      *alert = SSL_AD_INTERNAL_ERROR;
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (!static_cast<const TLSConfig*>(config)->refuse_unknown_names) return SSL_TLSEXT_ERR_NOACK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  static int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                             const unsigned char* offered, unsigned offered_size,
                             void* config) noexcept {
    const std::string& ours = static_cast<const TLSConfig*>(config)->alpn;
    unsigned char* chosen = nullptr;
    // In our order of preference: it looks for the first of the first list in the second.
    const int found = SSL_select_next_proto(
        &chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
        static_cast<unsigned>(ours.size()), offered, offered_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  // Comes before the private key is used, and not for sessions that are resumed; -1 suspends.
  static int before_signing(SSL* ssl, void*) noexcept {
    const TLSFilter& filter = filter_of(ssl);
    if (!filter.handshake_) return 1;
    return filter.handshake_->may_sign || TLSTurn::here().may_sign(filter.stream_.core()) ? 1 : -1;
  }

  static int staple(SSL* ssl, void*) noexcept {
    const TLSFilter& filter = filter_of(ssl);
    if (!filter.handshake_) return SSL_TLSEXT_ERR_NOACK;
    const OCSPStaple* const response =
        filter.handshake_->generation->staple(SSL_get_certificate(ssl));
    if (response == nullptr || response->next_update < std::time(nullptr)) {
      return SSL_TLSEXT_ERR_NOACK;
    }
    void* const copy = OPENSSL_memdup(response->der.data(), response->der.size());
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, static_cast<unsigned char*>(copy),
                                    static_cast<long>(response->der.size()));
    return SSL_TLSEXT_ERR_OK;
  }

  static int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int seals) noexcept {
    TicketKeys& keys = filter_of(ssl).context_.impl()->tickets;
    const std::uint64_t now = loop::monotonic_ns();
    TicketKeys::Key key;
    int result = 1;
    try {
      if (seals != 0) {
        if (!keys.current(now, key)) return -1;
        std::memcpy(name, key.name.data(), key.name.size());
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
      } else {
        const TicketKeys::Found found = keys.find(name, now, key);
        if (found == TicketKeys::Found::no) return 0;
        result = found == TicketKeys::Found::old ? 2 : 1;  // 2 has a new one made
      }
    } catch (...) {
      return -1;
    }
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, seals) != 1 ||
        EVP_MAC_CTX_set_params(mac, parameters) != 1) {
      result = -1;
    }
    OPENSSL_cleanse(&key, sizeof key);
    return result;
  }

  // Of clients.

  static int new_session(SSL* ssl, SSL_SESSION* session) noexcept {
    TLSFilter& filter = filter_of(ssl);
    if (!filter.session_key_ || SSL_SESSION_is_resumable(session) != 1) return 0;
    try {
      filter.context_.impl()->sessions.put(*filter.session_key_, SessionPtr(session));
      return 1;  // it is ours now
    } catch (...) {
      return 1;  // freed by the owner that it was given to
    }
  }

  static int check_staple(SSL* ssl, void* config) noexcept {
    const TLSFilter& filter = filter_of(ssl);
    if (!filter.handshake_ || SSL_session_reused(ssl) == 1) return 1;
    const std::error_code error = stapled_error(ssl, *static_cast<const TLSConfig*>(config));
    filter.handshake_->ocsp_error = error;
    return error ? 0 : 1;
  }

  static std::error_code stapled_error(SSL* ssl, const TLSConfig& config) noexcept {
    const unsigned char* at = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(ssl, &at);
    if (at == nullptr || size <= 0) {
      return config.require_ocsp ? TLSError::ocsp_missing : std::error_code();
    }
    const OCSPResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, size));
    const OCSPBasicPtr basic(response ? OCSP_response_get1_basic(response.get()) : nullptr);
    STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl);
    if (!basic || chain == nullptr || sk_X509_num(chain) < 2) return TLSError::ocsp_missing;
    X509_STORE* const store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    if (OCSP_basic_verify(basic.get(), chain, store, 0) != 1) return TLSError::ocsp_missing;
    const std::unique_ptr<OCSP_CERTID, FreedBy<OCSP_CERTID_free>> id(
        OCSP_cert_to_id(nullptr, sk_X509_value(chain, 0), sk_X509_value(chain, 1)));
    int status = 0;
    ASN1_GENERALIZEDTIME* from = nullptr;
    ASN1_GENERALIZEDTIME* until = nullptr;
    constexpr long clock_skew_seconds = 300;
    if (!id ||
        OCSP_resp_find_status(basic.get(), id.get(), &status, nullptr, nullptr, &from, &until) !=
            1 ||
        OCSP_check_validity(from, until, clock_skew_seconds, -1) != 1) {
      return TLSError::ocsp_missing;
    }
    if (status == V_OCSP_CERTSTATUS_REVOKED) return TLSError::certificate_revoked;
    return status == V_OCSP_CERTSTATUS_GOOD ? std::error_code() : TLSError::ocsp_missing;
  }
};

BIO* make_wire_bio(TLSFilter& filter) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "squall");
    BIO_meth_set_read_ex(made, TLSCallbacks::read);
    BIO_meth_set_write_ex(made, TLSCallbacks::write);
    BIO_meth_set_ctrl(made, TLSCallbacks::control);
    return made;
  }();
  BIO* const bio = BIO_new(method);
  if (bio == nullptr) throw_tls_error("cannot make a TLS connection");
  BIO_set_data(bio, &filter);
  BIO_set_init(bio, 1);
  return bio;
}

void install_callbacks(SSL_CTX* context, const TLSConfig& config) {
  auto* const argument = const_cast<TLSConfig*>(&config);  // OpenSSL hands it back, no more
  if (config.is_server || !config.key_log_file.empty()) {
    SSL_CTX_set_keylog_callback(context, TLSCallbacks::log_key);
  }
  if (config.is_server) {
    SSL_CTX_set_msg_callback(context, TLSCallbacks::count_records);
    SSL_CTX_set_tlsext_servername_callback(context, TLSCallbacks::choose_name);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
    if (!config.alpn.empty()) {
      SSL_CTX_set_alpn_select_cb(context, TLSCallbacks::choose_protocol, argument);
    }
    SSL_CTX_set_cert_cb(context, TLSCallbacks::before_signing, nullptr);
    SSL_CTX_set_tlsext_status_cb(context, TLSCallbacks::staple);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, TLSCallbacks::ticket_key);
    return;
  }
  if (config.request_ocsp) {
    SSL_CTX_set_tlsext_status_cb(context, TLSCallbacks::check_staple);
    SSL_CTX_set_tlsext_status_arg(context, argument);
  }
  if (!config.resumption) return;
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, TLSCallbacks::new_session);
}

}  // namespace squall::net
