// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "web/event_stream.hpp"
#include "web/exchange.hpp"
#include "web/websocket_session.hpp"

#include <squall/base/error.hpp>

#include <exception>
#include <utility>

// The middleware around a handler. Plain ones are called one after the other and the handler goes
// on as without them; from the first that waits on, all is a coroutine.
namespace squall::web {

Task<> Next::operator()() const { return exchange_->go_on(position_); }

detail::MiddlewareObject::~MiddlewareObject() = default;
Task<> detail::MiddlewareObject::before(RequestHandler&) { return {}; }
void detail::MiddlewareObject::after(RequestHandler&) {}
Task<> detail::MiddlewareObject::around(RequestHandler&, Next) { return {}; }

/// False when the request is answered, or will be by what has been started.
bool Exchange::pass_chain() {
  chain_begun_ = true;
  while (position_ < chain_->size()) {
    detail::MiddlewareObject& one = (*chain_)[position_].object();
    if (one.has_around) {
      preserve();
      run_coroutine(drive_chain(this, {}), nullptr);
      return false;
    }
    ++position_;
    Task<> waiting = one.before(front_);
    if (finished_) return false;
    if (waiting) {
      preserve();
      run_coroutine(drive_chain(this, std::move(waiting)), nullptr);
      return false;
    }
  }
  return true;
}

Task<> Exchange::drive_chain(Exchange* self, Task<> waiting) {
  self->in_chain_ = true;
  co_await waiting;
  if (!self->finished_ && !self->closed_) {
    Task<> rest = follow(self);
    co_await rest;
  }
  if (!self->finished_ && !self->closed_) self->finish();
}

/// The rest of the chain, and the handler.
Task<> Exchange::follow(Exchange* self) {
  while (self->position_ < self->chain_->size()) {
    detail::MiddlewareObject& one = (*self->chain_)[self->position_++].object();
    Task<> before = one.before(self->front_);
    co_await before;
    if (self->finished_ || self->closed_) co_return;
    if (one.has_around) {
      Task<> around = one.around(self->front_, Next(*self, self->position_));
      co_await around;
      co_return;
    }
  }
  self->check_forgery();
  const detail::HandlerType& type = self->spec_->factory()->type;
  Task<> answering;
  if (type.events != nullptr) {
    answering = EventStream::accept(*self, *type.events);
  } else if (type.socket != nullptr) {
    answering = WebSocketSession::accept(*self, *type.socket);
  } else {
    answering = drive(self, self->prepare(), self->verb_);
  }
  co_await answering;
}

Task<> Exchange::go_on(std::size_t position) {
  if (position <= taken_) throw UsageError("next() goes on once: it has been called before");
  taken_ = static_cast<std::uint16_t>(position);
  if (closed_) return {};
  if (finished_)
    throw UsageError("next() after the response is finished: there is no handler to run");
  return follow(this);
}

void Exchange::show_head() {
  if (in_after_) {
    throw UsageError("a middleware's after() changes the head of a response; answer in before()");
  }
  in_after_ = true;
  // What is refused before its chain began is shown to all of that.
  std::size_t entered = chain_begun_ ? position_ : chain_->size();
  while (entered-- > 0) {
    detail::MiddlewareObject& one = (*chain_)[entered].object();
    if (!one.has_after) continue;
    try {
      one.after(front_);
    } catch (...) {
      if (!after_threw_) {
        after_threw_ = true;
        in_after_ = false;
        throw;
      }
      // The error page that the first one became must get out.
      log::write(log::Level::error, "app", "a middleware's after() threw again, at an error page");
    }
  }
  in_after_ = false;
}

void Exchange::show_upgrade() {
  if (chain_ == nullptr) return;
  status_ = 101;
  show_head();
}

}  // namespace squall::web
