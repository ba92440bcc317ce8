// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/stream.hpp"
#include "server/connection_list.hpp"
#include "server/exchange.hpp"
#include "websocket/frame.hpp"
#include "websocket/message_parser.hpp"

#include <squall/coro/detail/scheduler.hpp>
#include <squall/websocket/close_code.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace squall::server {

class HTTPServer;

/// The server's end of one WebSocket (RFC 6455). It deletes itself after
/// WebSocketDelegate::on_close().
///
/// Idle, it owns no buffer. Control frames are answered as they come, also while the delegate is
/// busy with a message; messages wait meanwhile, and past a limit the client waits. What came
/// before the client's close is handed over before on_close(), for at most
/// ServerOptions::close_timeout.
class WebSocketConnection final : public Connection,
                                  private loop::StreamHandler,
                                  private detail::ReadyNode {
 public:
  enum class SendResult : std::uint8_t {
    sent,      ///< queued for the end of the turn
    closed,    ///< the connection is closing or closed; nothing was queued
    overflow,  ///< more waits than the limit allows: the client is too slow and is disconnected
  };

  static WebSocketConnection& start(HTTPServer& server, loop::Stream& stream,
                                    WebSocketDelegate& delegate);

  SendResult send(websocket::Opcode opcode, std::string_view payload);
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
  void drain() override;
  void abort_now() noexcept override;

 private:
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

  WebSocketConnection(HTTPServer& server, loop::Stream& stream,
                      WebSocketDelegate& delegate) noexcept;
  ~WebSocketConnection() override = default;

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
  void write_frame(websocket::Opcode opcode, std::string_view payload);
  void write_close(websocket::CloseCode code, std::string_view reason);
  void end(websocket::CloseCode code, std::string_view reason);
  void report_end() noexcept;
  [[nodiscard]] std::size_t backlog_limit() const noexcept;

  HTTPServer& server_;
  loop::Stream* stream_;
  WebSocketDelegate& delegate_;
  websocket::MessageParser parser_;
  std::unique_ptr<Backlog> backlog_;
  std::unique_ptr<std::string> reason_;
  websocket::CloseCode code_ = websocket::CloseCode::abnormal;
  State state_ = State::open;
  bool busy_ : 1 = true;  // the delegate does not take messages now
  bool delivering_ : 1 = false;
  bool peer_ended_ : 1 = false;  // code_ and reason_ are the peer's; its messages are handled first
  bool answer_close_ : 1 = false;       // ... and its close frame answered then
  bool waiting_for_drain_ : 1 = false;  // reading is paused until our own output has gone
};

}  // namespace squall::server
