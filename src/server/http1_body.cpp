// SPDX-License-Identifier: Apache-2.0
#include "server/http1_connection.hpp"
#include "server/http_server.hpp"

#include <algorithm>
#include <utility>

// Reading the body of a request: its framing, its limits, and holding it back for a slow
// application.
namespace squall::server {

using loop::Stream;

namespace {
// What is read and thrown away of a body whose request has been answered, so that the connection
// can go on; a longer rest closes it.
constexpr std::uint64_t discard_bytes = 256 * 1024;
}  // namespace

// What is kept of a body that takes more than one read.
HTTP1Connection::Input& HTTP1Connection::body_input() {
  if (!input_) input_ = std::make_unique<Input>();
  if (input_->has_body) return *input_;
  input_->has_body = true;
  input_->limits = server_.options().body;
  input_->received = 0;
  input_->read_since_ms = input_->paused_since_ms = server_.core().now_ms();
  return *input_;
}

// Before the first byte. Returns whether to read on.
bool HTTP1Connection::begin_body(bool nothing_here) {
  body_begun_ = true;
  if (phase_ == Phase::length_body) {
    const BodyLimits& limits = input_ && input_->has_body ? input_->limits : server_.options().body;
    if (remaining_in_ > limits.max_bytes) {
      refuse_body(413, "the body is larger than the limit");
      return false;
    }
  }
  if (expect_continue_ && nothing_here && !head_written_) {
    stream_->write("HTTP/1.1 100 Continue\r\n\r\n");  // RFC 9110 §10.1.1
  }
  expect_continue_ = false;
  return true;
}

bool HTTP1Connection::read_length_body(std::string_view& in) {
  if (remaining_in_ == 0) {
    request_complete();
    return true;
  }
  if (in.empty()) {
    await_body();
    return false;
  }
  const std::string_view piece =
      in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), remaining_in_)));
  in.remove_prefix(piece.size());
  remaining_in_ -= piece.size();
  // Paused by the last piece: its end is told when it goes on.
  if (take_body(piece) && remaining_in_ == 0 && !body_paused_) request_complete();
  return true;
}

bool HTTP1Connection::read_chunked_body(std::string_view& in) {
  if (in.empty()) {
    await_body();
    return false;
  }
  const auto step = input_->decoder.next(in);
  if (!step) {
    refuse_body(http::status_for(static_cast<http::ChunkError>(step.error().value())),
                step.error().message());
    return false;
  }
  if (!step->data.empty()) {
    if (step->data.size() > remaining_in_) {
      refuse_body(413, "the body is larger than the limit");
      return false;
    }
    remaining_in_ -= step->data.size();
    in.remove_prefix(step->consumed);
    static_cast<void>(take_body(step->data));
    return true;
  }
  in.remove_prefix(step->consumed);
  if (step->done) {
    http::Trailers trailers = input_->decoder.take_trailers();
    request_complete(trailers.empty() ? nullptr : &trailers);
  }
  return true;
}

// Hands on a piece. Returns whether the same body is still read.
bool HTTP1Connection::take_body(std::string_view piece) {
  const Phase before = phase_;
  if (input_) input_->received += piece.size();
  if (exchange_ == nullptr) return true;  // discarded
  exchange_->data_received(piece);
  return !dead_ && phase_ == before;
}

// More of the body has to come: until when?
void HTTP1Connection::await_body() {
  const BodyLimits& limits = body_input().limits;
  Duration patience = limits.timeout;
  if (limits.min_rate != 0) {
    const std::uint64_t allowed = input_->read_since_ms +
                                  static_cast<std::uint64_t>(limits.rate_grace.milliseconds()) +
                                  input_->received * 1000 / limits.min_rate;
    const std::uint64_t now = server_.core().now_ms();
    const std::uint64_t left = allowed > now ? allowed - now : 0;
    patience = std::min(patience, Duration::from_milliseconds(static_cast<std::int64_t>(left)));
  }
  stream_->set_deadline(patience);
}

// The client is answered by the connection itself, if it still can be; the handler hears that it
// has lost its request.
void HTTP1Connection::refuse_body(unsigned status, std::string_view why) {
  const bool answered = head_written_;
  const bool handled = exchange_ != nullptr;
  drop_exchange();
  body_paused_ = false;
  if (!answered) {
    refuse(status, why);
  } else if (handled) {
    stream_->abort();  // a part of the response is out: the client must see that it is broken
    stream_ = nullptr;
    destroy();
  } else {
    close(Stream::Linger::yes);
  }
}

bool HTTP1Connection::may_discard() const noexcept {
  if (expect_continue_) return false;  // the client may send it or may not (RFC 9110 §10.1.1)
  return phase_ == Phase::chunked_body || remaining_in_ <= discard_bytes;
}

void HTTP1Connection::discard_body() noexcept {
  body_begun_ = true;
  body_paused_ = false;
  remaining_in_ = std::min(remaining_in_, discard_bytes);
}

void HTTP1Connection::pause_body() noexcept {
  if (body_paused_ || !in_body()) return;
  body_paused_ = true;
  stream_->clear_deadline();  // the client is not to blame
  body_input().paused_since_ms = server_.core().now_ms();
}

void HTTP1Connection::resume_body() noexcept {
  if (!body_paused_) return;
  body_paused_ = false;
  input_->read_since_ms += server_.core().now_ms() - input_->paused_since_ms;
  go_on_later();
}

void HTTP1Connection::set_body_limits(const BodyLimits& limits) {
  if (!in_body()) return;
  body_input().limits = limits;
  if (phase_ == Phase::chunked_body) remaining_in_ = limits.max_bytes;
}

}  // namespace squall::server
