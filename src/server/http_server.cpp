// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.hpp"

#include "http/date.hpp"
#include "server/http1_connection.hpp"

#include <cstring>
#include <time.h>

namespace squall::server {

HTTPServer::HTTPServer(loop::LoopCore& core, ServerDelegate& delegate, const ServerOptions& options)
    : core_(core), delegate_(delegate), options_(options) {
  static_assert(http::http_date_size == 29);
  std::memcpy(common_, server_line.data(), server_size);
  std::memcpy(common_ + server_size, date_name.data(), date_name.size());
  std::memcpy(common_ + sizeof common_ - 2, "\r\n", 2);
  update_date();
}

HTTPServer::~HTTPServer() {
  on_empty_ = nullptr;
  stop_accepting();
  abort_all();
}

void HTTPServer::add_socket(UniqueFd socket, net::TLSContext tls, ServerDelegate* delegate) {
  auto port = std::make_unique<ServerPort>(*this);
  port->tls = std::move(tls);
  port->delegate = delegate;
  port->listener = std::make_unique<net::Listener>(core_, std::move(socket), *port);
  ports_.push_back(std::move(port));
}

void HTTPServer::stop_accepting() noexcept {
  for (const auto& port : ports_) port->listener.reset();
}

void HTTPServer::drain() {
  draining_ = true;
  stop_accepting();
  connections_.for_each([](Connection& connection) { connection.drain(); });
}

void HTTPServer::abort_all() noexcept {
  connections_.for_each([](Connection& connection) { connection.abort_now(); });
}

void HTTPServer::remove(Connection& connection) noexcept {
  connections_.remove(connection);
  if (connections_.size() == 0 && on_empty_) std::exchange(on_empty_, nullptr)();
}

void ServerPort::on_connection(UniqueFd fd, const net::SocketAddress& peer) {
  HTTP1Connection::start(*this, std::move(fd), peer);
}

void HTTPServer::update_date() noexcept {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  date_turn_ = core_.turn();
  if (date_second_ == now.tv_sec) return;
  date_second_ = now.tv_sec;
  http::format_http_date(date_second_, common_ + server_size + date_name.size());
}

std::string_view HTTPServer::date_field() noexcept {
  if (date_turn_ != core_.turn()) update_date();
  return {common_ + server_size, date_size};
}

std::string_view HTTPServer::common_fields() noexcept {
  if (date_turn_ != core_.turn()) update_date();
  return {common_, sizeof common_};
}

}  // namespace squall::server
