// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/slow_consumer.hpp>
#include <squall/web/detail/handler_type.hpp>
#include <squall/web/detail/hub_fwd.hpp>
#include <squall/web/message_awaiter.hpp>
#include <squall/web/output_awaiter.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/shared_message.hpp>
#include <squall/websocket/close_code.hpp>
#include <squall/websocket/compression_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall::web {

class WebSocketSession;

using squall::SendResult;
using websocket::Message;
using websocket::OptionalMessage;

struct MessageOptions {
  /// With SlowConsumer::conflate: the message takes the place of one that waits with this key.
  std::string_view key = {};
  bool binary = false;
};

/// Base of the classes that talk over a WebSocket (RFC 6455): one object a connection.
///
/// Define what you need of
///
///     void open();                                   // or with the route's path arguments
///     void on_message(std::string_view message);     // or (std::string_view message, bool binary)
///     void on_close();                               // exactly once, after open(), whatever
///     happened
///
/// open and on_message may be coroutines (`Task<>`); messages are handed over one at a time, and
/// wait while one is being handled, pings do not. on_close() never runs inside a call you make,
/// such as write_message(); the object is deleted after it. An exception in open or on_message
/// closes the connection with 1011.
///
/// In place of on_message, open() may be a coroutine that reads:
///
///     Task<> open() {
///       for (;;) {
///         auto message = co_await read();
///         if (!message) break;  // no more will come
///         write_message(*message);
///       }
///     }
///
/// When such an open() returns, the connection is closed with 1000. The client's end shows as an
/// empty read(); if open() waits for something else then, that ends with CancelledError.
///
/// The request (headers, arguments, cookies) may be used until open() has ended; then its memory is
/// given back, unless keep_request() was called.
class WebSocketHandler : public RequestHandler {
 public:
  ~WebSocketHandler() override;

  // Hooks.

  /// Whether a page of `origin` may connect. The default says yes to the same host and to
  /// Settings::websocket_allowed_origins; requests without Origin (not from browsers) are not
  /// asked.
  [[nodiscard]] virtual bool check_origin(std::string_view origin);
  /// Chooses among the subprotocols that the client offers; "" for none. Another answer is a
  /// UsageError.
  [[nodiscard]] virtual std::string_view select_subprotocol(
      const std::vector<std::string_view>& offered);
  /// How messages of this connection are compressed, if the client agrees; asked before open().
  /// The default is Settings::websocket_compression.
  [[nodiscard]] virtual websocket::CompressionOptions get_compression_options();
  virtual void on_ping(std::string_view data);
  virtual void on_pong(std::string_view data);

  // In open(), where there is no on_message(); a UsageError elsewhere.

  /// `auto message = co_await read();`, an OptionalMessage, empty once no more will come.
  /// Others wait meanwhile, and past Settings::websocket_max_queue the client does. One reader at a
  /// time.
  [[nodiscard]] MessageAwaiter read() {
    return MessageAwaiter(session_, MessageAwaiter::What::message);
  }
  /// The same of the next piece of a message, as it came, so that a large one need not be held
  /// whole: Message::is_last() tells its end. Settings::websocket_max_message_size is for all of
  /// it; set_max_message_size() changes that.
  [[nodiscard]] MessageAwaiter read_piece() {
    return MessageAwaiter(session_, MessageAwaiter::What::piece);
  }
  /// Of messages that begin from now on: bytes before and after inflation; past it 1009.
  void set_max_message_size(std::size_t bytes) noexcept;

  // From anywhere on the loop.

  /// Sends a message to the client. Never blocks and never throws for a client that has left.
  SendResult write_message(std::string_view message, bool binary = false);
  SendResult write_message(std::string_view message, const MessageOptions& options);
  /// Sends back what was read.
  SendResult write_message(const Message& message) {
    return write_message(std::string_view(message), message.is_binary());
  }
  /// Sends a message that goes to many.
  SendResult write_message(const SharedMessage& message, std::string_view key = {});
  /// Sends a message in pieces, each at once as a frame; the first after a last one begins it. They
  /// are never dropped: `co_await drained()` between them. Other messages wait for the last.
  SendResult write_piece(std::string_view piece, bool last, bool binary = false);
  /// What becomes of messages when this client reads too slowly, in place of
  /// Settings::websocket_slow_consumer; and what may wait, unless it is zero, in place of
  /// Settings::websocket_max_queue. In open() or later.
  void set_slow_consumer(SlowConsumer policy, std::size_t max_bytes = 0);
  template <JSONDocument T>
  SendResult write_message(const T& document) {
    return write_json_message(document);
  }
  /// Sends a ping of at most 125 bytes; a UsageError past that.
  SendResult ping(std::string_view data = {});
  /// Begins the close handshake; on_close() follows. `reason` is cut at 123 bytes. A UsageError
  /// when the code may not be sent (RFC 6455 §7.4).
  void close(int code = 1000, std::string_view reason = {});

