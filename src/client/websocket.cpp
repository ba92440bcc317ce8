// SPDX-License-Identifier: Apache-2.0
#include "client/websocket_session.hpp"
#include "http/response_head.hpp"
#include "websocket/frame.hpp"

#include <squall/base/error.hpp>
#include <squall/client/websocket.hpp>

#include <string>

template class squall::net::detail::Share<squall::client::detail::WebSocketSession>;

namespace squall::client {
namespace detail {
namespace {

/// Of a WebSocket that is none: nobody waits in it.
squall::detail::WaitList& nobody() noexcept {
  thread_local squall::detail::WaitList list;
  return list;
}

}  // namespace

squall::detail::WaitList& WebSocketWait::line_of(WebSocketSession* session, Line line) noexcept {
  if (session == nullptr) return nobody();
  switch (line) {
    case Line::messages:
      return session->readers();
    case Line::output:
      return session->drained();
    case Line::end:
      break;
  }
  return session->closed();
}

WebSocketWait::WebSocketWait(WebSocketSession* session, Line line) noexcept
    : Share(session), Waiter(line_of(session, line)) {}
WebSocketWait::WebSocketWait(WebSocketSession* session, Line line, Duration timeout) noexcept
    : Share(session), Waiter(line_of(session, line), timeout) {}

MessageAwaiter::~MessageAwaiter() {
  if (reads_) Share::get()->end_read();
}

bool MessageAwaiter::await_ready() {
  if (Share::get() == nullptr || Share::get()->try_read(what_)) return true;
  if (times_out_at_once()) return true;
  reads_ = true;
  Share::get()->begin_read();
  return false;
}

std::optional<websocket::Message> MessageAwaiter::await_resume() {
  if (reads_) {
    reads_ = false;
    Share::get()->end_read();
  }
  end_or_throw();
  std::optional<websocket::Message> message;
  if (Share::get() != nullptr && Share::get()->has(what_)) {
    message = Share::get()->take(what_);
    Share::get()->make_room();
  }
  return message;
}

bool DrainedAwaiter::await_ready() {
  if (Share::get() == nullptr || Share::get()->is_over()) throw WebSocketClosedError();
  if (Share::get()->pending_bytes() == 0) return true;
  Share::get()->request_drain_notice();
  return false;
}

void DrainedAwaiter::await_resume() {
  if (end_or_throw() == squall::detail::WaitState::closed) throw WebSocketClosedError();
}

bool ClosedAwaiter::await_ready() const noexcept {
  return Share::get() == nullptr || Share::get()->is_over();
}

int ClosedAwaiter::await_resume() {
  end_or_throw();
  return Share::get() != nullptr ? static_cast<int>(Share::get()->close_code()) : 0;
}

}  // namespace detail

WebSocket& WebSocket::operator=(WebSocket&& other) noexcept {
  if (this != &other) {
    if (session_ != nullptr) session_->abandon();
    session_ = std::exchange(other.session_, nullptr);
  }
  return *this;
}

WebSocket::~WebSocket() {
  if (session_ != nullptr) session_->abandon();
}

void WebSocket::on_message(MoveOnlyFunction<void(std::string_view, bool)> callback) {
  if (session_ != nullptr) session_->on_message(std::move(callback));
}
void WebSocket::on_pong(MoveOnlyFunction<void(std::string_view)> callback) {
  if (session_ != nullptr) session_->on_pong(std::move(callback));
}
void WebSocket::on_close(MoveOnlyFunction<void()> callback) {
  if (session_ != nullptr) session_->on_close(std::move(callback));
}

SendResult WebSocket::write_message(std::string_view message, bool binary, std::string_view key) {
  if (session_ == nullptr) return SendResult::closed;
  return session_->send(binary ? websocket::Opcode::binary : websocket::Opcode::text, message, key);
}

SendResult WebSocket::write_piece(std::string_view piece, bool last, bool binary) {
  if (session_ == nullptr) return SendResult::closed;
  return session_->send_part(binary ? websocket::Opcode::binary : websocket::Opcode::text, piece,
                             last);
}

SendResult WebSocket::ping(std::string_view data) {
  if (data.size() > websocket::max_control_bytes) {
    throw UsageError("a ping carries at most 125 bytes (RFC 6455 §5.5)");
  }
  return session_ != nullptr ? session_->send(websocket::Opcode::ping, data, {})
                             : SendResult::closed;
}

std::size_t WebSocket::pending_bytes() const noexcept {
  return session_ != nullptr ? session_->pending_bytes() : 0;
}

void WebSocket::close(int code, std::string_view reason) {
  if (code < 0 || code > 0xffff || !websocket::may_be_sent(static_cast<std::uint16_t>(code))) {
    throw UsageError("a close frame cannot carry code " + std::to_string(code) +
                     " (RFC 6455 §7.4): use 1000 to 1003, 1007 to 1014 or 3000 to 4999");
  }
  if (session_ != nullptr) session_->close(static_cast<websocket::CloseCode>(code), reason);
}

bool WebSocket::is_open() const noexcept { return session_ != nullptr && session_->is_open(); }

int WebSocket::close_code() const noexcept {
  return session_ != nullptr ? static_cast<int>(session_->close_code()) : 0;
}
std::string_view WebSocket::close_reason() const noexcept {
  return session_ != nullptr ? std::string_view(session_->close_reason()) : std::string_view();
}
std::string_view WebSocket::subprotocol() const noexcept {
  return session_ != nullptr ? session_->agreement().subprotocol : std::string_view();
}
bool WebSocket::is_compressed() const noexcept {
  return session_ != nullptr && session_->agreement().deflate.has_value();
}
std::string_view WebSocket::url() const noexcept {
  return session_ != nullptr ? session_->agreement().url : std::string_view();
}

std::string_view WebSocket::response_header(std::string_view name) const noexcept {
  if (session_ == nullptr) return {};
  http::ResponseHead head;
  http::ResponseHeadParser parser;
  if (parser.parse(session_->agreement().head, head) != http::HeadParser::Status::done) return {};
  return head.field(name);
}

}  // namespace squall::client
