// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/head_parser.hpp"
#include "loop/loop_core.hpp"
#include "net/listener.hpp"
#include "server/connection_list.hpp"
#include "server/exchange.hpp"

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
  std::size_t max_message_bytes = limits::websocket_message_bytes;
  std::size_t max_queue_bytes = limits::websocket_queue_bytes;
  Duration head_timeout = Duration::from_seconds(10);   ///< from a head's first byte to its last
  Duration idle_timeout = Duration::from_seconds(75);   ///< between two requests
  Duration write_timeout = Duration::from_seconds(60);  ///< without the client taking a byte
  Duration close_timeout = Duration::from_seconds(5);   ///< for the answer to a WebSocket close
};

class HTTPServer;

/// How the connections of one listening socket are served. It lives as long as its server.
struct ServerPort final : net::Listener::Receiver {
  explicit ServerPort(HTTPServer& owner) noexcept : server(owner) {}
  void on_connection(UniqueFd fd, const net::SocketAddress& peer) override;

  HTTPServer& server;
  net::TLSContext tls;                 // empty: without TLS
  ServerDelegate* delegate = nullptr;  // in place of the server's
  std::unique_ptr<net::Listener> listener;
};

/// Serves HTTP on one loop: owns its listeners and knows its connections.
class HTTPServer final {
 public:
  HTTPServer(loop::LoopCore& core, ServerDelegate& delegate, const ServerOptions& options);
  HTTPServer(const HTTPServer&) = delete;
  HTTPServer& operator=(const HTTPServer&) = delete;
  /// Breaks what is still open.
  ~HTTPServer();

  /// Accepts connections of a listening socket; with TLS when there is a context for it. A delegate
  /// stands in for the server's.
  void add_socket(UniqueFd socket, net::TLSContext tls = {}, ServerDelegate* delegate = nullptr);
  /// Closes the listening sockets.
  void stop_accepting() noexcept;
  /// Stops accepting, closes idle connections and WebSockets (1001), and lets requests finish.
  void drain();
  /// Breaks all connections, now.
  void abort_all() noexcept;
  [[nodiscard]] std::size_t connection_count() const noexcept { return connections_.size(); }
  /// Calls `function` once, when the last connection goes.
  void set_empty_callback(MoveOnlyFunction<void()> function) noexcept {
    on_empty_ = std::move(function);
  }

  // For connections.
  [[nodiscard]] loop::LoopCore& core() const noexcept { return core_; }
  [[nodiscard]] ServerDelegate& delegate() const noexcept { return delegate_; }
  /// Without a socket, for connections that come from elsewhere.
  [[nodiscard]] ServerPort& plain_port() noexcept { return plain_port_; }
  [[nodiscard]] const ServerOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool is_draining() const noexcept { return draining_; }
  /// Where heads are parsed; overwritten by the next one on this loop.
  [[nodiscard]] http::RequestHead& scratch_head() noexcept { return scratch_head_; }
  /// "Server: ...CRLF", then "Date: ...CRLF" of this second.
  [[nodiscard]] std::string_view server_field() const noexcept { return {common_, server_size}; }
  [[nodiscard]] std::string_view date_field() noexcept;
  /// Both, one after the other.
  [[nodiscard]] std::string_view common_fields() noexcept;
  void add(Connection& connection) noexcept { connections_.add(connection); }
  void remove(Connection& connection) noexcept;

 private:
  static constexpr std::string_view server_line = "Server: Squall\r\n";
  static constexpr std::string_view date_name = "Date: ";
  static constexpr std::size_t server_size = server_line.size();
  static constexpr std::size_t date_size = date_name.size() + 29 + 2;

  void update_date() noexcept;

  loop::LoopCore& core_;
  ServerDelegate& delegate_;
  ServerOptions options_;
  ConnectionList connections_;
  ServerPort plain_port_{*this};
  std::vector<std::unique_ptr<ServerPort>> ports_;
  std::uint64_t date_turn_ = 0;
  std::int64_t date_second_ = 0;
  bool draining_ = false;
  MoveOnlyFunction<void()> on_empty_;
  char common_[server_size + date_size];
  http::RequestHead scratch_head_;
};

}  // namespace squall::server
