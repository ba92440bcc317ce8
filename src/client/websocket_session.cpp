// SPDX-License-Identifier: Apache-2.0
#include "client/websocket_session.hpp"

#include "base/logging.hpp"
#include "loop/loop_core.hpp"

#include <squall/base/error.hpp>

#include <utility>

namespace squall::client::detail {

using websocket::CloseCode;
using websocket::Message;

namespace {

/// Sets a flag for as long as it lives.
class Inside {
 public:
  explicit Inside(bool& flag) noexcept : flag_(flag), before_(std::exchange(flag, true)) {}
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { flag_ = before_; }

 private:
  bool& flag_;
  bool before_;
};

}  // namespace

WebSocketSession::WebSocketSession(loop::LoopCore& loop, const transport::WebSocketOptions& options,
                                   std::size_t max_unread_bytes, Agreement agreement)
    : WebSocketOwner(loop, options),
      ReadyNode([](ReadyNode& node) noexcept { static_cast<WebSocketSession&>(node).call_back(); }),
      max_unread_bytes_(max_unread_bytes),
      agreement_(std::move(agreement)) {}

void WebSocketSession::start(loop::Stream& stream, std::string_view early) {
  using transport::WebSocketConnection;
  connection_ =
      &WebSocketConnection::start(stream, WebSocketConnection::Role::client, *this, *this);
  retain();
  if (agreement_.deflate) connection_->set_deflate(*agreement_.deflate, options().compression);
  // Always in pieces: one that nobody reads yet may be larger than what may be held.
  connection_->set_streaming(true);
  connection_->resume();
  connection_->take_over(early);
}

// The close frame and what was written before it leave; what the server still sends is read and
// dropped by the stream alone, so that nothing is left of this but what waits.
void WebSocketSession::abandon() noexcept {
  abandoned_ = true;
  message_callback_ = nullptr;
  pong_callback_ = nullptr;
  close_callback_ = nullptr;
  ReadyNode::unlink();
  if (connection_ != nullptr) {
    connection_->fail(CloseCode::going_away, {});
    if (!in_loop_) connection_->abort_now();  // the stream is not its own any more
  }
  release();
}

// Reading.

bool WebSocketSession::try_read(Wanted what) {
  if (calls_back_) {
    throw UsageError("read() after on_message(): messages go to one of them");
  }
  if (reading_) {
    throw UsageError("another coroutine reads from this WebSocket: one read at a time");
  }
  if (what == Wanted::message && inside_) {
    throw UsageError("read() in the middle of a message: read_piece() up to its last piece first");
  }
  reading_ = true;
  want(what);
  reading_ = false;
  return has(what) || is_over();
}

// What has come of a message that is wanted whole may fill all the room: then the rest of it must
// come, too.
void WebSocketSession::want(Wanted what) {
  wanted_ = what;
  make_room();
}

Message WebSocketSession::take(Wanted what) {
  Message message = messages_->take(what);
  inside_ = what == Wanted::piece && !message.is_last();
  if (messages_->is_empty()) messages_.reset();
  return message;
}

void WebSocketSession::make_room() {
  if (!is_full_ || (has(wanted_) && messages_->bytes() > max_unread_bytes_ / 2)) return;
  is_full_ = false;
  if (connection_ != nullptr) connection_->resume();
}

bool WebSocketSession::on_message(bool binary, std::string_view payload) {
  return on_piece(binary, payload, true);
}

bool WebSocketSession::on_piece(bool binary, std::string_view piece, bool last) {
  if (is_deaf()) return true;
  if (calls_back_ && messages_ == nullptr && last) {
    deliver(piece, binary);
    return true;
  }
  return keep(binary, piece, last);
}

bool WebSocketSession::keep(bool binary, std::string_view bytes, bool last) {
  if (messages_ == nullptr) messages_ = std::make_unique<UnreadMessages>();
  messages_->add(bytes, binary, last);
  const bool is_there = has(wanted_);
  if (is_there) readers_.grant_all();
  if (calls_back_ && is_there) core().make_ready(*this);
  // Whoever waits for a whole message gets it, up to max_message_bytes.
  const bool must_come = closing_ || (!is_there && (reading_ || calls_back_));
  is_full_ = !must_come && messages_->bytes() > max_unread_bytes_;
  return !is_full_;
}

void WebSocketSession::deliver(std::string_view message, bool binary) noexcept {
  const net::detail::Share<WebSocketSession> self(this);
  const Inside inside(in_loop_);
  // It may set another one, or drop the handle, and is not to be destroyed under its own feet.
  MoveOnlyFunction<void(std::string_view, bool)> callback = std::move(message_callback_);
  try {
    callback(message, binary);
  } catch (...) {
    failed("on_message", std::current_exception());
  }
  if (!message_callback_ && !abandoned_) message_callback_ = std::move(callback);
}

void WebSocketSession::on_message(MoveOnlyFunction<void(std::string_view, bool)> callback) {
  if (reading_) throw UsageError("on_message() while a coroutine reads from this WebSocket");
  if (inside_) {
    throw UsageError("on_message() in the middle of a message: read_piece() up to its last piece");
  }
  message_callback_ = std::move(callback);
  calls_back_ = static_cast<bool>(message_callback_);
  if (calls_back_) want(Wanted::message);
  if (messages_ != nullptr) core().make_ready(*this);
}

void WebSocketSession::call_back() noexcept {
  const net::detail::Share<WebSocketSession> self(this);
  while (calls_back_ && has(Wanted::message) && !closing_ && !abandoned_) {
    const Message message = take(Wanted::message);
    deliver(message, message.is_binary());
    make_room();
  }
  if (calls_back_ && (closing_ || is_over())) messages_.reset();
  if (!is_over() || abandoned_ || !close_callback_) return;
  MoveOnlyFunction<void()> callback = std::move(close_callback_);
  try {
    callback();
  } catch (...) {
    failed("on_close", std::current_exception());
  }
}

void WebSocketSession::failed(const char* where, std::exception_ptr error) noexcept {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "a WebSocket client's {} threw: {}", where, what.what());
  } catch (...) {
    log::format(log::Level::error, "app", "a WebSocket client's {} threw something unknown", where);
  }
  if (connection_ != nullptr) connection_->close(CloseCode::internal_error, {});
}

