// SPDX-License-Identifier: Apache-2.0
//
// The part of WebSocketConnection that sends.
#include "base/logging.hpp"
#include "transport/websocket_delegate.hpp"
#include "transport/websocket_extras.hpp"
#include "transport/websocket_owner.hpp"
#include "websocket/mask_keys.hpp"

#include <squall/base/error.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace squall::transport {

using websocket::CloseCode;
using websocket::Opcode;

namespace {

constexpr std::size_t prepared_bytes = 16 * 1024;
// A reference costs a segment, and a piece of memory for each system call that sends; copying is
// cheaper up to this.
constexpr std::size_t copied_bytes = 4 * 1024;
constexpr std::size_t reason_bytes = websocket::max_control_bytes - 2;
constexpr std::size_t kept_scratch_bytes = 256 * 1024;
constexpr unsigned fin_bit = 0x80;
constexpr unsigned compressed_bit = 0x40;  // RSV1 (RFC 7692 §6)

constexpr unsigned first_byte_of(Opcode opcode, bool fin) noexcept {
  return (fin ? fin_bit : 0U) | static_cast<unsigned>(opcode);
}

// A cut must not leave half a character behind: the reason is UTF-8 (RFC 6455 §5.5.1).
std::string_view cut_reason(std::string_view reason) noexcept {
  if (reason.size() <= reason_bytes) return reason;
  std::size_t size = reason_bytes;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xc0) == 0x80) --size;
  return reason.substr(0, size);
}

// Of a frame as a server sends it.
std::string_view payload_of(std::string_view frame) noexcept {
  const unsigned length = static_cast<unsigned char>(frame[1]);
  return frame.substr(length < 126 ? 2 : length == 126 ? 4 : 10);
}

// What a message becomes by compression; used again by the next one.
std::string& scratch() {
  thread_local std::string bytes;
  if (bytes.capacity() > kept_scratch_bytes) bytes = {};
  bytes.clear();
  return bytes;
}

}  // namespace

void WebSocketConnection::write_frame(unsigned first_byte, std::string_view payload) {
  if (role_ == Role::client) [[unlikely]] {
    write_masked_frame(first_byte, payload);
    return;
  }
  char head[websocket::max_frame_head_bytes];
  const std::size_t most = websocket::max_frame_head_bytes + payload.size();
  char* const out = most <= prepared_bytes ? stream_->prepare(most) : head;
  const std::size_t size =
      websocket::encode_frame_head(out, Opcode::continuation, true, payload.size());
  out[0] = static_cast<char>(first_byte);
  if (most <= prepared_bytes) [[likely]] {
    if (!payload.empty()) std::memcpy(out + size, payload.data(), payload.size());
    stream_->commit(size + payload.size());
  } else {
    stream_->write({head, size});
    stream_->write(payload);
  }
}

void WebSocketConnection::write_masked_frame(unsigned first_byte, std::string_view payload) {
  const websocket::MaskKey key = websocket::MaskKeys::of_thread().next();
  const std::size_t most = websocket::max_frame_head_bytes + payload.size();
  std::string large;
  if (most > prepared_bytes) large.resize(most);
  char* const out = most <= prepared_bytes ? stream_->prepare(most) : large.data();
  const std::size_t head =
      websocket::encode_masked_frame_head(out, Opcode::continuation, true, payload.size(), key);
  out[0] = static_cast<char>(first_byte);
  if (!payload.empty()) std::memcpy(out + head, payload.data(), payload.size());
  websocket::apply_mask({out + head, payload.size()}, key);
  if (most <= prepared_bytes) {
    stream_->commit(head + payload.size());
  } else {
    large.resize(head + payload.size());
    stream_->write_owned(std::move(large));
  }
}

void WebSocketConnection::set_deflate(websocket::DeflateParameters parameters,
                                      const websocket::CompressionOptions& options) {
  parser_.set_deflate(parameters);
  const Deflating how{websocket::deflate_settings(role_, parameters, options), options.min_bytes};
  if (!owner_.remember(how, deflate_place_)) extras().deflating = how;
  has_deflate_ = true;
  look_for_plain();
}

const WebSocketConnection::Deflating& WebSocketConnection::deflate() const noexcept {
  return extras_ && extras_->deflating ? *extras_->deflating : owner_.remembered(deflate_place_);
}