  // With a hub, of <squall/realtime.hpp>. HubSocketHandler does more: it has a protocol.

  /// Sends what is published on the channel as messages, until the connection ends; awaited or not.
  /// When publications were lost the connection is closed with 1012, so that the client begins
  /// anew. In open() or later.
  HubSubscription subscribe(realtime::Hub& hub, std::string_view channel);
  HubSubscription subscribe(realtime::Hub& hub, std::string_view channel,
                            const realtime::SubscribeOptions& options);
  /// False when there is no such subscription.
  bool unsubscribe(realtime::Hub& hub, std::string_view channel);

  /// Whether messages can still be sent.
  [[nodiscard]] bool is_open() const noexcept;
  /// Bytes that wait for this client.
  [[nodiscard]] std::size_t pending_bytes() const noexcept;
  /// `co_await drained();` waits until they are none; throws StreamClosedError when the connection
  /// ends.
  [[nodiscard]] OutputAwaiter drained() noexcept;

  /// In on_close(): the peer's code, or why we closed, or 1006 when there was no handshake.
  [[nodiscard]] int close_code() const noexcept;
  [[nodiscard]] std::string_view close_reason() const noexcept;
  [[nodiscard]] std::string_view selected_subprotocol() const noexcept;

  /// Called in open(): keeps request() usable for as long as the connection lives, at the price of
  /// its memory (two kilobytes and the head).
  void keep_request() noexcept;

 private:
  friend class WebSocketSession;
  SendResult write_json_message(const json::value& document);
  SendResult write_json_message(const json::object& document);
  SendResult write_json_message(const json::array& document);

  WebSocketSession* session_ = nullptr;
};

namespace detail {

template <class T>
constexpr SocketType describe_socket() {
  SocketType made;
  if constexpr (requires { &T::open; }) made.open = MemberVerb<T, &T::open>::entry;
  if constexpr (requires(T & socket, std::string_view message) {
                  socket.on_message(message, true);
                }) {
    using R = decltype(std::declval<T&>().on_message(std::string_view(), true));
    if constexpr (is_task<R>) {
      made.message_coroutine = [](WebSocketHandler& handler, std::string_view message,
                                  bool binary) -> Task<> {
        return static_cast<T&>(handler).on_message(message, binary);
      };
    } else {
      made.message_plain = [](WebSocketHandler& handler, std::string_view message, bool binary) {
        static_cast<T&>(handler).on_message(message, binary);
      };
    }
  } else if constexpr (
      requires(T & socket, std::string_view message) { socket.on_message(message); } ||
      requires(T & socket, std::string message) { socket.on_message(std::move(message)); }) {
    constexpr auto call = [](WebSocketHandler& handler, std::string_view message) {
      if constexpr (requires(T & socket) { socket.on_message(message); }) {
        return static_cast<T&>(handler).on_message(message);
      } else {
        return static_cast<T&>(handler).on_message(std::string(message));
      }
    };
    using R = decltype(call(std::declval<WebSocketHandler&>(), std::string_view()));
    if constexpr (is_task<R>) {
      made.message_coroutine = [](WebSocketHandler& handler, std::string_view message,
                                  bool) -> Task<> { return decltype(call)()(handler, message); };
    } else {
      made.message_plain = [](WebSocketHandler& handler, std::string_view message, bool) {
        decltype(call)()(handler, message);
      };
    }
  }
  if constexpr (requires(T & socket) { socket.on_close(); }) {
    made.close = [](WebSocketHandler& handler) { static_cast<T&>(handler).on_close(); };
  }
  return made;
}

template <class T>
requires std::is_base_of_v<WebSocketHandler, T>
struct Describe<T> {
  static constexpr SocketType socket = describe_socket<T>();
  static constexpr HandlerType make() {
    HandlerType made = describe_handler<T>();
    made.socket = &socket;
    return made;
  }
  static constexpr HandlerType type = make();
};

}  // namespace detail
}  // namespace squall::web
