// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/function.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>
#include <squall/base/slow_consumer.hpp>
#include <squall/client/client_error.hpp>
#include <squall/client/detail/websocket_awaiters.hpp>
#include <squall/coro/task.hpp>
#include <squall/websocket/compression_options.hpp>
#include <squall/websocket/message.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace squall::net {
class TLSContext;
}

namespace squall::client {

/// A header field of a request, as views.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// How a WebSocket is opened and treated. Views are copied before websocket_connect() returns.
struct WebSocketOptions {
  /// More fields of the request: Authorization, Cookie, ... Those of the handshake itself
  /// (Host, Upgrade, Sec-WebSocket-Key, ...) are a UsageError.
  std::span<const HeaderField> headers = {};
  std::string_view subprotocols = {};  ///< to offer, the preferred first, commas between them
  std::string_view origin = {};        ///< the Origin field; browsers send one, programs need not
  /// Basic authentication (RFC 7617), in place of user and password of the URL. A UsageError beside
  /// an Authorization field, or with a colon in the name.
  std::string_view username = {};
  std::string_view password = {};
  websocket::CompressionOptions compression = {};

  /// A ping after this long, and again; zero: none. Without anything from the server within
  /// `ping_timeout` of a ping (zero: the interval) the connection is over, with 1006.
  Duration ping_interval = {};
  Duration ping_timeout = {};

  /// For everything until the server has agreed: addresses, TCP, proxy, TLS, redirects, the
  /// handshake. Zero or less: no limit.
  Duration connect_timeout = Duration::from_seconds(20);
  /// For the server's answer to our close frame.
  Duration close_timeout = Duration::from_seconds(5);

  /// A longer message from the server closes the connection with 1009.
  std::size_t max_message_bytes = limits::websocket_message_bytes;
  /// Messages that wait to be read; past it the client stops receiving, so that the server waits.
  std::size_t max_unread_bytes = limits::websocket_unread_bytes;
  /// Output that waits for the server, and what happens past it.
  std::size_t max_queue_bytes = limits::websocket_queue_bytes;
  SlowConsumer slow_consumer = SlowConsumer::disconnect;

  /// Answers of 301, 302, 303, 307 and 308 to follow, to ws, wss, http or https, but never from TLS
  /// to a connection without. Authorization and Cookie do not go to another origin.
  std::uint16_t max_redirects = 5;

  /// `http://user:password@host:port` (CONNECT) or `socks5://...`; "" for none.
  std::string_view proxy = {};
  /// Without `proxy`: that of the environment's http_proxy, https_proxy, all_proxy, no_proxy.
  bool proxy_from_environment = false;

  std::string_view source_ip = {};  ///< a literal address of this host; "" leaves the choice to it

