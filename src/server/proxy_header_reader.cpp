// SPDX-License-Identifier: Apache-2.0
#include "server/proxy_header_reader.hpp"

#include "base/logging.hpp"
#include "net/proxy_protocol.hpp"
#include "server/http1_connection.hpp"
#include "server/http_server.hpp"

#include <exception>
#include <utility>

namespace squall::server {

using loop::Stream;

void ProxyHeaderReader::start(ServerPort& port, UniqueFd fd, const net::SocketAddress& proxy,
                              Place place) {
  auto* const self = new ProxyHeaderReader(port, proxy);
  self->set_place(place);
  port.server.add(*self);
  try {
    self->stream_ = &Stream::adopt(port.server.core(), std::move(fd), *self);
    self->stream_->set_deadline(port.server.options().head_timeout);
  } catch (const std::exception& error) {
    log::format(log::Level::error, "server", "{}", error.what());
    self->destroy();
  }
}

void ProxyHeaderReader::on_receive(std::span<char> bytes) {
  const bool in_pieces = !begun_.empty();
  if (in_pieces) {
    begun_.append(bytes.data(), bytes.size());
    bytes = {begun_.data(), begun_.size()};
  }
  net::ProxyHeader header;
  net::ProxyError error{};
  switch (net::parse_proxy_header({bytes.data(), bytes.size()}, header, error)) {
    case net::ProxyParse::need_more:
      if (!in_pieces) begun_.assign(bytes.data(), bytes.size());
      break;
    case net::ProxyParse::failed:
      refuse(net::make_error_code(error).message());
      break;
    case net::ProxyParse::done:
      hand_over(header.has_addresses ? header.source : proxy_, bytes.subspan(header.bytes));
      break;
  }
}

void ProxyHeaderReader::hand_over(const net::SocketAddress& client, std::span<char> rest) {
  ServerPort& port = port_;
  Place place = this->place();
  const bool is_admitted = port.server.admit(place, client);
  set_place(place);
  if (!is_admitted) {
    if (!port.tls) stream_->write(HTTPServer::too_many_connections());
    std::exchange(stream_, nullptr)->close(Stream::Linger::yes);
    destroy();
    return;
  }
  HTTP1Connection& next =
      HTTP1Connection::take_over(port, *std::exchange(stream_, nullptr), client);
  next.take_place_of(*this);
  port.server.remove(*this);
  next.begin(rest);  // may end it; `rest` may lie in begun_
  delete this;
}

void ProxyHeaderReader::refuse(std::string_view why) noexcept {
  port_.server.log_refusal(proxy_, why);
  std::exchange(stream_, nullptr)->abort();
  destroy();
}

void ProxyHeaderReader::on_eof() {
  // Health checks of proxies connect and leave.
  if (!begun_.empty()) port_.server.log_refusal(proxy_, "it ended within the PROXY header");
  std::exchange(stream_, nullptr)->close();
  destroy();
}

void ProxyHeaderReader::on_timeout() { refuse("the PROXY header took too long"); }

void ProxyHeaderReader::on_broken(std::error_code) {
  stream_ = nullptr;
  destroy();
}

void ProxyHeaderReader::drain() {
  // As a new connection without a proxy: its request is on the way.
  stream_->set_deadline(port_.server.options().drain_grace);
}

void ProxyHeaderReader::abort_now() noexcept {
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->abort();
  destroy();
}

void ProxyHeaderReader::destroy() noexcept {
  port_.server.remove(*this);
  delete this;
}

}  // namespace squall::server
