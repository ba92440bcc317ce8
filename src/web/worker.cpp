// SPDX-License-Identifier: Apache-2.0
#include "web/worker.hpp"

#include "web/event_stream.hpp"
#include "web/exchange.hpp"
#include "web/file_cache.hpp"
#include "web/websocket_session.hpp"

namespace squall::web {
namespace {

server::ServerOptions server_options(const Application::Impl& application) {
  const Settings& settings = application.settings;
  server::ServerOptions options;
  options.gate = application.gate.get();
  options.head.head_bytes = settings.max_header_size;
  options.body.max_bytes = settings.max_body_size;
  options.body.timeout = settings.body_timeout;
  options.body.min_rate = settings.min_body_rate;
  options.max_requests = settings.max_requests_per_connection;
  options.min_write_rate = settings.min_write_rate;
  options.max_pending_bytes = settings.max_write_buffer;
  options.websocket.max_message_bytes = settings.websocket_max_message_size;
  options.websocket.max_queue_bytes = settings.websocket_max_queue;
  options.websocket.max_backlog_bytes = settings.websocket_max_queue;
  options.websocket.slow_consumer = settings.websocket_slow_consumer;
  options.websocket.stall_timeout = settings.websocket_stall_timeout;
  options.websocket.write_timeout = settings.write_timeout;
  options.websocket.ping_interval = settings.websocket_ping_interval;
  options.websocket.ping_timeout = settings.websocket_ping_timeout;
  options.websocket.compression = settings.websocket_compression;
  options.head_timeout = settings.header_timeout;
  options.idle_timeout = settings.idle_connection_timeout;
  options.write_timeout = settings.write_timeout;
  return options;
}

}  // namespace

Worker::Worker(Application::Impl& application, loop::LoopCore& core)
    : application_(application), core_(core), server_(core, *this, server_options(application)) {
  streamed_body_limits_ = server_.options().body;
  streamed_body_limits_.max_bytes = application.settings.max_streamed_body_size;
}

Worker::~Worker() {
  server_.stop_accepting();
  server_.abort_all();
  while (streams_ != nullptr) streams_->abandon();  // they still use their exchanges
  while (active_ != nullptr) {
    Exchange* const exchange = active_;
    active_ = exchange->next_;
    exchange->abandon();
    if (active_ != nullptr) active_->previous_ = nullptr;
    delete exchange;
  }
  while (sessions_ != nullptr) sessions_->abandon();
  for (Exchange* const exchange : spare_) delete exchange;
}

FileCache& Worker::files() {
  if (!files_) files_ = std::make_shared<FileCache>(core_, application_.mime_types);
  return *files_;
}

server::MessageDelegate& Worker::start_request(server::ResponseWriter& writer) {
  Exchange* exchange = nullptr;
  if (!spare_.empty()) {
    exchange = spare_.back();
    spare_.pop_back();
  } else {
    exchange = new Exchange(*this);
  }
  exchange->next_ = active_;
  exchange->previous_ = nullptr;
  if (active_ != nullptr) active_->previous_ = exchange;
  active_ = exchange;
  exchange->start(writer);
  return *exchange;
}

void Worker::recycle(Exchange& exchange) noexcept {
  if (exchange.next_ != nullptr) exchange.next_->previous_ = exchange.previous_;
  (exchange.previous_ != nullptr ? exchange.previous_->next_ : active_) = exchange.next_;
  exchange.reset();
  if (spare_.size() < spare_exchanges) {
    spare_.push_back(&exchange);
  } else {
    delete &exchange;
  }
}

void Worker::add(WebSocketSession& session) noexcept {
  session.details_->next = sessions_;
  session.details_->previous = nullptr;
  if (sessions_ != nullptr) sessions_->details_->previous = &session;
  sessions_ = &session;
}

void Worker::remove(WebSocketSession& session) noexcept {
  const WebSocketSession::Details& at = *session.details_;
  if (at.next != nullptr) at.next->details_->previous = at.previous;
  (at.previous != nullptr ? at.previous->details_->next : sessions_) = at.next;
}

void Worker::add(EventStream& stream) noexcept {
  stream.next_ = streams_;
  if (streams_ != nullptr) streams_->previous_ = &stream;
  streams_ = &stream;
}

void Worker::remove(EventStream& stream) noexcept {
  if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
  (stream.previous_ != nullptr ? stream.previous_->next_ : streams_) = stream.next_;
}

}  // namespace squall::web