  /// For wss; by default one that trusts the system's store. Connects that share one also resume
  /// sessions.
  const net::TLSContext* tls = nullptr;
  /// Without `tls`: whom to trust in place of the system's store, and what to show to servers that
  /// ask who this is; PEM files, read by each call. "" for `key_file` looks in `certificate_file`.
  std::string_view ca_file = {};
  std::string_view certificate_file = {};
  std::string_view key_file = {};
  /// Without `tls`: false takes any certificate, which protects from nobody on the way.
  bool verify_certificate = true;
};
static_assert(std::is_trivially_destructible_v<WebSocketOptions>);

class WebSocket;

/// Opens a WebSocket to `url`: ws:// or wss:// (http:// and https:// mean the same). Throws
/// WebSocketConnectError, and at once std::system_error for a bad file of the options, UsageError
/// for options that cannot be. User and password in the URL are sent with Basic authentication.
/// A wait that is cancelled leaves nothing behind.
[[nodiscard]] Task<WebSocket> websocket_connect(std::string_view url,
                                                const WebSocketOptions& options = {});
/// The same; failures are values, with what WebSocketConnectError::code() tells.
[[nodiscard]] Task<Result<WebSocket>> try_websocket_connect(std::string_view url,
                                                            const WebSocketOptions& options = {});

/// The client's end of a WebSocket (RFC 6455).
///
/// A move-only handle that belongs to the loop on which it was made. Dropping it closes the
/// connection in order, with 1001; what was written still leaves. Messages are either read, in a
/// coroutine,
///
///     for (;;) {
///       const auto message = co_await socket.read();
///       if (!message) break;  // the end; close_code() tells why
///       socket.write_message(*message);
///     }
///
/// or handed to on_message(). Pings are answered without the program's help, whatever it does, as
/// long as there is room for messages.
class WebSocket {
 public:
  /// One that is closed.
  WebSocket() noexcept = default;
  WebSocket(WebSocket&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
  WebSocket& operator=(WebSocket&& other) noexcept;
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket();

  // Reading.

  /// Waits for the next message; empty at the end of the connection, after the last one. What came
  /// before a close on either side can still be read. One read at a time; a second one is a
  /// UsageError, as is one after on_message(). A wait that is cancelled has taken no message.
  [[nodiscard]] detail::MessageAwaiter read() noexcept {
    return {session_, detail::Wanted::message};
  }
  /// For at most `timeout`, then throws TimeoutError; zero only looks.
  [[nodiscard]] detail::MessageAwaiter read(Duration timeout) noexcept {
    return {session_, detail::Wanted::message, timeout};
  }
  /// The same of the next piece of a message, as it came, so that a large one need not be held
  /// whole: Message::is_last() tells its end. WebSocketOptions::max_message_bytes is for all of a
  /// message. A read() in the middle of one is a UsageError.
  [[nodiscard]] detail::MessageAwaiter read_piece() noexcept {
    return {session_, detail::Wanted::piece};
  }
  [[nodiscard]] detail::MessageAwaiter read_piece(Duration timeout) noexcept {
    return {session_, detail::Wanted::piece, timeout};
  }
  /// Has `callback` called with each message, also those that came before it was set, in turns of
  /// the loop to come. The bytes are gone when it returns. The handle may be dropped in it. What it
  /// throws is logged, and closes the connection with 1011. A UsageError while a read waits.
  void on_message(MoveOnlyFunction<void(std::string_view message, bool binary)> callback);
  void on_pong(MoveOnlyFunction<void(std::string_view data)> callback);
  /// Has `callback` called once when the connection is over, after the last on_message(); soon when
  /// it is over already. Not when the handle is dropped first.
  void on_close(MoveOnlyFunction<void()> callback);

  // Writing.

  /// Queues a message; it leaves at the end of the loop's turn. Never blocks and never throws for a
  /// server that has gone. `key` tells SlowConsumer::conflate what it may take the place of.
  SendResult write_message(std::string_view message, bool binary = false,
                           std::string_view key = {});
  SendResult write_message(const websocket::Message& message) {
    return write_message(message, message.is_binary(), {});
  }
  /// Sends a message in pieces, each at once as a frame; the first after a last one begins it. They
  /// are never dropped: `co_await drained()` between them. Other messages wait for the last.
  SendResult write_piece(std::string_view piece, bool last, bool binary = false);
  /// Sends a ping of at most 125 bytes; a UsageError past that.
  SendResult ping(std::string_view data = {});
  /// Bytes that wait for the server.
  [[nodiscard]] std::size_t pending_bytes() const noexcept;
  /// Waits until they are none; throws WebSocketClosedError when the connection ends first.
  [[nodiscard]] detail::DrainedAwaiter drained() noexcept {
    return detail::DrainedAwaiter(session_);
  }

  // Closing.

  /// Begins the close handshake. What had come stays to be read, with what the last receive brought
  /// past max_unread_bytes; what comes from now on is dropped, and on_message() is not called any
  /// more. `reason` is cut at 123 bytes. A UsageError when the code may not be sent (RFC 6455
  /// §7.4).
  void close(int code = 1000, std::string_view reason = {});
  /// Waits until the connection is over; gives close_code(). Any number may wait.
  [[nodiscard]] detail::ClosedAwaiter closed() noexcept { return detail::ClosedAwaiter(session_); }
  /// Whether messages can still be sent.
  [[nodiscard]] bool is_open() const noexcept;
  /// Once it is over: the server's code, or why this side has closed, or 1006 when there was no
  /// handshake; 1005 for a close frame without a code. 0 before.
  [[nodiscard]] int close_code() const noexcept;
  [[nodiscard]] std::string_view close_reason() const noexcept;

  // What was agreed on.

  /// The subprotocol that the server chose; "" for none.
  [[nodiscard]] std::string_view subprotocol() const noexcept;
  /// Whether messages may be compressed.
  [[nodiscard]] bool is_compressed() const noexcept;
  /// Where it leads to, after redirects; without user and password.
  [[nodiscard]] std::string_view url() const noexcept;
  /// A field of the server's answer; "" when there is none.
  [[nodiscard]] std::string_view response_header(std::string_view name) const noexcept;

  /// For the library.
  explicit WebSocket(detail::WebSocketSession* session) noexcept : session_(session) {}

 private:
  detail::WebSocketSession* session_ = nullptr;
};

}  // namespace squall::client
