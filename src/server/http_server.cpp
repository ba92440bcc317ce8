// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.hpp"

#include "base/logging.hpp"
#include "http/date.hpp"
#include "server/http1_connection.hpp"
#include "server/proxy_header_reader.hpp"

#include <cstring>
#include <exception>
#include <sys/socket.h>
#include <time.h>

namespace squall::server {
namespace {

// While another loop's connections fill the common limit: how often to look again.
constexpr auto look_again = Duration::from_milliseconds(100);

// RFC 9110 §15.6.4; 429 would be for too many requests.
constexpr std::string_view too_many =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 61\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "\r\n"
    "503 Service Unavailable: too many connections of this address";
static_assert(too_many.size() - too_many.find("\r\n\r\n") - 4 == 61);

}  // namespace

HTTPServer::HTTPServer(loop::LoopCore& core, ServerDelegate& delegate, const ServerOptions& options)
    : TimerNode([](TimerNode& node) noexcept { static_cast<HTTPServer&>(node).look_for_room(); }),
      WebSocketOwner(core, options.websocket),
      core_(core),
      delegate_(delegate),
      options_(options) {
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
  if (TimerNode::is_armed()) core_.stop_timer(*this);
}

void HTTPServer::add_socket(UniqueFd socket, const PortOptions& options) {
  auto port = std::make_unique<ServerPort>(*this);
  port->tls = options.tls;
  port->delegate = options.delegate;
  port->proxies = options.proxies;
  port->listener = std::make_unique<net::Listener>(core_, std::move(socket), *port);
  if (full_) port->listener->pause();
  ports_.push_back(std::move(port));
}

void HTTPServer::stop_accepting() noexcept {
  for (const auto& port : ports_) port->listener.reset();
}

void HTTPServer::drain(Idle idle) {
  // Who waits in the queue has been told by the kernel that it is connected, and would be reset.
  for (const auto& port : ports_) {
    if (port->listener) port->listener->accept_waiting();
  }
  draining_ = true;
  idle_ = idle;
  stop_accepting();
  connections_.for_each([](Connection& connection) { connection.drain(); });
  websockets().for_each([](WebSocketConnection& connection) {
    connection.close(websocket::CloseCode::going_away, "the server shuts down");
  });
}

void HTTPServer::abort_all() noexcept {
  connections_.for_each([](Connection& connection) { connection.abort_now(); });
  websockets().for_each([](WebSocketConnection& connection) { connection.abort_now(); });
}

void HTTPServer::remove(Connection& connection) noexcept {
  connections_.remove(connection);
  left(connection.place());
}

void HTTPServer::on_end(WebSocketConnection& connection) noexcept { left(connection.tag()); }

void HTTPServer::left(ConnectionGate::Place place) noexcept {
  if (place != ConnectionGate::no_place) {
    options_.gate->leave(place);
    if (full_) look_for_room();
  }
  if (connection_count() == 0 && on_empty_) std::exchange(on_empty_, nullptr)();
}

void HTTPServer::accepted_one() noexcept {
  if (full_ || !options_.gate->is_full()) return;
  full_ = true;
  for (const auto& port : ports_) {
    if (port->listener) port->listener->pause();
  }
  core_.start_timer(*this, look_again);
  std::size_t skipped = 0;
  if (!full_lines_.is_due(core_.now_ms(), skipped)) return;
  log::format(log::Level::warning, "server",
              "{} connections are open, which is the limit; more wait in the kernel",
              options_.gate->max_connections());
}

void HTTPServer::look_for_room() noexcept {
  if (TimerNode::is_armed()) core_.stop_timer(*this);
  if (options_.gate->is_full()) {
    core_.start_timer(*this, look_again);
    return;
  }
  full_ = false;
  for (const auto& port : ports_) {
    if (port->listener) port->listener->go_on();
  }
}

std::string_view HTTPServer::too_many_connections() noexcept { return too_many; }

bool HTTPServer::admit(ConnectionGate::Place& place, const net::SocketAddress& client) noexcept {
  if (place == ConnectionGate::no_place) return true;
  try {
    if (options_.gate->add_address(place, client)) return true;
    log_refusal(client, "the address has too many connections");
  } catch (const std::exception& error) {
    log::format(log::Level::error, "server", "cannot count a connection: {}", error.what());
  }
  return false;
}

void HTTPServer::log_refusal(const net::SocketAddress& peer, std::string_view why) noexcept {
  std::size_t skipped = 0;
  if (!refusals_.is_due(core_.now_ms(), skipped)) return;
  if (skipped == 0) {
    log::format(log::Level::warning, "server", "{} is refused: {}", peer.to_string(), why);
  } else {
    log::format(log::Level::warning, "server", "{} is refused: {} ({} more were refused since)",
                peer.to_string(), why, skipped);
  }
}

void ServerPort::on_connection(UniqueFd fd, const net::SocketAddress& peer) {
  if (proxies != nullptr && !proxies->contains(peer)) {
    server.log_refusal(peer, "it is not among trusted_proxies, and the port is for these");
    return;
  }
  ConnectionGate* const gate = server.options_.gate;
  ConnectionGate::Place place = gate != nullptr ? gate->enter() : ConnectionGate::no_place;
  if (proxies != nullptr) {
    ProxyHeaderReader::start(*this, std::move(fd), peer, place);
  } else if (server.admit(place, peer)) {
    HTTP1Connection::start(*this, std::move(fd), peer, place);
  } else {
    gate->leave(place);
    // One system call, and nothing is kept for it. Over TLS there is nobody to be told yet.
    if (!tls) ::send(fd.get(), too_many.data(), too_many.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  if (gate != nullptr) server.accepted_one();
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
