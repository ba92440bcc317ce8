// SPDX-License-Identifier: Apache-2.0
#include "net/tls_filter.hpp"

#include "base/logging.hpp"
#include "net/tls_callbacks.hpp"
#include "net/tls_context.hpp"
#include "net/tls_handshake.hpp"
#include "net/tls_turn.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/net/tls_error.hpp>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <utility>

// The life of a TLS connection. Both ends go through the same states; what differs is how they
// begin. Writing is in tls_seal.cpp, what may be asked in tls_info.cpp.
namespace squall::net {

using loop::Stream;

TLSFilter::Handshake::Handshake(TLSFilter& owner, Observer* told) noexcept
    : TimerNode([](TimerNode& node) noexcept {
        TLSFilter& self = static_cast<Handshake&>(node).filter;
        if (self.stream_.has_owner()) self.fail(TLSError::handshake_timeout, "it took too long");
      }),
      ReadyNode([](ReadyNode& node) noexcept {
        static_cast<Handshake&>(node).filter.continue_handshake();
      }),
      filter(owner),
      observer(told) {}

TLSFilter::Handshake::~Handshake() { filter.stream_.core().stop_timer(*this); }

TLSFilter::TLSFilter(Stream& stream, const TLSContext& context, Observer* observer)
    : stream_(stream), context_(context), handshake_(new Handshake(*this, observer)) {
  TLSContext::Impl& shared = *context.impl();
  handshake_->generation = shared.generation();
  ERR_clear_error();
  ssl_ = SSL_new(handshake_->generation->front());
  if (ssl_ == nullptr) throw_tls_error("cannot make a TLS connection");
  try {
    BIO* const bio = make_wire_bio(*this);
    SSL_set_bio(ssl_, bio, bio);
  } catch (...) {
    SSL_free(ssl_);
    throw;
  }
  stream.core().start_timer(*handshake_, shared.config.handshake_timeout);
}

TLSFilter::~TLSFilter() { SSL_free(ssl_); }

void TLSFilter::take_over(const Handshake& ended) {
  auto made = std::make_unique<Established>();
  // What OpenSSL has read beyond the handshake could not be read again; it reads record by record.
  if (SSL_has_pending(ssl_) == 1 ||
      !made->records.take_over(ssl_, ended.secrets, ended.records_sent)) {
    SSL_set_tlsext_status_ocsp_resp(ssl_, nullptr, 0);  // it has been sent: a kilobyte and more
    return;
  }
  made->version = SSL_get_version(ssl_);
  made->cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl_));
  made->alpn = alpn_protocol();
  made->server_name = server_name();
  made->session_reused = session_reused();
  made->peer.reset(SSL_get1_peer_certificate(ssl_));
  established_ = std::move(made);
  SSL_free(std::exchange(ssl_, nullptr));
}

TLSFilter& TLSFilter::install(std::unique_ptr<TLSFilter> filter) {
  TLSFilter& self = *filter;
  self.stream_.set_filter(std::move(filter));
  return self;
}

TLSFilter& TLSFilter::start_server(Stream& stream, const TLSContext& context, Observer* observer) {
  if (!context.is_server()) throw UsageError("a server needs a TLSContext made by server()");
  std::unique_ptr<TLSFilter> filter(new TLSFilter(stream, context, observer));
  SSL_set_accept_state(filter->ssl_);
  return install(std::move(filter));
}

TLSFilter& TLSFilter::start_client(Stream& stream, const TLSContext& context,
                                   const ClientParameters& parameters, Observer* observer) {
  if (!context || context.is_server()) {
    throw UsageError("a client needs a TLSContext made by client()");
  }
  std::unique_ptr<TLSFilter> filter(new TLSFilter(stream, context, observer));
  SSL* const ssl = filter->ssl_;
  TLSContext::Impl& shared = *context.impl();
  const TLSConfig& config = shared.config;
  SSL_set_connect_state(ssl);

  const std::string name = normal_host_name(parameters.server_name);
  if (name.empty() && config.verify_server) {
    throw UsageError("a TLS client needs the name of its server, to verify its certificate");
  }
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl);
  const bool is_address = !name.empty() && X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1;
  if (!name.empty() && !is_address) {
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(
        verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    // RFC 6066 §3: the server name is never an address.
    if (X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size()) != 1 ||
        SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
      throw_tls_error("cannot use the server name " + name);
    }
  }
  const std::string alpn =
      parameters.alpn.empty() ? config.alpn : alpn_on_the_wire(parameters.alpn);
  if (!alpn.empty() && SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()),
                                           static_cast<unsigned>(alpn.size())) != 0) {
    throw_tls_error("cannot offer protocols with ALPN");
  }
  if (config.request_ocsp) SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
  if (config.resumption && (!name.empty() || !parameters.session_key.empty())) {
    filter->session_key_ = std::make_unique<std::string>(
        parameters.session_key.empty() ? std::string_view(name) : parameters.session_key);
    if (const SessionPtr session = shared.sessions.take(*filter->session_key_)) {
      SSL_set_session(ssl, session.get());
    }
  }
  TLSFilter& self = install(std::move(filter));
  self.shake_hands();
  return self;
}

