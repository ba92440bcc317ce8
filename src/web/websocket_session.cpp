// SPDX-License-Identifier: Apache-2.0
#include "web/websocket_session.hpp"

#include "base/logging.hpp"
#include "web/access_log.hpp"
#include "web/call_on_close.hpp"
#include "web/exchange.hpp"
#include "web/hub_subscribers.hpp"
#include "websocket/deflate_negotiation.hpp"
#include "websocket/handshake.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace squall::web {

using websocket::CloseCode;

WebSocketSession::WebSocketSession(Exchange& exchange, WebSocketHandler& handler,
                                   const detail::SocketType& type)
    : handler_(&handler), type_(type) {
  make_details(exchange.worker());
  details_->exchange = &exchange;
  details_->opening = true;
  handler.session_ = this;
}

WebSocketSession::~WebSocketSession() {
  if (details_) details_->runner.cancel();
  delete handler_;
  drop_details();
}

WebSocketSession::Details::Details(Worker& of) noexcept : worker(of) {}
WebSocketSession::Details::~Details() = default;

WebSocketSubscriber& WebSocketSession::subscriber() {
  Details& own = own_details();
  if (!own.subscriber) own.subscriber = std::make_unique<WebSocketSubscriber>(*this);
  return *own.subscriber;
}

void WebSocketSession::make_details(Worker& worker) {
  details_ = std::make_unique<Details>(worker);
  worker.add(*this);
}

WebSocketSession::Details& WebSocketSession::own_details() {
  if (!details_) make_details(Worker::of(server::HTTPServer::of(*connection_)));
  return *details_;
}

void WebSocketSession::drop_details() noexcept {
  if (!details_) return;
  if (details_->exchange != nullptr) details_->exchange->release_request();
  if (details_->stop != nullptr) details_->stop->release();
  details_->worker.remove(*this);
  details_.reset();
}

Task<> WebSocketSession::accept(Exchange& exchange, const detail::SocketType& type) {
  return run_accept(&exchange, &type);
}

Task<> WebSocketSession::run_accept(Exchange* exchange, const detail::SocketType* type) {
  auto& handler = static_cast<WebSocketHandler&>(exchange->handler());
  Task<> prepared = exchange->prepare();
  co_await prepared;
  if (exchange->is_finished() || exchange->is_closed()) co_return;
  if (!exchange->lets_in()) co_return;

  const http::RequestHead& head = exchange->head();
  const Result<std::string_view> key = websocket::check_handshake(head);
  if (!key) {
    const auto why = static_cast<websocket::HandshakeError>(key.error().value());
    exchange->refuse_websocket(websocket::status_for(why), websocket::text_for(why));
    co_return;
  }
  // Without Origin the client is no browser, and no page can misuse it (RFC 6455 §10.2).
  if (head.has(http::FieldId::origin) && !handler.check_origin(head.field(http::FieldId::origin))) {
    exchange->refuse_websocket(
        403,
        "this origin may not connect: it is not the host's own; see websocket_allowed_origins");
    co_return;
  }
  const std::vector<std::string_view> offered = websocket::offered_subprotocols(head);
  const std::string subprotocol(handler.select_subprotocol(offered));
  if (!subprotocol.empty() &&
      std::find(offered.begin(), offered.end(), subprotocol) == offered.end()) {
    throw UsageError("select_subprotocol() chose \"" + subprotocol +
                     "\", which the client does not offer");
  }
  const websocket::CompressionOptions compression = handler.get_compression_options();
  websocket::check(compression);
  const auto deflate = websocket::accept_deflate(head, compression);
  if (!deflate) {
    exchange->refuse_websocket(400, "Sec-WebSocket-Extensions is malformed");
    co_return;
  }
  if (*deflate) exchange->set_header("Sec-WebSocket-Extensions", (*deflate)->answer);
  const websocket::AcceptValue accept = websocket::accept_value(*key);
  exchange->clear_header("Content-Type");
  exchange->set_header("Sec-WebSocket-Accept", std::string_view(accept.data(), accept.size()));
  if (!subprotocol.empty()) exchange->set_header("Sec-WebSocket-Protocol", subprotocol);

  if (type->open.fits != nullptr && !type->open.fits(exchange->path_arguments())) {
    exchange->refuse_websocket(404, "a path argument is not of its parameter's type");
    co_return;
  }

  exchange->show_upgrade();
  auto* const session = new WebSocketSession(*exchange, handler, *type);
  if (!subprotocol.empty()) session->own_details().subprotocol = subprotocol;
  session->connection_ = &exchange->upgrade(*session);
  if (*deflate) session->connection_->set_deflate((*deflate)->parameters, compression);
  exchange->release_handler();
  log_request(*exchange, handler);
  std::exception_ptr error;
  try {
    if (type->open.plain != nullptr) {
      type->open.plain(handler, exchange->path_arguments());
    } else if (type->open.coroutine != nullptr) {
      Task<> opening = type->open.coroutine(handler, exchange->path_arguments());
      co_await opening;
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (error) session->failed("open", error);
  session->opened(*exchange);
}

// open() has ended: gives the request's memory back and lets messages come.
void WebSocketSession::opened(Exchange& exchange) {
  details_->opening = false;
  const bool was_read = details_->reader.has_value();
  details_->reader.reset();
  if (!details_->keep_request) {
    handler_->drop_exchange();
    details_->exchange = nullptr;
    exchange.release_request();
  }
  if (connection_ == nullptr) {
    end();
    return;
  }
  if (was_read) connection_->close(CloseCode::normal, {});
  if (!details_->is_needed()) drop_details();
  connection_->resume();
}

void WebSocketSession::failed(const char* where, std::exception_ptr error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    if (connection_ == nullptr) return;  // because the connection has ended
    log::format(log::Level::warning, "app", "{} was cancelled", where);
  } catch (const StreamClosedError&) {
    if (connection_ == nullptr) return;
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "{} threw: {}", where, what.what());
  } catch (...) {
    log::format(log::Level::error, "app", "{} threw something unknown", where);
  }
  if (connection_ != nullptr) connection_->fail(CloseCode::internal_error, {});
}

