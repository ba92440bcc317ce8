// SPDX-License-Identifier: Apache-2.0
#include "web/exchange.hpp"

#include "base/logging.hpp"
#include "loop/clock.hpp"
#include "web/access_log.hpp"
#include "web/event_stream.hpp"
#include "web/recycle.hpp"
#include "web/websocket_session.hpp"

#include <squall/base/error.hpp>

#include <functional>
#include <utility>

// The life of an exchange: running the handler, ending. Who answers is in exchange_route.cpp, the
// request's body in exchange_body.cpp, what is written in response.cpp.
namespace squall::web {

Exchange::~Exchange() {
  runner_.cancel();
  delete handler_;
}

void Exchange::start(server::ResponseWriter& writer) {
  writer_ = &writer;
  peer_ = writer.peer();
  secure_ = writer.is_secure();
  if (worker_.application().settings.access_log) started_ns_ = loop::monotonic_ns();
}

const net::TLSInfo* Exchange::tls() {
  if (!secure_) return nullptr;
  if (!tls_info_) {
    tls_info_ =
        std::make_unique<net::TLSInfo>(writer_ != nullptr ? writer_->tls_info() : net::TLSInfo());
  }
  return tls_info_.get();
}

const Forwarding* Exchange::forwarding() const noexcept {
  const Application::Impl& impl = worker_.application();
  if (impl.trusted_proxies.empty()) return nullptr;
  if (!forwarding_ && impl.trusted_proxies.contains(peer_)) {
    try {
      forwarding_ =
          read_forwarding(*head_, peer_, impl.trusted_proxies, impl.settings.proxy_headers);
    } catch (const std::exception& error) {
      log::format(log::Level::error, "server", "cannot read forwarding fields: {}", error.what());
    }
  }
  return forwarding_ ? &*forwarding_ : nullptr;
}

net::SocketAddress Exchange::client() const noexcept {
  const Forwarding* const forwarded = forwarding();
  return forwarded != nullptr ? forwarded->client : peer_;
}

bool Exchange::client_is_secure() const noexcept {
  using Scheme = Forwarding::Scheme;
  const Forwarding* const forwarded = forwarding();
  Scheme scheme = forwarded != nullptr ? forwarded->scheme : Scheme::unknown;
  if (scheme == Scheme::unknown) scheme = worker_.application().scheme;
  return scheme == Scheme::unknown ? secure_ : scheme == Scheme::https;
}

std::string_view Exchange::host() const noexcept {
  const Forwarding* const forwarded = forwarding();
  return forwarded != nullptr && !forwarded->host.empty() ? std::string_view(forwarded->host)
                                                          : head_->authority();
}

std::uint64_t Exchange::elapsed_ns() const noexcept {
  return started_ns_ != 0 ? loop::monotonic_ns() - started_ns_ : 0;
}

void Exchange::adopt(RequestHandler* handler) noexcept {
  handler_ = handler;
  handler_->exchange_ = this;
}

void Exchange::run() {
  running_ = true;
  const detail::HandlerType& type = spec_->factory()->type;
  worker_.core().set_activity(type.type->name());
  makes_etag_ = type.computes_etag || worker_.application().settings.auto_etag;
  // A coroutine reads the request later: it must not lie in the receive buffer then.
  if (verb_ == nullptr || verb_->coroutine != nullptr || body_stream() != nullptr) preserve();
  decode_arguments();
  if (chain_ != nullptr && !pass_chain()) return;
  check_forgery();
  if (type.events != nullptr) {
    run_coroutine(EventStream::accept(*this, *type.events), nullptr);
    return;
  }
  if (type.socket != nullptr) {
    run_coroutine(WebSocketSession::accept(*this, *type.socket), nullptr);
    return;
  }
  Task<> prepared = prepare();
  if (prepared || verb_->coroutine != nullptr || body_stream() != nullptr) {
    preserve();
    run_coroutine(std::move(prepared), verb_);
    return;
  }
  answer_verb(verb_);
}

// The plain verb's fast path.
void Exchange::answer_verb(const detail::VerbEntry* verb) {
  if (finished_ || !lets_in()) return;
  verb->plain(*handler_, path_arguments());
  if (rest_) [[unlikely]] {
    preserve();
    run_coroutine(std::move(rest_), nullptr);
    return;
  }
  if (!finished_) finish();
}

void Exchange::run_coroutine(Task<> prepared, const detail::VerbEntry* verb) {
  stop_.emplace();
  runner_.start(drive(this, std::move(prepared), verb), stop_->state(), &Exchange::driven, this);
}

Task<> Exchange::drive(Exchange* self, Task<> prepared, const detail::VerbEntry* verb) {
  co_await prepared;
  if (verb == nullptr || self->finished_ || self->closed_) co_return;
  if (!self->lets_in()) co_return;
  if (self->body_stream() != nullptr) {
    self->intake_->start(self->decodes_body(), self->body_limits_.max_bytes);
    if (self->spec_->factory()->type.body == detail::BodyMode::pushed) {
      Task<> feeding = feed(self);
      co_await feeding;
      if (self->finished_ || self->closed_) co_return;
    }
  }
  if (verb->plain != nullptr) {
    verb->plain(*self->handler_, self->path_arguments());
  } else {
    Task<> running = verb->coroutine(*self->handler_, self->path_arguments());
    co_await running;
  }
  Task<> rest = std::move(self->rest_);
  co_await rest;
  if (!self->finished_ && !self->closed_ && !self->in_chain_) self->finish();
}

// Hands the body to the handler's data_received().
Task<> Exchange::feed(Exchange* self) {
  const RequestBody body = self->request_.body();
  for (;;) {
    const std::string_view piece = co_await body.read();
    if (piece.empty()) co_return;
    Task<> received = self->handler_->data_received(piece);
    co_await received;
    if (self->finished_ || self->closed_) co_return;
  }
}

void Exchange::driven(void* context, std::exception_ptr error) {
  auto* const self = static_cast<Exchange*>(context);
  ++self->entered_;
  if (error) self->failed(std::move(error));
  --self->entered_;
  self->recycle_if_over();
}

void Exchange::failed(std::exception_ptr error) {
  try {
    try {
      std::rethrow_exception(error);
    } catch (const Finish&) {
      if (!finished_ && !closed_) finish();
    } catch (const CancelledError&) {
      if (!closed_) throw;  // not because the client left
    } catch (const StreamClosedError&) {
      if (!closed_) throw;
    } catch (const HTTPError& what) {
      log_failure(error);
      send_error(what.status() >= 400 && what.status() < 600 ? what.status() : 500, error,
                 what.reason());
    }
  } catch (...) {
    log_failure(std::current_exception());
    send_error(500, std::move(error));
  }
}

void Exchange::log_failure(std::exception_ptr error) noexcept {
  try {
    if (handler_ != nullptr) {
      handler_->log_exception(error);
    } else {
      write_down(error);
    }
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "log_exception threw: {}", what.what());
  } catch (...) {
    log::write(log::Level::error, "app", "log_exception threw something unknown");
  }
}

