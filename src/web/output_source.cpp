// SPDX-License-Identifier: Apache-2.0
#include "web/output_source.hpp"

#include <squall/base/error.hpp>
#include <squall/web/http_error.hpp>

namespace squall::web {

OutputAwaiter::OutputAwaiter(OutputSource* source) noexcept : StopNode(&on_stop), source_(source) {}

OutputAwaiter::~OutputAwaiter() {
  if (source_ != nullptr) source_->forget(*this);
}

bool OutputAwaiter::await_ready() const noexcept {
  return source_ == nullptr || source_->pending_bytes() == 0;
}

void OutputAwaiter::suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop) {
  resume_.coroutine = waiting;
  source_->wait(*this);
  if (stop != nullptr) stop->listen(*this);
}

void OutputAwaiter::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<OutputAwaiter&>(node);
  self.cancelled_ = true;
  self.source_->resume_later(self);
}

void OutputAwaiter::await_resume() const {
  if (source_ == nullptr) throw StreamClosedError();
  if (cancelled_) throw CancelledError();
}

void OutputSource::wait(OutputAwaiter& waiter) noexcept {
  waiter.next_ = waiters_;
  waiters_ = &waiter;
  request_drain_notice();
}

void OutputSource::forget(OutputAwaiter& waiter) noexcept {
  for (OutputAwaiter** at = &waiters_; *at != nullptr; at = &(*at)->next_) {
    if (*at == &waiter) {
      *at = waiter.next_;
      return;
    }
  }
}

void OutputSource::resume_later(OutputAwaiter& waiter) noexcept {
  forget(waiter);
  waiter.StopNode::unlink();
  squall::detail::Scheduler::current().make_ready(waiter.resume_);
}

void OutputSource::output_is_out() noexcept {
  while (waiters_ != nullptr) resume_later(*waiters_);
}

void OutputSource::client_is_gone() noexcept {
  while (waiters_ != nullptr) {
    OutputAwaiter& waiter = *waiters_;
    resume_later(waiter);
    waiter.source_ = nullptr;
  }
}

}  // namespace squall::web