bool WebSocketSession::on_message(bool binary, std::string_view payload) {
  if (is_reading()) return details_->reader->received(binary, payload, true);
  if (type_.message_plain != nullptr) {
    connection_->owner().core().set_activity(typeid(*handler_).name());
    try {
      type_.message_plain(*handler_, payload, binary);
    } catch (...) {
      failed("on_message", std::current_exception());
    }
    return true;
  }
  if (type_.message_coroutine == nullptr) return true;
  Details& own = own_details();
  own.message = std::make_unique<std::string>(payload);
  if (own.stop == nullptr) own.stop = squall::detail::StopState::create();
  own.starting = true;
  try {
    own.runner.start(type_.message_coroutine(*handler_, *own.message, binary), own.stop,
                     &WebSocketSession::message_done, this);
  } catch (...) {
    failed("on_message", std::current_exception());
  }
  own.starting = false;
  return !own.runner.is_running();
}

bool WebSocketSession::on_piece(bool binary, std::string_view piece, bool last) {
  // Of a message that was read in part when open() returned, the rest means nothing.
  return !is_reading() || details_->reader->received(binary, piece, last);
}

bool WebSocketSession::is_reading() const noexcept { return details_ && details_->reader; }

MessageReader* WebSocketSession::reader() {
  if (type_.message_plain != nullptr || type_.message_coroutine != nullptr) {
    throw UsageError("read() in a handler that has on_message(), which gets the messages");
  }
  if (connection_ == nullptr) return nullptr;
  if (!is_opening()) throw UsageError("read() when open() has ended: read in open()");
  if (!details_->reader) details_->reader.emplace(*connection_);
  return &*details_->reader;
}

void WebSocketSession::message_done(void* context, std::exception_ptr error) {
  auto* const self = static_cast<WebSocketSession*>(context);
  self->details_->message.reset();
  if (error) self->failed("on_message", std::move(error));
  if (self->connection_ == nullptr) {
    self->end();
  } else if (!self->details_->starting) {
    self->connection_->resume();
  }
}

void WebSocketSession::on_ping(std::string_view payload) {
  try {
    handler_->on_ping(payload);
  } catch (...) {
    failed("on_ping", std::current_exception());
  }
}

void WebSocketSession::on_pong(std::string_view payload) {
  try {
    handler_->on_pong(payload);
  } catch (...) {
    failed("on_pong", std::current_exception());
  }
}

void WebSocketSession::on_drained() { output_is_out(); }

void WebSocketSession::on_close(CloseCode code, std::string_view reason) {
  Details& own = own_details();
  own.code = code;
  own.reason = reason;
  connection_ = nullptr;
  own.subscriber.reset();
  client_is_gone();
  if (own.opening) {
    const bool was_waited_for = is_reading() && details_->reader->is_awaited();
    if (is_reading()) details_->reader->close();
    if (!was_waited_for) details_->exchange->request_stop();
  } else if (own.runner.is_running()) {
    own.stop->request_stop();
  } else {
    end();
  }
}

// The connection is gone and nothing runs any more.
void WebSocketSession::end() noexcept {
  call_on_close(type_.close, *handler_);
  delete this;
}

void WebSocketSession::abandon() noexcept {
  connection_ = nullptr;
  client_is_gone();
  if (details_) {
    details_->runner.cancel();
    details_->reader.reset();
  }
  end();
}

SendResult WebSocketSession::send(websocket::Opcode opcode, std::string_view payload,
                                  std::string_view key) {
  if (connection_ == nullptr) return SendResult::closed;
  return connection_->send(opcode, payload, key);
}

SendResult WebSocketSession::send(transport::SharedFrame& message, std::string_view key) {
  return connection_ != nullptr ? connection_->send(message, key) : SendResult::closed;
}

SendResult WebSocketSession::send_part(std::string_view piece, bool last, bool binary) {
  if (connection_ == nullptr) return SendResult::closed;
  return connection_->send_part(binary ? websocket::Opcode::binary : websocket::Opcode::text, piece,
                                last);
}

void WebSocketSession::set_slow_consumer(SlowConsumer policy, std::size_t max_bytes) {
  if (connection_ != nullptr) connection_->set_slow_consumer(policy, max_bytes);
}

void WebSocketSession::set_max_message_size(std::size_t bytes) noexcept {
  if (connection_ != nullptr) connection_->set_max_message_bytes(bytes);
}

void WebSocketSession::close(CloseCode code, std::string_view reason) {
  if (connection_ != nullptr) connection_->close(code, reason);
}

void WebSocketSession::request_drain_notice() noexcept {
  if (connection_ != nullptr) connection_->request_drain_notice();
}

}  // namespace squall::web
