// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/function.hpp>
#include <squall/base/limits.hpp>
#include <squall/coro/task.hpp>
#include <squall/loop/unique_fd.hpp>
#include <squall/net/address.hpp>
#include <squall/net/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

namespace squall::net {

struct TCPListenOptions {
  std::string_view address = {};  ///< a name or a literal; "" for all interfaces, IPv4 and IPv6
  int backlog = limits::listen_backlog;
  bool reuse_port = false;  ///< SO_REUSEPORT: servers of several loops or processes share the port
};
static_assert(std::is_trivially_destructible_v<TCPListenOptions>);

/// Accepts connections and serves each with a coroutine of its own.
///
/// Derive from it and override handle_stream(), or give it a function. It belongs to one loop; for
/// several, make one on each with `reuse_port`, or bind sockets and fork (fork_processes()). It
/// owns the handlers that run: destroying it ends them where they wait, so it must not be destroyed
/// by one of them. Handlers that touch members of a derived class on their way out need end_all()
/// in that class's destructor.
class TCPServer {
 public:
  using Handler = MoveOnlyFunction<Task<>(Stream, SocketAddress)>;

  TCPServer();
  explicit TCPServer(Handler handler);
  /// Every connection begins with a TLS handshake; its handler runs when that is done. Handshakes
  /// that fail are logged at debug level only: port scanners see to that they never end.
  explicit TCPServer(const TLSContext& tls);
  TCPServer(Handler handler, const TLSContext& tls);
  TCPServer(const TCPServer&) = delete;
  TCPServer& operator=(const TCPServer&) = delete;
  virtual ~TCPServer();

  /// Begins to accept and gives the port, which is a free one for 0; may be called again for
  /// others. Throws std::system_error that names the address.
  std::uint16_t listen(std::uint16_t port, const TCPListenOptions& options = {});
  /// The same on a unix socket; see bind_unix_socket().
  void listen_unix(std::string_view path, unsigned mode = 0600,
                   int backlog = limits::listen_backlog);
  /// Sockets that listen already, as bind_sockets() makes them.
  void add_socket(UniqueFd socket);
  void add_sockets(std::vector<UniqueFd> sockets);

  /// Connections past this number wait in the kernel until others end; some that were accepted
  /// together may be beyond. limits::server_connections by default.
  void set_max_connections(std::size_t count) noexcept;

  /// Stops accepting and closes the listening sockets; handlers that run go on. A second time does
  /// nothing. listen() may be called again.
  void stop() noexcept;
  /// Asks all handlers to stop: what they await ends with CancelledError. Does not wait.
  void close_all() noexcept;
  /// Stops accepting, gives the handlers `grace` to end, then calls close_all(), and waits until
  /// they have ended.
  [[nodiscard]] Task<> drain(Duration grace);
  /// Connections whose handshake or handler has not ended.
  [[nodiscard]] std::size_t connections() const noexcept;

 protected:
  /// Serves one connection, which is closed when the Stream ends. What it throws is one line in the
  /// log; disconnections (is_disconnect()), read time-outs and CancelledError are none. Without an
  /// override the constructor's function is called.
  virtual Task<> handle_stream(Stream stream, SocketAddress peer);
  /// Destroys all handlers where they wait.
  void end_all() noexcept;

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace squall::net
