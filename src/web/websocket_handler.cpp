// SPDX-License-Identifier: Apache-2.0
#include "web/exchange.hpp"
#include "web/json_text.hpp"
#include "web/websocket_session.hpp"
#include "websocket/handshake.hpp"

#include <squall/base/error.hpp>
#include <squall/web/websocket_handler.hpp>

#include <algorithm>

namespace squall::web {

WebSocketHandler::~WebSocketHandler() = default;

bool WebSocketHandler::check_origin(std::string_view origin) {
  // A page that came without TLS may be anybody's; it does not speak for the https site.
  const bool may_be_same = request().protocol() == "http" || origin.starts_with("https://");
  if (may_be_same && websocket::same_origin(origin, request().host())) return true;
  const std::vector<std::string>& allowed = exchange().worker().application().allowed_origins;
  return std::any_of(allowed.begin(), allowed.end(),
                     [origin](const std::string& one) { return one == "*" || one == origin; });
}

std::string_view WebSocketHandler::select_subprotocol(const std::vector<std::string_view>&) {
  return {};
}
void WebSocketHandler::on_ping(std::string_view) {}
void WebSocketHandler::on_pong(std::string_view) {}

SendResult WebSocketHandler::write_message(std::string_view message, bool binary) {
  if (session_ == nullptr) return SendResult::closed;
  return session_->send(binary ? websocket::Opcode::binary : websocket::Opcode::text, message);
}

SendResult WebSocketHandler::write_message(std::string_view message,
                                           const MessageOptions& options) {
  if (session_ == nullptr) return SendResult::closed;
  return session_->send(options.binary ? websocket::Opcode::binary : websocket::Opcode::text,
                        message, options.key);
}

SendResult WebSocketHandler::write_message(const SharedMessage& message, std::string_view key) {
  return session_ != nullptr ? session_->send(message.frame(), key) : SendResult::closed;
}

SendResult WebSocketHandler::write_piece(std::string_view piece, bool last, bool binary) {
  return session_ != nullptr ? session_->send_part(piece, last, binary) : SendResult::closed;
}

void WebSocketHandler::set_slow_consumer(SlowConsumer policy, std::size_t max_bytes) {
  if (session_ == nullptr) {
    throw UsageError("set_slow_consumer() in open(), when the connection is there");
  }
  session_->set_slow_consumer(policy, max_bytes);
}

void WebSocketHandler::set_max_message_size(std::size_t bytes) noexcept {
  if (session_ != nullptr) session_->set_max_message_size(bytes);
}

websocket::CompressionOptions WebSocketHandler::get_compression_options() {
  return settings().websocket_compression;
}

namespace {

template <class T>
std::string text_of(const T& document) {
  std::string text;
  append_json(text, document);
  return text;
}

}  // namespace

SendResult WebSocketHandler::write_json_message(const json::value& document) {
  return write_message(text_of(document));
}
SendResult WebSocketHandler::write_json_message(const json::object& document) {
  return write_message(text_of(document));
}
SendResult WebSocketHandler::write_json_message(const json::array& document) {
  return write_message(text_of(document));
}

SendResult WebSocketHandler::ping(std::string_view data) {
  if (data.size() > websocket::max_control_bytes) {
    throw UsageError("a ping carries at most 125 bytes (RFC 6455 §5.5)");
  }
  return session_ != nullptr ? session_->send(websocket::Opcode::ping, data) : SendResult::closed;
}

void WebSocketHandler::close(int code, std::string_view reason) {
  if (code < 0 || code > 0xffff || !websocket::may_be_sent(static_cast<std::uint16_t>(code))) {
    throw UsageError("a close frame cannot carry code " + std::to_string(code) +
                     " (RFC 6455 §7.4): use 1000 to 1003, 1007 to 1014 or 3000 to 4999");
  }
  if (session_ != nullptr) session_->close(static_cast<websocket::CloseCode>(code), reason);
}

bool WebSocketHandler::is_open() const noexcept {
  return session_ != nullptr && session_->is_open();
}
std::size_t WebSocketHandler::pending_bytes() const noexcept {
  return session_ != nullptr ? session_->pending_bytes() : 0;
}
OutputAwaiter WebSocketHandler::drained() noexcept {
  return OutputAwaiter(session_ != nullptr && !session_->is_over() ? session_ : nullptr);
}

int WebSocketHandler::close_code() const noexcept {
  return session_ != nullptr ? static_cast<int>(session_->close_code()) : 0;
}
std::string_view WebSocketHandler::close_reason() const noexcept {
  return session_ != nullptr ? session_->close_reason() : std::string_view();
}
std::string_view WebSocketHandler::selected_subprotocol() const noexcept {
  return session_ != nullptr ? session_->subprotocol() : std::string_view();
}
void WebSocketHandler::keep_request() noexcept {
  if (session_ != nullptr) session_->keep_request();
}

}  // namespace squall::web