void WebSocketSession::on_ping(std::string_view) {}

void WebSocketSession::on_pong(std::string_view payload) {
  if (!pong_callback_ || abandoned_) return;
  const net::detail::Share<WebSocketSession> self(this);
  const Inside inside(in_loop_);
  MoveOnlyFunction<void(std::string_view)> callback = std::move(pong_callback_);
  try {
    callback(payload);
  } catch (...) {
    failed("on_pong", std::current_exception());
  }
  if (!pong_callback_ && !abandoned_) pong_callback_ = std::move(callback);
}

// Writing.

SendResult WebSocketSession::send(websocket::Opcode opcode, std::string_view payload,
                                  std::string_view key) {
  if (connection_ == nullptr) return SendResult::closed;
  return connection_->send(opcode, payload, key);
}

SendResult WebSocketSession::send_part(websocket::Opcode opcode, std::string_view piece,
                                       bool last) {
  return connection_ != nullptr ? connection_->send_part(opcode, piece, last) : SendResult::closed;
}

std::size_t WebSocketSession::pending_bytes() const noexcept {
  return connection_ != nullptr ? connection_->pending_bytes() : 0;
}

void WebSocketSession::request_drain_notice() noexcept {
  if (connection_ != nullptr) connection_->request_drain_notice();
}

void WebSocketSession::on_drained() { drained_.grant_all(); }

// The end.

void WebSocketSession::close(CloseCode code, std::string_view reason) {
  if (connection_ == nullptr) return;
  // What has come stays to be read, also what the connection holds back.
  closing_ = true;
  connection_->resume();
  connection_->close(code, reason);
}

void WebSocketSession::on_close(MoveOnlyFunction<void()> callback) {
  close_callback_ = std::move(callback);
  if (is_over() && close_callback_) core().make_ready(*this);
}

void WebSocketSession::on_close(CloseCode code, std::string_view reason) {
  connection_ = nullptr;
  code_ = code;
  reason_ = reason;
  readers_.grant_all();
  drained_.close();
  closed_.grant_all();
  if (close_callback_ && !abandoned_) core().make_ready(*this);
}

void WebSocketSession::on_end(transport::WebSocketConnection&) noexcept { release(); }

}  // namespace squall::client::detail