websocket::Deflater& WebSocketConnection::deflater() {
  Extras& more = extras();
  if (!more.deflater) more.deflater.emplace(deflate().settings);
  return *more.deflater;
}

// Only what later messages refer to is kept.
void WebSocketConnection::release_deflater() noexcept {
  if (!extras_ || !extras_->deflater || extras_->deflater->has_state()) return;
  extras_->deflater.reset();
  trim_extras();
}

// False when the message is to be sent as it is.
bool WebSocketConnection::compress(std::string_view message, std::string& out) {
  if (!deflate().settings.context_takeover)
    return websocket::deflate_message(deflate().settings, message, out);
  return deflater().compress(message, out);
}

void WebSocketConnection::write_message(Opcode opcode, std::string_view payload) {
  const unsigned first = first_byte_of(opcode, true);
  if (!websocket::is_control(opcode) && deflates(payload.size())) {
    std::string& compressed = scratch();
    if (compress(payload, compressed)) {
      write_frame(first | compressed_bit, compressed);
      return;
    }
  }
  write_frame(first, payload);
}

SlowConsumer WebSocketConnection::policy() const noexcept {
  return extras_ && extras_->policy ? extras_->policy->what : options().slow_consumer;
}

std::size_t WebSocketConnection::max_queue_bytes() const noexcept {
  return extras_ && extras_->policy ? extras_->policy->max_bytes : options().max_queue_bytes;
}

void WebSocketConnection::set_slow_consumer(SlowConsumer policy, std::size_t max_bytes) {
  if (state_ == State::closed) return;
  extras().policy = {policy, max_bytes != 0 ? max_bytes : options().max_queue_bytes};
  stream_->set_write_timeout(policy == SlowConsumer::disconnect ? options().stall_timeout
                                                                : options().write_timeout);
  look_for_plain();
}

void WebSocketConnection::look_for_plain() noexcept {
  is_plain_ = !in_parts_ && !has_deflate_ && policy() == SlowConsumer::disconnect &&
              !(extras_ && extras_->outbox);
}

void WebSocketConnection::disconnect_slow_peer() {
  log::write(log::Level::info, area(), "a WebSocket peer reads too slowly and is disconnected");
  drop(CloseCode::abnormal, {});
}

bool WebSocketConnection::has_room() {
  if (stream_->pending_bytes() < max_queue_bytes()) [[likely]]
    return true;
  disconnect_slow_peer();
  return false;
}

SendResult WebSocketConnection::send_plainly(Opcode opcode, std::string_view payload) {
  if (state_ != State::open) return SendResult::closed;
  if (!has_room()) return SendResult::overflow;
  write_frame(first_byte_of(opcode, true), payload);
  return SendResult::sent;
}

// Whether messages are to wait where they can still be dropped, or until another one is whole.
bool WebSocketConnection::is_behind() const noexcept {
  if (in_parts_ || (extras_ && extras_->outbox)) return true;
  return policy() != SlowConsumer::disconnect && stream_->pending_bytes() >= low_mark();
}

std::size_t WebSocketConnection::low_mark() const noexcept {
  return std::min(Outbox::low_mark_bytes, max_queue_bytes() / 2);
}

SendResult WebSocketConnection::send_specially(Opcode opcode, std::string_view payload,
                                               std::string_view key) {
  if (state_ != State::open) return SendResult::closed;
  if (!websocket::is_control(opcode) && is_behind()) {
    if (deflates(payload.size()) && !deflate().settings.context_takeover) {
      std::string& compressed = scratch();
      if (compress(payload, compressed)) {
        return enqueue(make_frame(opcode, compressed, true), key);
      }
    }
    return enqueue(make_frame(opcode, payload), key);
  }
  if (policy() == SlowConsumer::disconnect) {
    if (!has_room()) return SendResult::overflow;
  } else if (stream_->pending_bytes() >= max_queue_bytes()) {
    return SendResult::dropped;  // a ping
  }
  write_message(opcode, payload);
  return SendResult::sent;
}

SendResult WebSocketConnection::send(SharedFrame& message, std::string_view key) {
  if (state_ != State::open) return SendResult::closed;
  const bool compressed =
      deflates(message.payload().size()) && !deflate().settings.context_takeover;
  const SharedBytes& frame = compressed ? message.compressed(deflate().settings) : message.plain();
  if (!is_plain_ && is_behind()) return enqueue(frame, key);
  if (policy() == SlowConsumer::disconnect && !has_room()) return SendResult::overflow;
  forward(frame);
  return SendResult::sent;
}

