// SPDX-License-Identifier: Apache-2.0
#include "server/websocket_connection.hpp"

#include "base/logging.hpp"
#include "server/http_server.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall::server {

using loop::Stream;
using websocket::CloseCode;
using websocket::Opcode;
using Kind = websocket::MessageParser::Kind;

namespace {

constexpr std::size_t prepared_bytes = 16 * 1024;
constexpr std::size_t reason_bytes = websocket::max_control_bytes - 2;

// A cut must not leave half a character behind: the reason is UTF-8 (RFC 6455 §5.5.1).
std::string_view cut_reason(std::string_view reason) noexcept {
  if (reason.size() <= reason_bytes) return reason;
  std::size_t size = reason_bytes;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xc0) == 0x80) --size;
  return reason.substr(0, size);
}

}  // namespace

WebSocketConnection::WebSocketConnection(HTTPServer& server, Stream& stream,
                                         WebSocketDelegate& delegate) noexcept
    : ReadyNode(
          [](ReadyNode& node) noexcept { static_cast<WebSocketConnection&>(node).report_end(); }),
      server_(server),
      stream_(&stream),
      delegate_(delegate),
      parser_(websocket::MessageParser::Role::server, server.options().max_message_bytes) {}

WebSocketConnection& WebSocketConnection::start(HTTPServer& server, Stream& stream,
                                                WebSocketDelegate& delegate) {
  auto* const self = new WebSocketConnection(server, stream, delegate);
  server.add(*self);
  stream.set_handler(*self);
  return *self;
}

void WebSocketConnection::take_over(std::string_view bytes) {
  if (bytes.empty() || stream_ == nullptr) return;
  std::string copy(bytes);
  on_receive({copy.data(), copy.size()});
}

void WebSocketConnection::on_receive(std::span<char> bytes) {
  while (state_ != State::closed) {
    const websocket::MessageParser::Event event = parser_.next(bytes);
    if (event.kind == Kind::need_more) break;
    handle(event);
  }
  if (state_ != State::closed) limit_reading();
}

void WebSocketConnection::handle(const websocket::MessageParser::Event& event) {
  switch (event.kind) {
    case Kind::text:
    case Kind::binary:
      // After our close frame the peer's messages mean nothing any more (RFC 6455 §1.4).
      if (state_ == State::open) deliver(event.kind == Kind::binary, event.payload);
      break;
    case Kind::ping:
      // Pongs count against the same limit as messages: a flood of pings must not fill memory.
      if (state_ == State::open && send(Opcode::pong, event.payload) == SendResult::sent) {
        delegate_.on_ping(event.payload);
      }
      break;
    case Kind::pong:
      if (state_ == State::open) delegate_.on_pong(event.payload);
      break;
    case Kind::close:
      peer_ends(event.code, event.payload, true);
      break;
    case Kind::failed:
      log::format(log::Level::info, "server", "websocket failed with {}: {}",
                  static_cast<unsigned>(event.code), event.payload);
      fail(event.code, event.payload);
      break;
    case Kind::need_more:
      break;
  }
}

// The peer has closed: what it said before comes first, as long as it does not take too long.
void WebSocketConnection::peer_ends(CloseCode code, std::string_view reason, bool handshake) {
  if (state_ == State::open && (busy_ || backlog_) && !peer_ended_) {
    peer_ended_ = true;
    answer_close_ = handshake;
    code_ = code;
    if (!reason.empty()) reason_ = std::make_unique<std::string>(reason);
    stream_->pause_receiving();
    stream_->set_deadline(server_.options().close_timeout);
    return;
  }
  // RFC 6455 §5.5.1: answered with the same code, unless ours went first.
  if (state_ == State::open && handshake) {
    write_close(code == CloseCode::no_status ? CloseCode::none : code, {});
  }
  end(code, reason);
}

void WebSocketConnection::deliver(bool binary, std::string_view payload) {
  if (!busy_ && !backlog_) {
    delivering_ = true;
    const bool ready = delegate_.on_message(binary, payload);
    delivering_ = false;
    // A coroutine that ended at once has resumed us within the call.
    if (!ready) busy_ = true;
    return;
  }
  if (!backlog_) backlog_ = std::make_unique<Backlog>();
  backlog_->messages.push_back({binary, std::string(payload)});
  backlog_->bytes += payload.size() + sizeof(Waiting);
}

std::size_t WebSocketConnection::backlog_limit() const noexcept {
  return server_.options().max_queue_bytes;
}

// Stops reading from a client that sends faster than its messages are handled, or that does not
// read what its own messages make us write.
void WebSocketConnection::limit_reading() {
  if (backlog_ && backlog_->bytes > backlog_limit()) stream_->pause_receiving();
  if (stream_->pending_bytes() > server_.options().max_queue_bytes / 2 && !waiting_for_drain_) {
    waiting_for_drain_ = true;
    stream_->pause_receiving();
    stream_->request_drain_notice();
  }
}

void WebSocketConnection::resume() {
  busy_ = false;
  if (delivering_) return;
  if (backlog_) deliver_backlog();
  if (peer_ended_ && !busy_ && !backlog_ && state_ == State::open) {
    const std::unique_ptr<std::string> reason = std::move(reason_);
    peer_ends(code_, reason ? std::string_view(*reason) : std::string_view(), answer_close_);
  }
}

