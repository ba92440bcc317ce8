// SPDX-License-Identifier: Apache-2.0
#include "web/exchange.hpp"

#include <squall/web/request_handler.hpp>

#include <utility>

namespace squall::web {

FlushAwaiter::FlushAwaiter(Exchange* exchange) noexcept : StopNode(&on_stop), exchange_(exchange) {}

FlushAwaiter::~FlushAwaiter() {
  if (exchange_ != nullptr && waiting_) exchange_->forget(*this);
}

bool FlushAwaiter::await_ready() const noexcept {
  return exchange_->is_closed() || exchange_->pending_bytes() == 0;
}

void FlushAwaiter::suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop) {
  waiting_ = waiting;
  exchange_->wait_for_drain(*this);
  if (stop != nullptr) stop->listen(*this);
}

void FlushAwaiter::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<FlushAwaiter&>(node);
  self.cancelled_ = true;
  if (self.exchange_ != nullptr) self.exchange_->resume_later(self);
}

void FlushAwaiter::await_resume() const {
  if (exchange_ == nullptr || exchange_->is_closed()) throw StreamClosedError();
  if (cancelled_) throw CancelledError();
}

}  // namespace squall::web