void Exchange::write_down(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const HTTPError& what) {
    if (!what.has_log_message()) return;
    log::format(log::Level::warning, "app", "{} {} {} ({}): {}", what.status(),
                head_->method_name(), head_->target(), client().ip(), what.what());
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "{} {} ({}) threw: {}", head_->method_name(),
                head_->target(), client().ip(), what.what());
  } catch (...) {
    log::format(log::Level::error, "app", "{} {} ({}) threw something unknown",
                head_->method_name(), head_->target(), client().ip());
  }
}

// The response has been handed over.
void Exchange::finished() {
  finished_ = true;
  writer_ = nullptr;
  if (intake_) intake_->close();  // what is left of it, the connection discards
  log_request(*this, *handler_);
  try {
    handler_->on_finish();
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "on_finish threw: {}", what.what());
  }
  leave_background_tasks();
}

void Exchange::request_drain_notice() noexcept {
  if (writer_ != nullptr) writer_->request_drain_notice();
}

void Exchange::on_drained() {
  if (coder_ && coder_->is_busy()) return;  // there is more to come
  output_is_out();
}

void Exchange::on_shutdown() {
  if (handler_ == nullptr || finished_) return;
  ++entered_;
  try {
    handler_->on_shutdown();
  } catch (const std::exception& error) {
    log::format(log::Level::error, "app", "on_shutdown threw: {}", error.what());
  }
  --entered_;
  recycle_if_over();
}

void Exchange::on_connection_close() {
  writer_ = nullptr;
  closed_ = true;
  ++entered_;
  if (intake_) intake_->close();
  client_is_gone();
  if (handler_ != nullptr) {
    try {
      handler_->on_connection_close();
    } catch (const std::exception& what) {
      log::format(log::Level::error, "app", "on_connection_close threw: {}", what.what());
    }
    if (stop_ && handler_->cancel_on_disconnect()) stop_->request_stop();
  }
  --entered_;
  recycle_if_over();
}

StopToken Exchange::stop_token() {
  if (!stop_) stop_.emplace();
  return stop_->get_token();
}

RequestHandler* Exchange::release_handler() noexcept { return std::exchange(handler_, nullptr); }

void Exchange::release_request() noexcept {
  held_ = false;
  if (entered_ == 0) recycle_if_over();
}

void Exchange::recycle_if_over() {
  if (entered_ != 0 || writer_ != nullptr || held_ || runner_.is_running()) return;
  worker_.recycle(*this);
}

void Exchange::abandon() noexcept {
  writer_ = nullptr;
  held_ = false;
  if (intake_) intake_->close();
  runner_.cancel();
}

void Exchange::reset() noexcept {
  client_is_gone();  // for tasks that outlive their handler
  delete std::exchange(handler_, nullptr);
  head_ = nullptr;
  started_ns_ = 0;
  body_in_place_ = {};
  recycle(body_in_);
  recycle(head_bytes_);
  recycle(body_out_);
  intake_.reset();
  coder_.reset();
  coding_wish_ = CodingWish::by_settings;
  spec_ = nullptr;
  scope_ = nullptr;
  chain_ = nullptr;
  request_id_.clear();
  position_ = taken_ = 0;
  running_ = chain_begun_ = in_chain_ = in_after_ = after_threw_ = refuses_ = false;
  verb_ = nullptr;
  if (!trailers_.empty()) trailers_ = {};
  trailers_out_.clear();
  match_.target = nullptr;
  match_.argument_count = 0;
  query_arguments_.reset();
  body_arguments_.reset();
  files_.clear();
  tls_info_.reset();
  if (visitor_) forget_visitor();
  forwarding_.reset();
  locale_ = nullptr;
  headers_.clear();
  recycle(header_text_);
  cookies_.clear();
  reason_.clear();
  stop_.reset();
  status_ = 200;
  preserved_ = head_written_ = finished_ = closed_ = held_ = selected_ = body_taken_ = false;
  send_server_ = send_date_ = true;
  has_validator_ = makes_etag_ = false;
  rest_ = Task<>();
  background_.clear();
}

}  // namespace squall::web
