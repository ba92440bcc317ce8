// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/unread_messages.hpp"
#include "net/share.hpp"
#include "transport/websocket_connection.hpp"
#include "transport/websocket_delegate.hpp"
#include "transport/websocket_owner.hpp"
#include "websocket/deflate_negotiation.hpp"

#include <squall/base/function.hpp>
#include <squall/base/pool.hpp>
#include <squall/base/slow_consumer.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/waiter.hpp>
#include <squall/websocket/close_code.hpp>
#include <squall/websocket/message.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::client::detail {

/// What the handshake has agreed on.
class Agreement {
 public:
  Agreement() = default;
  std::string url;
  std::string head;  // the answer's
  std::string subprotocol;
  std::optional<websocket::DeflateParameters> deflate;
};

/// What stands behind a WebSocket: the connection, the messages that nobody has read, and who
/// waits. Counted: by the handle, by the connection, by the waits.
class WebSocketSession final : public net::detail::Counted<WebSocketSession>,
                               public squall::detail::Pooled,
                               private transport::WebSocketDelegate,
                               private transport::WebSocketOwner,
                               private squall::detail::ReadyNode {
 public:
  WebSocketSession(loop::LoopCore& loop, const transport::WebSocketOptions& options,
                   std::size_t max_unread_bytes, Agreement agreement);

  /// Takes the stream over, and what came behind the handshake.
  void start(loop::Stream& stream, std::string_view early);
  /// The handle is gone.
  void abandon() noexcept;

  // For the waits.
  [[nodiscard]] squall::detail::WaitList& readers() noexcept { return readers_; }
  [[nodiscard]] squall::detail::WaitList& drained() noexcept { return drained_; }
  [[nodiscard]] squall::detail::WaitList& closed() noexcept { return closed_; }
  /// Whether a read need not wait. Throws UsageError when there may be none now.
  bool try_read(Wanted what);
  void begin_read() noexcept { reading_ = true; }
  void end_read() noexcept { reading_ = false; }
  [[nodiscard]] bool has(Wanted what) const noexcept {
    return messages_ != nullptr && messages_->has(what);
  }
  /// There is one; make_room() is to follow.
  [[nodiscard]] websocket::Message take(Wanted what);
  /// Lets more messages come when few are left.
  void make_room();
  void request_drain_notice() noexcept;

  // For the handle.
  void on_message(MoveOnlyFunction<void(std::string_view, bool)> callback);
  void on_pong(MoveOnlyFunction<void(std::string_view)> callback) {
    pong_callback_ = std::move(callback);
  }
  void on_close(MoveOnlyFunction<void()> callback);
  SendResult send(websocket::Opcode opcode, std::string_view payload, std::string_view key);
  SendResult send_part(websocket::Opcode opcode, std::string_view piece, bool last);
  void close(websocket::CloseCode code, std::string_view reason);
  [[nodiscard]] std::size_t pending_bytes() const noexcept;
  [[nodiscard]] bool is_open() const noexcept {
    return connection_ != nullptr && connection_->is_open();
  }
  [[nodiscard]] bool is_over() const noexcept { return connection_ == nullptr; }
  [[nodiscard]] websocket::CloseCode close_code() const noexcept { return code_; }
  [[nodiscard]] const std::string& close_reason() const noexcept { return reason_; }
  [[nodiscard]] const Agreement& agreement() const noexcept { return agreement_; }

 private:
  friend net::detail::Counted<WebSocketSession>;
  ~WebSocketSession() = default;

  // transport::WebSocketDelegate
  bool on_message(bool binary, std::string_view payload) override;
  bool on_piece(bool binary, std::string_view piece, bool last) override;
  void on_ping(std::string_view payload) override;
  void on_pong(std::string_view payload) override;
  void on_drained() override;
  void on_close(websocket::CloseCode code, std::string_view reason) override;
  // transport::WebSocketOwner
  void on_end(transport::WebSocketConnection& connection) noexcept override;

  /// Whether nobody hears of messages any more.
  [[nodiscard]] bool is_deaf() const noexcept { return abandoned_ || (calls_back_ && closing_); }
  /// Adds to what waits to be read; returns whether more may come.
  bool keep(bool binary, std::string_view bytes, bool last);
  void want(Wanted what);
  /// Hands what waits to the callbacks, in a turn of the loop.
  void call_back() noexcept;
  void deliver(std::string_view message, bool binary) noexcept;
  void failed(const char* where, std::exception_ptr error) noexcept;

  transport::WebSocketConnection* connection_ = nullptr;
  std::unique_ptr<UnreadMessages> messages_;  // exists only while there are some
  squall::detail::WaitList readers_;
  squall::detail::WaitList drained_;
  squall::detail::WaitList closed_;
  MoveOnlyFunction<void(std::string_view, bool)> message_callback_;
  MoveOnlyFunction<void(std::string_view)> pong_callback_;
  MoveOnlyFunction<void()> close_callback_;
  std::size_t max_unread_bytes_;
  Agreement agreement_;
  std::string reason_;
  websocket::CloseCode code_ = websocket::CloseCode::none;
  Wanted wanted_ = Wanted::message;
  bool inside_ = false;      // pieces of a message were read, not the last
  bool reading_ = false;     // a read waits
  bool calls_back_ = false;  // messages go to a callback
  bool is_full_ = false;     // the connection holds messages back until some are read
  bool closing_ = false;     // the program has closed it
  bool abandoned_ = false;   // nobody wants messages any more
  bool in_loop_ = false;     // inside a call of the connection, which must not be deleted
};

}  // namespace squall::client::detail
