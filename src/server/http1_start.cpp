// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "server/http1_connection.hpp"
#include "server/http_server.hpp"

#include <squall/net/tls_error.hpp>

#include <memory>
#include <utility>

// How a connection begins: accepted or taken over, with TLS or without.
namespace squall::server {

using loop::Stream;

void HTTP1Connection::start(ServerPort& port, UniqueFd fd, const net::SocketAddress& peer,
                            Place place) {
  auto* const self = new HTTP1Connection(port, peer);
  self->set_place(place);
  port.server.add(*self);
  try {
    self->stream_ = &Stream::adopt(port.server.core(), std::move(fd), *self);
  } catch (const std::exception& error) {
    log::format(log::Level::error, "server", "{}", error.what());
    self->abort_now();
    return;
  }
  self->begin({});
}

HTTP1Connection& HTTP1Connection::take_over(ServerPort& port, Stream& stream,
                                            const net::SocketAddress& peer) {
  auto* const self = new HTTP1Connection(port, peer);
  port.server.add(*self);
  self->stream_ = &stream;
  stream.set_handler(*self);
  return *self;
}

void HTTP1Connection::begin(std::span<char> first) {
  try {
    set_write_limits();
    if (port_.tls) {
      secure_ = std::make_unique<Secure>(*this);
      stream_->clear_deadline();  // the handshake has one of its own
      secure_->filter = &net::TLSFilter::start_server(*stream_, port_.tls, secure_.get());
    } else {
      stream_->set_deadline(server_.first_head_timeout());
    }
  } catch (const std::exception& error) {
    log::format(log::Level::error, "server", "{}", error.what());
    abort_now();
    return;
  }
  if (first.empty()) return;
  if (secure_) {
    secure_->filter->on_wire_bytes(first);
  } else {
    on_receive(first);
  }
}

void HTTP1Connection::set_write_limits() noexcept {
  own_write_timeout_ = false;
  stream_->set_write_timeout(server_.options().write_timeout);
}

// The handshake had a deadline of its own.
void HTTP1Connection::Secure::on_handshake_done() {
  connection.stream_->set_deadline(connection.server_.first_head_timeout());
}

void HTTP1Connection::Secure::on_handshake_failed(std::error_code error, std::string_view reason) {
  // Port scanners and people who forget the s in https are no news.
  const bool quiet = error == net::TLSError::closed_in_handshake ||
                     error == net::TLSError::handshake_timeout || error == net::TLSError::not_tls ||
                     error == net::TLSError::plain_http;
  log::format(quiet ? log::Level::debug : log::Level::info, "server", "{}: {} ({})",
              connection.peer_.to_string(), error.message(), reason);
}

std::string_view HTTP1Connection::Secure::answer_to_plain_http() {
  return "HTTP/1.1 400 Bad Request\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Length: 44\r\n"
         "Connection: close\r\n"
         "\r\n"
         "400 Bad Request: this port speaks HTTPS only";
}

net::TLSInfo HTTP1Connection::tls_info() const {
  return secure_ && stream_ != nullptr ? secure_->filter->info() : net::TLSInfo();
}

}  // namespace squall::server