void TLSFilter::on_wire_bytes(std::span<char> bytes) {
  if (state_ == State::failed || state_ == State::ended) return;
  if (handshake_ && handshake_->waits) {
    // The peer has nothing to say before our answer; this is a part of its first message at most.
    if (handshake_->held.size() + bytes.size() > limits::tls_held_bytes) {
      fail(TLSError::protocol_violation, "it sends before the handshake goes on");
      return;
    }
    handshake_->held.append(bytes.data(), bytes.size());
    return;
  }
  process(bytes);
}

void TLSFilter::process(std::span<char> bytes) {
  input_ = bytes;
  if (state_ == State::handshake) {
    shake_hands();
    if (handshake_ && handshake_->waits) {
      handshake_->held.append(input_.data(), input_.size());
      input_ = {};
      return;
    }
  }
  const std::span<char> rest = std::exchange(input_, {});
  if (state_ != State::open || !stream_.has_owner()) return;
  if (established_) {
    open_records(rest);
  } else {
    input_ = rest;
    read_records();
    input_ = {};
  }
}

void TLSFilter::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    handshake_done();
    return;
  }
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      break;
    case SSL_ERROR_WANT_X509_LOOKUP:  // before_signing() has held it back
      handshake_->waits = true;
      TLSTurn::here().wait(stream_.core(), *handshake_);
      break;
    default: {
      TLSFailure failure = take_failure(ssl_, result);
      if (handshake_->ocsp_error) failure.error = handshake_->ocsp_error;
      fail(failure.error, failure.reason);
    }
  }
}

void TLSFilter::handshake_done() {
  state_ = State::open;
  done_ = true;
  const std::unique_ptr<Handshake> ended = std::move(handshake_);
  if (context_.is_server()) {
    take_over(*ended);
  } else if (session_key_ && SSL_session_reused(ssl_) == 1 && SSL_version(ssl_) < TLS1_3_VERSION) {
    // Only TLS 1.3 gives a new ticket for each that is used.
    context_.impl()->sessions.put(*session_key_, SessionPtr(SSL_get1_session(ssl_)));
  }
  stream_.schedule_flush();  // the owner may have written already
  if (ended->observer != nullptr) ended->observer->on_handshake_done();
}

// In its turn, after others' private-key operations have been waited for.
void TLSFilter::continue_handshake() noexcept {
  handshake_->waits = false;
  handshake_->may_sign = true;
  if (!stream_.has_owner()) return;
  try {
    std::string bytes = std::move(handshake_->held);
    process({bytes.data(), bytes.size()});
  } catch (const std::exception& error) {
    log::format(log::Level::error, "tls", "a connection is dropped: {}", error.what());
    if (!stream_.has_owner()) return;
    fail(TLSError::handshake_failed, "an exception");
  }
}

void TLSFilter::read_records() {
  const std::span<char> buffer = TLSTurn::here().plain_buffer();
  std::size_t filled = 0;
  int result = 1;
  do {
    std::size_t got = 0;
    ERR_clear_error();
    result = SSL_read_ex(ssl_, buffer.data() + filled, buffer.size() - filled, &got);
    if (result != 1) break;
    filled += got;
    if (buffer.size() - filled < TLSTurn::record_bytes) {
      stream_.deliver(buffer.first(std::exchange(filled, 0)));
      if (!stream_.has_owner()) return;
    }
  } while (!input_.empty() || SSL_has_pending(ssl_) == 1);

  int kind = SSL_ERROR_WANT_READ;
  TLSFailure failure;
  if (result != 1) {
    kind = SSL_get_error(ssl_, result);
    // Before the owner is called, which may use OpenSSL for other things.
    if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_ZERO_RETURN) {
      failure = take_failure(ssl_, result);
    }
  }
  if (filled > 0) {
    stream_.deliver(buffer.first(filled));
    if (!stream_.has_owner()) return;
  }
  if (kind == SSL_ERROR_ZERO_RETURN) {
    state_ = State::ended;
    stream_.deliver_eof();
  } else if (failure.error) {
    fail(failure.error, failure.reason);
  } else if (reply_bytes_ > limits::tls_reply_bytes) {
    // As an answer to a flood of key updates (RFC 8446 §4.6.3) or refused renegotiations.
    fail(TLSError::protocol_violation, "too many messages that want an answer");
  }
}

void TLSFilter::on_wire_eof() {
  switch (state_) {
    case State::handshake:
      fail(TLSError::closed_in_handshake, "the connection ended");
      break;
    case State::open:
      fail(TLSError::truncated, "no close_notify");
      break;
    case State::ended:
    case State::failed:
      break;
  }
}

// Alerts that tell the peer have been written by OpenSSL.
void TLSFilter::fail(std::error_code error, std::string_view reason) {
  state_ = State::failed;
  input_ = {};
  const std::unique_ptr<Handshake> ended = std::move(handshake_);
  if (ended && ended->observer != nullptr && stream_.has_owner()) {
    if (error == TLSError::plain_http) {
      stream_.wire().write(stream_.core().blocks(), ended->observer->answer_to_plain_http());
    }
    ended->observer->on_handshake_failed(error, reason);
    if (!stream_.has_owner()) return;
  }
  stream_.fail(error);
}

}  // namespace squall::net
