// SPDX-License-Identifier: Apache-2.0
#include "transport/websocket_connection.hpp"

#include "base/logging.hpp"
#include "loop/loop_core.hpp"
#include "transport/websocket_owner.hpp"

#include <squall/base/error.hpp>

#include <openssl/rand.h>
#include <stdexcept>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace squall::transport {

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

// Keys that nobody can guess (RFC 6455 §10.3), read from the strong source many at a time.
websocket::MaskKey next_mask_key() {
  thread_local std::array<websocket::MaskKey, 256> keys;
  thread_local std::size_t used = keys.size();
  if (used == keys.size()) {
    if (RAND_bytes(keys[0].data(), static_cast<int>(sizeof keys)) != 1) {
      throw std::runtime_error("no random bytes for a masking key");
    }
    used = 0;
  }
  return keys[used++];
}

}  // namespace

WebSocketConnection::WebSocketConnection(Stream& stream, Role role, WebSocketOwner& owner,
                                         WebSocketDelegate& delegate) noexcept
    : ReadyNode(
          [](ReadyNode& node) noexcept { static_cast<WebSocketConnection&>(node).report_end(); }),
      owner_(owner),
      stream_(&stream),
      delegate_(delegate),
      parser_(role, owner.options().max_message_bytes),
      role_(role) {}

WebSocketConnection& WebSocketConnection::start(Stream& stream, Role role, WebSocketOwner& owner,
                                                WebSocketDelegate& delegate) {
  auto* const self = new WebSocketConnection(stream, role, owner, delegate);
  owner.add(*self);
  stream.set_handler(*self);
  return *self;
}

const WebSocketOptions& WebSocketConnection::options() const noexcept { return owner_.options(); }

std::string_view WebSocketConnection::area() const noexcept {
  return role_ == Role::server ? "server" : "client";
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
      log::format(log::Level::info, area(), "websocket failed with {}: {}",
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
    stream_->set_deadline(options().close_timeout);
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

// Stops reading from a peer that sends faster than its messages are handled, or that does not
// read what its own messages make us write.
void WebSocketConnection::limit_reading() {
  if (backlog_ && backlog_->bytes > options().max_queue_bytes) stream_->pause_receiving();
  if (stream_->pending_bytes() > options().max_queue_bytes / 2 && !waiting_for_drain_) {
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
      (!backlog_ || backlog_->bytes <= options().max_queue_bytes / 2)) {
    stream_->resume_receiving();
  }
}

void WebSocketConnection::write_frame(Opcode opcode, std::string_view payload, bool fin) {
  if (role_ == Role::client) {
    write_masked_frame(opcode, payload, fin);
    return;
  }
  const std::size_t most = websocket::max_frame_head_bytes + payload.size();
  if (most <= prepared_bytes) {
    char* const out = stream_->prepare(most);
    const std::size_t head = websocket::encode_frame_head(out, opcode, fin, payload.size());
    if (!payload.empty()) std::memcpy(out + head, payload.data(), payload.size());
    stream_->commit(head + payload.size());
    return;
  }
  char head[websocket::max_frame_head_bytes];
  stream_->write({head, websocket::encode_frame_head(head, opcode, fin, payload.size())});
  stream_->write(payload);
}

void WebSocketConnection::write_masked_frame(Opcode opcode, std::string_view payload, bool fin) {
  const websocket::MaskKey key = next_mask_key();
  const std::size_t most = websocket::max_frame_head_bytes + payload.size();
  std::string large;
  char* out;
  if (most <= prepared_bytes) {
    out = stream_->prepare(most);
  } else {
    large.resize(most);
    out = large.data();
  }
  const std::size_t head =
      websocket::encode_masked_frame_head(out, opcode, fin, payload.size(), key);
  if (!payload.empty()) std::memcpy(out + head, payload.data(), payload.size());
  websocket::apply_mask({out + head, payload.size()}, key);
  if (most <= prepared_bytes) {
    stream_->commit(head + payload.size());
  } else {
    large.resize(head + payload.size());
    stream_->write_owned(std::move(large));
  }
}

// Gives up on a peer for which too much waits.
bool WebSocketConnection::has_room() {
  if (stream_->pending_bytes() < options().max_queue_bytes) [[likely]]
    return true;
  log::write(log::Level::info, area(), "a WebSocket peer reads too slowly and is disconnected");
  stream_->abort();
  stream_ = nullptr;
  end(CloseCode::abnormal, {});
  return false;
}

WebSocketConnection::SendResult WebSocketConnection::send(Opcode opcode, std::string_view payload) {
  if (state_ != State::open) return SendResult::closed;
  if (in_parts_ && !websocket::is_control(opcode)) {
    throw UsageError("a message that is sent in parts is to be finished before the next one");
  }
  if (!has_room()) return SendResult::overflow;
  write_frame(opcode, payload);
  return SendResult::sent;
}

WebSocketConnection::SendResult WebSocketConnection::send_part(Opcode opcode,
                                                               std::string_view payload,
                                                               bool last) {
  if (state_ != State::open) return SendResult::closed;
  if (!has_room()) return SendResult::overflow;
  write_frame(in_parts_ ? Opcode::continuation : opcode, payload, last);
  in_parts_ = !last;
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
  stream_->set_deadline(options().close_timeout);
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
  // RFC 6455 §7.1.1: the server closes first, after a while for the client to read the last frame;
  // the client waits for that.
  if (stream_ != nullptr) {
    std::exchange(stream_, nullptr)
        ->close(role_ == Role::server ? Stream::Linger::yes : Stream::Linger::peer_first);
  }
  owner_.core().make_ready(*this);
}

void WebSocketConnection::report_end() noexcept {
  try {
    delegate_.on_close(code_, reason_ ? std::string_view(*reason_) : std::string_view());
  } catch (const std::exception& error) {
    log::format(log::Level::error, area(), "on_close threw: {}", error.what());
  }
  owner_.remove(*this);
  owner_.on_end(*this);
  delete this;
}

void WebSocketConnection::on_eof() { peer_ends(CloseCode::abnormal, {}, false); }

void WebSocketConnection::on_drained() {
  if (waiting_for_drain_) {
    waiting_for_drain_ = false;
    if (!peer_ended_ && (!backlog_ || backlog_->bytes <= options().max_queue_bytes)) {
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
  log::format(log::Level::debug, area(), "websocket: {}", error.message());
  stream_ = nullptr;
  end(CloseCode::abnormal, {});
}

void WebSocketConnection::abort_now() noexcept {
  if (stream_ != nullptr) stream_->abort();
  stream_ = nullptr;
  state_ = State::closed;
  report_end();
}

}  // namespace squall::transport
