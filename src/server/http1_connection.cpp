// SPDX-License-Identifier: Apache-2.0
#include "server/http1_connection.hpp"

#include "base/logging.hpp"
#include "server/http_server.hpp"
#include "transport/websocket_connection.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <utility>

// Reading heads, and the life of the connection. How it begins is in http1_start.cpp, bodies are in
// http1_body.cpp, responses in http1_response.cpp.
namespace squall::server {

using loop::Stream;

namespace {
// Pipelined input that is kept while a response is awaited; past it the connection is not read.
constexpr std::size_t kept_input_bytes = 64 * 1024;
}  // namespace

HTTP1Connection::HTTP1Connection(ServerPort& port, const net::SocketAddress& peer) noexcept
    : ReadyNode(
          [](ReadyNode& node) noexcept { static_cast<HTTP1Connection&>(node).continue_reading(); }),
      server_(port.server),
      port_(port),
      peer_(peer) {}

void HTTP1Connection::on_receive(std::span<char> bytes) {
  const std::string_view in(bytes.data(), bytes.size());
  if (phase_ == Phase::over) return;
  if (holds_input() || input_ != nullptr) {
    if (!input_) input_ = std::make_unique<Input>();
    if (holds_input()) {
      input_->bytes += in;
      if (input_->unread().size() >= kept_input_bytes) stream_->pause_receiving();
      return;
    }
    if (!input_->bytes.empty()) {
      input_->bytes += in;
      process(input_->unread(), true);
      return;
    }
  }
  process(in, false);
}

void HTTP1Connection::process(std::string_view in, bool from_input) {
  processing_ = true;
  reading_ = &in;
  bool more = true;
  while (more && !dead_ && !taken_over_ && !body_paused_) {
    switch (phase_) {
      case Phase::head:
        more = read_head(in, from_input);
        break;
      case Phase::length_body:
        more = read_length_body(in);
        break;
      case Phase::chunked_body:
        more = read_chunked_body(in);
        break;
      case Phase::waiting:
      case Phase::over:
        more = false;
        break;
    }
  }
  processing_ = false;
  reading_ = nullptr;
  if (dead_) {
    destroy();
    return;
  }
  if (taken_over_) {
    // The bytes after the handshake are the WebSocket's first.
    if (upgraded_ != nullptr) upgraded_->take_over(in);
    destroy();
    return;
  }
  if (exchange_ != nullptr && !preserved_) {
    exchange_->preserve();
    preserved_ = true;
  }
  keep(in, from_input);
  // All that was here is used, and more is wanted.
  if (!stream_->is_receiving() && !holds_input() && phase_ != Phase::over) {
    stream_->resume_receiving();
  }
}

// Returns whether to go on.
bool HTTP1Connection::read_head(std::string_view& in, bool from_input) {
  if (in.empty()) {
    if (!head_begun_) stream_->set_deadline(server_.options().idle_timeout);
    return false;
  }
  if (stream_->pending_bytes() >= server_.options().max_pending_bytes) {
    // The client sends requests and does not read the answers.
    stream_->pause_receiving();
    stream_->request_drain_notice();
    phase_ = Phase::waiting;
    return false;
  }
  // A head in pieces has a table of its own: others are parsed between two of its pieces.
  http::RequestHead& head = from_input ? input_->head : server_.scratch_head();
  http::RequestHeadParser fresh;
  http::RequestHeadParser& parser = from_input ? input_->parser : fresh;
  switch (parser.parse(in, head, server_.options().head)) {
    case http::RequestHeadParser::Status::done:
      in.remove_prefix(parser.head_bytes());
      if (from_input) parser.reset();
      head_begun_ = false;
      begin_request(head, in);
      return true;
    case http::RequestHeadParser::Status::failed:
      head_request_ = http_1_0_ = false;
      refuse(http::status_for(parser.error()), http::make_error_code(parser.error()).message());
      return false;
    case http::RequestHeadParser::Status::need_more:
      break;
  }
  if (!head_begun_) {
    // Once: a client that sends a byte a second does not move its deadline.
    head_begun_ = true;
    stream_->set_deadline(server_.options().head_timeout);
  }
  if (!from_input) {
    if (!input_) input_ = std::make_unique<Input>();
    input_->parser = fresh;
    input_->head.assign(head);
  }
  return false;
}

void HTTP1Connection::begin_request(const http::RequestHead& head, std::string_view rest) {
  head_written_ = bodiless_ = chunked_ = has_length_ = preserved_ = false;
  body_begun_ = body_paused_ = false;
  if (input_) input_->has_body = false;
  if (own_write_timeout_) set_write_limits();
  http_1_0_ = head.minor_version() == 0;
  head_request_ = head.method() == http::Method::head;
  const http::RequestFraming framing = http::frame_request(head);
  if (framing.error != http::HeadError{}) {
    refuse(http::status_for(framing.error), http::make_error_code(framing.error).message());
    return;
  }
  if (head.method() == http::Method::unknown || head.method() == http::Method::connect) {
    refuse(501, "the method is not implemented");  // RFC 9110 §15.6.2
    return;
  }
  ++request_count_;
  keep_alive_ = framing.keep_alive && !server_.is_draining() &&
                request_count_ != server_.options().max_requests;
  expect_continue_ = framing.expect_continue;
  stream_->clear_deadline();
  remaining_in_ = framing.content_length;
  switch (framing.body) {
    case http::RequestFraming::Body::none:
      phase_ = Phase::waiting;
      break;
    case http::RequestFraming::Body::length:
      phase_ = Phase::length_body;
      break;
    case http::RequestFraming::Body::chunked:
      phase_ = Phase::chunked_body;
      body_input().decoder = http::ChunkedDecoder();
      remaining_in_ = server_.options().body.max_bytes;
      break;
  }
  exchange_ =
      &(port_.delegate != nullptr ? *port_.delegate : server_.delegate()).start_request(*this);
  exchange_->headers_received(head, framing);
  if (dead_ || taken_over_) return;
  if (framing.body == http::RequestFraming::Body::none) {
    if (exchange_ != nullptr) request_complete();
  } else if (!body_paused_ && exchange_ != nullptr) {
    static_cast<void>(begin_body(rest.empty()));
  }
}

void HTTP1Connection::request_complete(http::Trailers* trailers) {
  expect_continue_ = false;
  stream_->clear_deadline();
  if (exchange_ == nullptr) {  // answered before it was whole: the next one may come
    phase_ = keep_alive_ ? Phase::head : Phase::over;
    return;
  }
  phase_ = Phase::waiting;
  exchange_->message_complete(trailers);
}

// Keeps what was received and not used. `rest` is the end of the input's own bytes, or lies in the
// loop's buffer.
void HTTP1Connection::keep(std::string_view rest, bool from_input) {
  if (from_input) {
    // A long backlog is taken in many steps: it is not moved for each.
    input_->used = input_->bytes.size() - rest.size();
    if (rest.empty()) {
      input_->bytes.clear();
      input_->used = 0;
    } else if (input_->used > rest.size()) {
      input_->bytes.erase(0, input_->used);
      input_->used = 0;
    }
  } else if (!rest.empty()) {
    if (!input_) input_ = std::make_unique<Input>();
    input_->bytes.assign(rest);
  }
  if (!input_ || !input_->bytes.empty()) return;
  if (phase_ == Phase::head || phase_ == Phase::waiting) {
    input_.reset();
  } else if (input_->bytes.capacity() > kept_input_bytes) {
    input_->bytes = std::string();
  }
}

// In a turn after a response that was not finished while its request was read.
void HTTP1Connection::continue_reading() {
  if (taken_over_) {
    destroy();
    return;
  }
  const bool here = input_ && !input_->bytes.empty();
  if (in_body() && (exchange_ != nullptr || keep_alive_)) {
    // After a pause, or to be discarded.
    if (body_paused_) return;
    if (!body_begun_ && !begin_body(!here)) return;
    process(here ? input_->unread() : std::string_view(), here);
    return;
  }
  if (!keep_alive_) {
    const bool unread = phase_ == Phase::over || in_body() || here;
    close(unread ? Stream::Linger::yes : Stream::Linger::no);
    return;
  }
  phase_ = Phase::head;
  // While a backlog is worked off no more is taken in: process() goes on when it is used up.
  if (here) {
    process(input_->unread(), true);
  } else {
    input_.reset();
    stream_->resume_receiving();
    stream_->set_deadline(server_.options().idle_timeout);
  }
}

void HTTP1Connection::on_eof() {
  // A client that shut down its sending side has been answered by now, unless a handler still works
  // on it; like most servers we take that for leaving.
  drop_exchange();
  close(Stream::Linger::no);
}

// Behind pipelined requests that are not read yet. Behind a body it will be seen when that is read.
void HTTP1Connection::on_peer_left() {
  if (exchange_ != nullptr && !in_body()) on_eof();
}

void HTTP1Connection::on_drained() {
  if (exchange_ != nullptr) {
    exchange_->on_drained();
  } else if (phase_ == Phase::waiting) {
    continue_reading();  // it was held back in read_head()
  }
}

void HTTP1Connection::on_timeout() {
  switch (phase_) {
    case Phase::head:
      if (head_begun_) {
        refuse(408, "the head took too long");
      } else {
        close(Stream::Linger::no);
      }
      break;
    case Phase::length_body:
    case Phase::chunked_body:
      refuse_body(408, "the body took too long");
      break;
    case Phase::waiting:
    case Phase::over:
      break;
  }
}

void HTTP1Connection::on_broken(std::error_code error) {
  if (!secure_ || secure_->filter->is_handshake_done()) {  // of a handshake it has been said before
    log::format(log::Level::debug, "server", "{}: {}", peer_.to_string(), error.message());
  }
  stream_ = nullptr;
  drop_exchange();
  destroy();
}

void HTTP1Connection::drain() {
  keep_alive_ = false;
  if (exchange_ != nullptr) {
    exchange_->on_shutdown();
    return;
  }
  if (ReadyNode::is_linked() || phase_ == Phase::waiting) return;
  if (phase_ == Phase::head && (head_begun_ || request_count_ == 0 || server_.keeps_idle())) {
    // Its request is on the way. Clients try again when a connection that they used before is
    // closed under them, but not when a new one is.
    stream_->set_deadline(server_.options().drain_grace);
    return;
  }
  close(in_body() ? Stream::Linger::yes : Stream::Linger::no);
}

void HTTP1Connection::abort_now() noexcept {
  drop_exchange();
  if (stream_ != nullptr) stream_->abort();
  stream_ = nullptr;
  destroy();
}

// Not from within the handler: the next request would run on its stack.
void HTTP1Connection::go_on_later() noexcept {
  if (!processing_ && !ReadyNode::is_linked()) server_.core().make_ready(*this);
}

void HTTP1Connection::drop_exchange() {
  if (exchange_ != nullptr) std::exchange(exchange_, nullptr)->on_connection_close();
}

void HTTP1Connection::close(Stream::Linger linger) {
  stream_->close(linger);
  stream_ = nullptr;
  destroy();
}

void HTTP1Connection::destroy() {
  if (processing_) {
    dead_ = true;
    return;
  }
  server_.remove(*this);
  delete this;
}

}  // namespace squall::server
