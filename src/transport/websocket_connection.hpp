// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/stream.hpp"
#include "transport/websocket_delegate.hpp"
#include "websocket/frame.hpp"
#include "websocket/message_parser.hpp"

#include <squall/base/pool.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/websocket/close_code.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace squall::transport {

class WebSocketOwner;
struct WebSocketOptions;

/// One end of one WebSocket (RFC 6455), after the handshake. It deletes itself after
/// WebSocketDelegate::on_close().
///
/// Idle, it owns no buffer. Control frames are answered as they come, also while the delegate is
/// busy with a message; messages wait meanwhile, and past a limit the peer waits. What came
/// before the peer's close is handed over before on_close(), for at most
/// WebSocketOptions::close_timeout.
class WebSocketConnection final : private loop::StreamHandler,
                                  private squall::detail::ReadyNode,
                                  public squall::detail::Pooled {
 public:
  enum class SendResult : std::uint8_t {
    sent,      ///< queued for the end of the turn
    closed,    ///< the connection is closing or closed; nothing was queued
    overflow,  ///< more waits than the limit allows: the peer is too slow and is disconnected
  };

  using Role = websocket::MessageParser::Role;

  /// Takes the stream over. Messages are held back until resume(). What came behind the handshake
  /// already is to be given to take_over().
  static WebSocketConnection& start(loop::Stream& stream, Role role, WebSocketOwner& owner,
                                    WebSocketDelegate& delegate);

  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

  /// A whole message, a ping or a pong. Not between the parts of a message, but for the latter.
  SendResult send(websocket::Opcode opcode, std::string_view payload);
  /// A part of a message of this kind, as a frame of its own; the first after the last begins one.
  SendResult send_part(websocket::Opcode opcode, std::string_view payload, bool last);
  /// Begins the close handshake (RFC 6455 §7.1.2); on_close() comes with its end. CloseCode::none
  /// sends an empty close frame. A reason past 123 bytes is cut at a character.
  void close(websocket::CloseCode code, std::string_view reason);
  /// Drops the connection; on_close() comes with `code`.
  void fail(websocket::CloseCode code, std::string_view reason);
  /// The delegate takes messages (again).
  void resume();

  [[nodiscard]] bool is_open() const noexcept { return state_ == State::open; }
  [[nodiscard]] std::size_t pending_bytes() const noexcept {
    return stream_ != nullptr ? stream_->pending_bytes() : 0;
  }
  void request_drain_notice() noexcept {
    if (stream_ != nullptr) stream_->request_drain_notice();
  }

  /// First bytes, which came with the handshake.
  void take_over(std::string_view bytes);
  /// Ends it at once; on_close() comes within the call.
  void abort_now() noexcept;

  /// The owner's, which may keep a number with each connection.
  [[nodiscard]] std::uint64_t tag() const noexcept { return tag_; }
  void set_tag(std::uint64_t tag) noexcept { tag_ = tag; }

 private:
  friend class WebSocketOwner;

  enum class State : std::uint8_t {
    open,        // both ways
    close_sent,  // our close frame is out; theirs is awaited
    closed,      // the stream is gone; on_close() is still to come
  };
  struct Waiting {
    bool binary;
    std::string payload;
  };
  /// Messages that came while the delegate was busy; exists only then.
  struct Backlog {
    std::deque<Waiting> messages;
    std::size_t bytes = 0;
  };

  WebSocketConnection(loop::Stream& stream, Role role, WebSocketOwner& owner,
                      WebSocketDelegate& delegate) noexcept;
  ~WebSocketConnection() = default;

  // loop::StreamHandler
  void on_receive(std::span<char> bytes) override;
  void on_eof() override;
  void on_drained() override;
  void on_timeout() override;
  void on_broken(std::error_code error) override;

  void handle(const websocket::MessageParser::Event& event);
  void peer_ends(websocket::CloseCode code, std::string_view reason, bool handshake);
  void deliver(bool binary, std::string_view payload);
  void deliver_backlog();
  void limit_reading();
  [[nodiscard]] bool has_room();
  void write_frame(websocket::Opcode opcode, std::string_view payload, bool fin = true);
  void write_masked_frame(websocket::Opcode opcode, std::string_view payload, bool fin);
  void write_close(websocket::CloseCode code, std::string_view reason);
  void end(websocket::CloseCode code, std::string_view reason);
  void report_end() noexcept;
  [[nodiscard]] const WebSocketOptions& options() const noexcept;
  [[nodiscard]] std::string_view area() const noexcept;

  WebSocketOwner& owner_;
  WebSocketConnection* next_ = nullptr;
  WebSocketConnection* previous_ = nullptr;
  std::uint64_t tag_ = 0;
  loop::Stream* stream_;
  WebSocketDelegate& delegate_;
  websocket::MessageParser parser_;
  std::unique_ptr<Backlog> backlog_;
  std::unique_ptr<std::string> reason_;
  websocket::CloseCode code_ = websocket::CloseCode::abnormal;
  Role role_;
  State state_ = State::open;
  bool busy_ : 1 = true;  // the delegate does not take messages now
  bool delivering_ : 1 = false;
  bool peer_ended_ : 1 = false;  // code_ and reason_ are the peer's; its messages are handled first
  bool answer_close_ : 1 = false;       // ... and its close frame answered then
  bool waiting_for_drain_ : 1 = false;  // reading is paused until our own output has gone
  bool in_parts_ : 1 = false;           // a message that is sent in parts is not at its end
};

}  // namespace squall::transport
