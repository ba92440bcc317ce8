// SPDX-License-Identifier: Apache-2.0
#include "transport/websocket_connection.hpp"

#include "base/logging.hpp"
#include "loop/loop_core.hpp"
#include "transport/websocket_delegate.hpp"
#include "transport/websocket_extras.hpp"
#include "transport/websocket_owner.hpp"

#include <algorithm>
#include <utility>

namespace squall::transport {

using loop::Stream;
using websocket::CloseCode;
using websocket::Opcode;
using Kind = websocket::MessageParser::Kind;

WebSocketConnection::WebSocketConnection(Stream& stream, Role role, WebSocketOwner& owner,
                                         WebSocketDelegate& delegate) noexcept
    : owner_(owner),
      stream_(&stream),
      delegate_(delegate),
      parser_(role, owner.options().max_message_bytes),
      role_(role) {
  look_for_plain();
}

WebSocketConnection::~WebSocketConnection() = default;

WebSocketConnection& WebSocketConnection::start(Stream& stream, Role role, WebSocketOwner& owner,
                                                WebSocketDelegate& delegate) {
  auto* const self = new WebSocketConnection(stream, role, owner, delegate);
  const WebSocketOptions& options = owner.options();
  owner.add(*self);
  stream.set_handler(*self);
  stream.set_write_timeout(options.slow_consumer == SlowConsumer::disconnect
                               ? options.stall_timeout
                               : options.write_timeout);
  stream.trim();
  self->start_pinging();
  return *self;
}

const WebSocketOptions& WebSocketConnection::options() const noexcept { return owner_.options(); }

std::string_view WebSocketConnection::area() const noexcept {
  return role_ == Role::server ? "server" : "client";
}

WebSocketConnection::Extras& WebSocketConnection::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>(*this);
  return *extras_;
}

void WebSocketConnection::set_streaming(bool streaming) noexcept {
  streaming_ = streaming;
  parser_.set_streaming(streaming);
}

// A connection that is idle again gives back what it needed.
void WebSocketConnection::trim_extras() noexcept {
  if (!extras_ || state_ == State::closed || peer_ended_) return;
  const Extras& more = *extras_;
  if (more.backlog || more.outbox || more.policy || more.pong || more.deflater || more.deflating ||
      more.lost != 0)
    return;
  extras_.reset();
}

void WebSocketConnection::keep_reason(std::string_view reason) {
  if (!reason.empty()) extras().reason = reason;
}

std::string WebSocketConnection::take_reason() noexcept {
  return extras_ ? std::exchange(extras_->reason, {}) : std::string();
}

void WebSocketConnection::take_over(std::string_view bytes) {
  if (bytes.empty() || stream_ == nullptr) return;
  std::string copy(bytes);
  on_receive({copy.data(), copy.size()});
}

