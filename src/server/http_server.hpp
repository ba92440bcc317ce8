// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/head_parser.hpp"
#include "loop/loop_core.hpp"
#include "net/listener.hpp"
#include "server/connection_gate.hpp"
#include "server/connection_list.hpp"
#include "server/exchange.hpp"
#include "transport/websocket_options.hpp"
#include "transport/websocket_owner.hpp"

#include <squall/base/duration.hpp>
#include <squall/base/function.hpp>
#include <squall/base/limits.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::server {

struct ServerOptions {
  http::HeadLimits head;
  BodyLimits body;
  std::uint32_t max_requests = 0;    ///< of one connection; 0 for any number
  std::uint32_t min_write_rate = 0;  ///< bytes a second that a client takes; 0 for any
  std::size_t max_pending_bytes = limits::write_buffer_bytes;
  Duration head_timeout = Duration::from_seconds(10);   ///< from a head's first byte to its last
  Duration idle_timeout = Duration::from_seconds(75);   ///< between two requests
  Duration write_timeout = Duration::from_seconds(60);  ///< without the client taking a byte
  Duration drain_grace = Duration::from_seconds(1);     ///< for a request that is on its way
  transport::WebSocketOptions websocket;
  ConnectionGate* gate = nullptr;  ///< counts connections; may be shared
};

/// How the connections of one listening socket are served.
struct PortOptions {
  net::TLSContext tls = {};            ///< empty: without TLS
  ServerDelegate* delegate = nullptr;  ///< in place of the server's
  /// Who may connect, and has to begin with a header of the PROXY protocol; nullptr: no PROXY
  /// protocol. It outlives the server.
  const net::NetworkSet* proxies = nullptr;
};

class HTTPServer;

/// A listening socket and how its connections are served. It lives as long as its server.
struct ServerPort final : net::Listener::Receiver {
  explicit ServerPort(HTTPServer& owner) noexcept : server(owner) {}
  void on_connection(UniqueFd fd, const net::SocketAddress& peer) override;

  HTTPServer& server;
  net::TLSContext tls;
  ServerDelegate* delegate = nullptr;
  const net::NetworkSet* proxies = nullptr;
  std::unique_ptr<net::Listener> listener;
};

/// Serves HTTP on one loop: owns its listeners and knows its connections.
class HTTPServer final : private detail::TimerNode, private transport::WebSocketOwner {
 public:
  HTTPServer(loop::LoopCore& core, ServerDelegate& delegate, const ServerOptions& options);
  HTTPServer(const HTTPServer&) = delete;
  HTTPServer& operator=(const HTTPServer&) = delete;
  /// Breaks what is still open.
  ~HTTPServer();

  /// Accepts connections of a listening socket.
  void add_socket(UniqueFd socket, const PortOptions& options = {});
  /// Closes the listening sockets.
  void stop_accepting() noexcept;
  /// What becomes of connections that wait for their next request when the server drains.
  enum class Idle : bool {
    close,  ///< they are closed
    keep,   ///< for drain_grace: who takes over serves new ones, so there is no hurry
  };
  /// Takes what waits to be accepted, stops accepting, closes WebSockets (1001), and lets requests
  /// finish.
  void drain(Idle idle = Idle::close);
  /// Breaks all connections, now.
  void abort_all() noexcept;
  [[nodiscard]] std::size_t connection_count() const noexcept {
    return connections_.size() + websockets().size();
  }
  /// Calls `function` once, when the last connection goes.
  void set_empty_callback(MoveOnlyFunction<void()> function) noexcept {
    on_empty_ = std::move(function);
  }

  // For connections.
  [[nodiscard]] loop::LoopCore& core() const noexcept { return core_; }
  [[nodiscard]] transport::WebSocketOwner& websockets() noexcept { return *this; }
  /// The server that owns this WebSocket.
  [[nodiscard]] static HTTPServer& of(const WebSocketConnection& connection) noexcept {
    return static_cast<HTTPServer&>(connection.owner());
  }
  [[nodiscard]] const transport::WebSocketOwner& websockets() const noexcept { return *this; }
  [[nodiscard]] ServerDelegate& delegate() const noexcept { return delegate_; }
  /// Without a socket, for connections that come from elsewhere.
  [[nodiscard]] ServerPort& plain_port() noexcept { return plain_port_; }
  [[nodiscard]] const ServerOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool is_draining() const noexcept { return draining_; }
  [[nodiscard]] bool keeps_idle() const noexcept { return idle_ == Idle::keep; }
  /// For the first head of a new connection.
  [[nodiscard]] Duration first_head_timeout() const noexcept {
    return draining_ ? options_.drain_grace : options_.head_timeout;
  }
  /// Where heads are parsed; overwritten by the next one on this loop.
  [[nodiscard]] http::RequestHead& scratch_head() noexcept { return scratch_head_; }
  /// "Server: ...CRLF", then "Date: ...CRLF" of this second.
  [[nodiscard]] std::string_view server_field() const noexcept { return {common_, server_size}; }
  [[nodiscard]] std::string_view date_field() noexcept;
  /// Both, one after the other.
  [[nodiscard]] std::string_view common_fields() noexcept;
  void add(Connection& connection) noexcept { connections_.add(connection); }
  void remove(Connection& connection) noexcept;
  /// Counts the client of the connection that has this place; false, with a line in the log, when
  /// it has too many.
  [[nodiscard]] bool admit(ConnectionGate::Place& place, const net::SocketAddress& client) noexcept;
  /// What it is answered then.
  [[nodiscard]] static std::string_view too_many_connections() noexcept;
  /// Logs that a connection was refused, at most once a second.
  void log_refusal(const net::SocketAddress& peer, std::string_view why) noexcept;

 private:
  friend struct ServerPort;
  static constexpr std::string_view server_line = "Server: Squall\r\n";
  static constexpr std::string_view date_name = "Date: ";
  static constexpr std::size_t server_size = server_line.size();
  static constexpr std::size_t date_size = date_name.size() + 29 + 2;

  void on_end(WebSocketConnection& connection) noexcept override;
  void left(ConnectionGate::Place place) noexcept;
  void update_date() noexcept;
  void accepted_one() noexcept;
  void look_for_room() noexcept;

  loop::LoopCore& core_;
  ServerDelegate& delegate_;
  ServerOptions options_;
  ConnectionList connections_;
  ServerPort plain_port_{*this};
  std::vector<std::unique_ptr<ServerPort>> ports_;
  std::uint64_t date_turn_ = 0;
  std::int64_t date_second_ = 0;
  bool draining_ = false;
  bool full_ = false;  // listeners are paused
  Idle idle_ = Idle::close;
  RareLine refusals_{1000};
  RareLine full_lines_{10'000};
  MoveOnlyFunction<void()> on_empty_;
  char common_[server_size + date_size];
  http::RequestHead scratch_head_;
};

}  // namespace squall::server