void WebSocketConnection::deliver_backlog() {
  delivering_ = true;
  while (!busy_ && backlog_ && state_ == State::open) {
    if (backlog_->messages.empty()) {
      backlog_.reset();
      break;
    }
    const Waiting message = std::move(backlog_->messages.front());
    backlog_->messages.pop_front();
    backlog_->bytes -= message.payload.size() + sizeof(Waiting);
    busy_ = true;
    if (delegate_.on_message(message.binary, message.payload)) busy_ = false;
  }
  delivering_ = false;
  if (stream_ != nullptr && !waiting_for_drain_ && !peer_ended_ &&
      (!backlog_ || backlog_->bytes <= backlog_limit() / 2)) {
    stream_->resume_receiving();
  }
}

void WebSocketConnection::write_frame(Opcode opcode, std::string_view payload) {
  const std::size_t most = websocket::max_frame_head_bytes + payload.size();
  if (most <= prepared_bytes) {
    char* const out = stream_->prepare(most);
    const std::size_t head = websocket::encode_frame_head(out, opcode, true, payload.size());
    if (!payload.empty()) std::memcpy(out + head, payload.data(), payload.size());
    stream_->commit(head + payload.size());
    return;
  }
  char head[websocket::max_frame_head_bytes];
  stream_->write({head, websocket::encode_frame_head(head, opcode, true, payload.size())});
  stream_->write(payload);
}

WebSocketConnection::SendResult WebSocketConnection::send(Opcode opcode, std::string_view payload) {
  if (state_ != State::open) return SendResult::closed;
  if (stream_->pending_bytes() >= server_.options().max_queue_bytes) [[unlikely]] {
    log::write(log::Level::info, "server",
               "a WebSocket client reads too slowly and is disconnected");
    stream_->abort();
    stream_ = nullptr;
    end(CloseCode::abnormal, {});
    return SendResult::overflow;
  }
  write_frame(opcode, payload);
  return SendResult::sent;
}

void WebSocketConnection::write_close(CloseCode code, std::string_view reason) {
  char payload[websocket::max_control_bytes];
  std::size_t size = 0;
  if (code != CloseCode::none) {
    const auto number = static_cast<std::uint16_t>(code);
    payload[0] = static_cast<char>(number >> 8);
    payload[1] = static_cast<char>(number & 0xff);
    const std::string_view cut = cut_reason(reason);
    if (!cut.empty()) std::memcpy(payload + 2, cut.data(), cut.size());
    size = 2 + cut.size();
  }
  write_frame(Opcode::close, {payload, size});
}

void WebSocketConnection::close(CloseCode code, std::string_view reason) {
  if (state_ != State::open) return;
  write_close(code, reason);
  state_ = State::close_sent;
  backlog_.reset();
  waiting_for_drain_ = false;
  if (peer_ended_) {  // theirs is here already
    end(code_, {});
    return;
  }
  stream_->resume_receiving();
  stream_->set_deadline(server_.options().close_timeout);
}

void WebSocketConnection::fail(CloseCode code, std::string_view reason) {
  if (state_ == State::open) write_close(code, reason);
  if (state_ != State::closed) end(code, reason);
}

// The stream's part is over; the delegate hears of it in a later step, never inside its own call.
void WebSocketConnection::end(CloseCode code, std::string_view reason) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  code_ = code;
  if (!reason.empty()) reason_ = std::make_unique<std::string>(reason);
  backlog_.reset();
  // RFC 6455 §7.1.1: the server closes first, after a while for the client to read the last frame.
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->close(Stream::Linger::yes);
  server_.core().make_ready(*this);
}

void WebSocketConnection::report_end() noexcept {
  try {
    delegate_.on_close(code_, reason_ ? std::string_view(*reason_) : std::string_view());
  } catch (const std::exception& error) {
    log::format(log::Level::error, "server", "on_close threw: {}", error.what());
  }
  server_.remove(*this);
  delete this;
}

void WebSocketConnection::on_eof() { peer_ends(CloseCode::abnormal, {}, false); }

void WebSocketConnection::on_drained() {
  if (waiting_for_drain_) {
    waiting_for_drain_ = false;
    if (!peer_ended_ && (!backlog_ || backlog_->bytes <= backlog_limit())) {
      stream_->resume_receiving();
    }
  }
  delegate_.on_drained();
}

void WebSocketConnection::on_timeout() {
  if (peer_ended_) {  // the delegate is still busy with what came before
    const std::unique_ptr<std::string> reason = std::move(reason_);
    end(code_, reason ? std::string_view(*reason) : std::string_view());
    return;
  }
  // The peer never answered our close frame.
  stream_->abort();
  stream_ = nullptr;
  end(CloseCode::abnormal, {});
}

void WebSocketConnection::on_broken(std::error_code error) {
  log::format(log::Level::debug, "server", "websocket: {}", error.message());
  stream_ = nullptr;
  end(CloseCode::abnormal, {});
}

void WebSocketConnection::drain() { close(CloseCode::going_away, "the server shuts down"); }

void WebSocketConnection::abort_now() noexcept {
  if (stream_ != nullptr) stream_->abort();
  stream_ = nullptr;
  state_ = State::closed;
  report_end();
}

}  // namespace squall::server