void WebSocketConnection::on_receive(std::span<char> bytes) {
  heard_ = true;
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
      if (state_ == State::open) {
        deliver(event.kind == Kind::binary, event.payload, event.fin);
      }
      break;
    case Kind::ping:
      if (state_ == State::open) answer_ping(event.payload);
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

// A peer that sends pings and does not read must not fill memory: of those that it has not taken a
// pong for, the latest is answered (RFC 6455 §5.5.3).
void WebSocketConnection::answer_ping(std::string_view payload) {
  if (stream_->pending_bytes() < low_mark()) [[likely]] {
    send(Opcode::pong, payload);
  } else {
    extras().pong = payload;
    stream_->request_drain_notice();
  }
  delegate_.on_ping(payload);
}

// The peer has closed: what it said before comes first, as long as it does not take too long.
void WebSocketConnection::peer_ends(CloseCode code, std::string_view reason, bool handshake) {
  if (state_ == State::open && (busy_ || has_backlog()) && !peer_ended_) {
    peer_ended_ = true;
    answer_close_ = handshake;
    code_ = code;
    keep_reason(reason);
    stream_->pause_receiving();
    if (!peer_left_) limit_handling();
    return;
  }
  // RFC 6455 §5.5.1: answered with the same code, unless ours went first.
  if (state_ == State::open && handshake) {
    write_close(code == CloseCode::no_status ? CloseCode::none : code, {});
  }
  end(code, reason);
}

// More than the limit waits for a busy delegate, so that nothing is read, and the peer is gone.
void WebSocketConnection::on_peer_left() {
  if (peer_left_ || peer_ended_ || state_ != State::open) return;
  peer_left_ = true;
  limit_handling();
}

// The delegate has so long for what came before the peer's end.
void WebSocketConnection::limit_handling() noexcept {
  stream_->clear_deadline();  // no more pings
  if (options().handling_timeout > Duration::from_seconds(0)) {
    stream_->set_deadline(options().handling_timeout);
  }
}

bool WebSocketConnection::hand_over(bool binary, std::string_view payload, bool last, bool piece) {
  return piece ? delegate_.on_piece(binary, payload, last) : delegate_.on_message(binary, payload);
}

void WebSocketConnection::deliver(bool binary, std::string_view payload, bool last) {
  const bool piece = streaming_ || in_pieces_ || !last;
  in_pieces_ = !last;
  if (!busy_ && !has_backlog()) [[likely]] {
    delivering_ = true;
    const bool ready = hand_over(binary, payload, last, piece);
    delivering_ = false;
    // A coroutine that ended at once has resumed us within the call.
    if (!ready) busy_ = true;
    return;
  }
  Extras& more = extras();
  if (!more.backlog) more.backlog = std::make_unique<std::deque<Extras::Waiting>>();
  more.backlog->push_back({binary, last, piece, std::string(payload)});
  more.backlog_bytes += more.backlog->back().cost();
}

bool WebSocketConnection::has_backlog() const noexcept { return extras_ && extras_->backlog; }

bool WebSocketConnection::may_read_on(std::size_t backlog_bytes) const noexcept {
  return !waiting_for_drain_ && !peer_ended_ &&
         (!has_backlog() || extras_->backlog_bytes <= backlog_bytes);
}

// Stops reading from a peer that sends faster than its messages are handled, or that does not
// read what its own messages make us write.
void WebSocketConnection::limit_reading() {
  if (has_backlog() && extras_->backlog_bytes > options().max_backlog_bytes) {
    stream_->pause_receiving();
  }
  if (stream_->pending_bytes() > max_queue_bytes() / 2 && !waiting_for_drain_) [[unlikely]] {
    waiting_for_drain_ = true;
    stream_->pause_receiving();
    stream_->request_drain_notice();
  }
}

void WebSocketConnection::resume() {
  busy_ = false;
  if (delivering_) return;
  if (has_backlog()) deliver_backlog();
  if (peer_ended_ && !busy_ && !has_backlog() && state_ == State::open) {
    const std::string reason = take_reason();
    peer_ends(code_, reason, answer_close_);
  }
}

void WebSocketConnection::deliver_backlog() {
  delivering_ = true;
  while (!busy_ && has_backlog() && state_ == State::open) {
    if (extras_->backlog->empty()) {
      extras_->backlog.reset();
      trim_extras();
      break;
    }
    const Extras::Waiting message = std::move(extras_->backlog->front());
    extras_->backlog->pop_front();
    extras_->backlog_bytes -= message.cost();
    busy_ = true;
    if (hand_over(message.binary, message.payload, message.last, message.piece)) busy_ = false;
  }
  delivering_ = false;
  if (stream_ != nullptr && may_read_on(options().max_backlog_bytes / 2)) {
    stream_->resume_receiving();
  }
}

void WebSocketConnection::close(CloseCode code, std::string_view reason) {
  if (state_ != State::open) return;
  write_close(code, reason);
  state_ = State::close_sent;
  if (extras_) extras_->backlog.reset();
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

// Without a close frame: there is nobody to read it.
void WebSocketConnection::drop(CloseCode code, std::string_view reason) {
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->abort();
  end(code, reason);
}

// The stream's part is over; the delegate hears of it in a later step, never inside its own call.
void WebSocketConnection::end(CloseCode code, std::string_view reason) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  code_ = code;
  Extras& more = extras();
  more.reason = reason;
  more.backlog.reset();
  more.outbox.reset();
  if (more.lost != 0) {
    log::format(log::Level::info, area(), "{} messages were dropped for a slow WebSocket peer",
                more.lost);
  }
  // RFC 6455 §7.1.1: the server closes first, after a while for the client to read the last frame;
  // the client waits for that.
  if (stream_ != nullptr) {
    std::exchange(stream_, nullptr)
        ->close(role_ == Role::server ? Stream::Linger::yes : Stream::Linger::peer_first);
  }
  owner_.core().make_ready(more);
}

void WebSocketConnection::report_end() noexcept {
  try {
    delegate_.on_close(code_, extras_ ? std::string_view(extras_->reason) : std::string_view());
  } catch (const std::exception& error) {
    log::format(log::Level::error, area(), "on_close threw: {}", error.what());
  }
  owner_.remove(*this);
  owner_.on_end(*this);
  delete this;
}

void WebSocketConnection::on_eof() { peer_ends(CloseCode::abnormal, {}, false); }

void WebSocketConnection::on_timeout() {
  if (peer_ended_) {  // the delegate is still busy with what came before
    const std::string reason = take_reason();
    end(code_, reason);
  } else if (peer_left_ || state_ == State::close_sent) {
    // Its messages are not taken, or it never answered our close frame.
    drop(CloseCode::abnormal, {});
  } else {
    ping_due();
  }
}

void WebSocketConnection::start_pinging() noexcept {
  if (options().ping_interval > Duration::from_seconds(0)) {
    stream_->set_deadline(options().ping_interval);
  }
}

void WebSocketConnection::ping_due() {
  const Duration interval = options().ping_interval;
  const Duration wished = options().ping_timeout;
  const bool is_own = wished > Duration::from_seconds(0) && wished < interval;
  const Duration timeout = is_own ? wished : interval;
  if (ping_sent_ && !heard_ && stream_->is_receiving()) {
    log::write(log::Level::info, area(), "a WebSocket peer does not answer pings and is dropped");
    drop(CloseCode::abnormal, "no answer to a ping");
    return;
  }
  if (ping_sent_ && is_own) {  // the rest of the interval
    ping_sent_ = false;
    stream_->set_deadline(interval - timeout);
    return;
  }
  // A peer for which much waits is watched by what it takes of that.
  ping_sent_ = stream_->pending_bytes() < low_mark();
  heard_ = false;
  if (ping_sent_) send(Opcode::ping, {});
  stream_->set_deadline(timeout);
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