SendResult WebSocketConnection::enqueue(SharedBytes frame, std::string_view key) {
  Extras& more = extras();
  if (!more.outbox) more.outbox = std::make_unique<Outbox>();
  look_for_plain();
  const SendResult result = more.outbox->add(std::move(frame), key, policy(), max_queue_bytes());
  more.lost += more.outbox->take_lost();
  if (result == SendResult::overflow) {
    disconnect_slow_peer();
  } else {
    stream_->request_drain_notice();
  }
  return result;
}

SendResult WebSocketConnection::send_part(Opcode opcode, std::string_view payload, bool last) {
  if (state_ != State::open) return SendResult::closed;
  if (!in_parts_) feed_all();
  if (!has_room()) return SendResult::overflow;
  unsigned first = first_byte_of(in_parts_ ? Opcode::continuation : opcode, last);
  if (!in_parts_) {
    parts_compressed_ = has_deflate_ && (!last || deflates(payload.size()));
    if (parts_compressed_) first |= compressed_bit;
  }
  if (parts_compressed_) {
    std::string& compressed = scratch();
    if (last) {
      deflater().finish(payload, compressed);
      release_deflater();
    } else {
      deflater().append(payload, true, compressed);
    }
    write_frame(first, compressed);
  } else {
    write_frame(first, payload);
  }
  in_parts_ = !last;
  if (last) feed();
  look_for_plain();
  return SendResult::sent;
}

// A frame as a server sends it, compressed already where no state of this connection is needed.
void WebSocketConnection::forward(const SharedBytes& frame) {
  const std::string_view bytes = frame.view();
  const unsigned first = static_cast<unsigned char>(bytes[0]);
  if (has_deflate_ && deflate().settings.context_takeover && (first & compressed_bit) == 0) {
    write_message(static_cast<Opcode>(first & 0x0fU), payload_of(bytes));
    return;
  }
  if (role_ == Role::client) {
    write_masked_frame(first, payload_of(bytes));
  } else if (bytes.size() <= copied_bytes) {
    stream_->write(bytes);
  } else {
    stream_->write_shared(frame);
  }
}

// Moves on what has waited, as much as the peer may soon take.
void WebSocketConnection::feed() {
  if (!extras_ || !extras_->outbox || in_parts_) return;
  Outbox& outbox = *extras_->outbox;
  while (!outbox.is_empty() && stream_->pending_bytes() < low_mark()) {
    forward(outbox.take());
  }
  if (outbox.is_empty()) {
    extras_->outbox.reset();
    look_for_plain();
    trim_extras();
  } else {
    stream_->request_drain_notice();
  }
}

void WebSocketConnection::feed_all() {
  if (!extras_ || !extras_->outbox) return;
  while (!extras_->outbox->is_empty()) forward(extras_->outbox->take());
  feed();
}

std::size_t WebSocketConnection::pending_bytes() const noexcept {
  const std::size_t waiting = extras_ && extras_->outbox ? extras_->outbox->bytes() : 0;
  return waiting + (stream_ != nullptr ? stream_->pending_bytes() : 0);
}

void WebSocketConnection::request_drain_notice() noexcept {
  if (stream_ == nullptr) return;
  drain_wanted_ = true;
  stream_->request_drain_notice();
}

void WebSocketConnection::on_drained() {
  if (extras_ && extras_->pong && state_ == State::open) {
    const std::string payload = *std::exchange(extras_->pong, std::nullopt);
    write_frame(first_byte_of(Opcode::pong, true), payload);
  }
  feed();
  if (waiting_for_drain_ && stream_->pending_bytes() <= max_queue_bytes() / 2) {
    waiting_for_drain_ = false;
    if (may_read_on(options().max_backlog_bytes)) stream_->resume_receiving();
  }
  if (!drain_wanted_) return;
  if (stream_->pending_bytes() != 0) {
    stream_->request_drain_notice();
    return;
  }
  drain_wanted_ = false;
  delegate_.on_drained();
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
  // Messages that waited for the end of one in parts would be taken for its rest.
  if (!in_parts_) feed_all();
  write_frame(first_byte_of(Opcode::close, true), {payload, size});
}

}  // namespace squall::transport
