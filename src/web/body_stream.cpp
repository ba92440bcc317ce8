// SPDX-License-Identifier: Apache-2.0
#include "web/body_stream.hpp"

#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/http_error.hpp>

#include <utility>

namespace squall::web {
namespace {
// What may wait for a slow handler; what one read of the connection brings comes on top.
constexpr std::size_t read_ahead_bytes = 64 * 1024;
}  // namespace

void BodyStream::received(std::string_view piece) {
  arrived_ += piece;
  if (arrived_.size() >= read_ahead_bytes && upstream_ != nullptr) {
    holding_ = true;
    upstream_->hold();
  }
  wake();
}

void BodyStream::complete() noexcept {
  complete_ = true;
  wake();
}

void BodyStream::fail(int status, std::string why) noexcept {
  failed_status_ = status;
  why_ = std::move(why);
  upstream_ = nullptr;
  wake();
}

void BodyStream::close() noexcept {
  upstream_ = nullptr;
  if (waiter_ == nullptr) return;
  BodyAwaiter& waiter = *waiter_;
  resume_later(waiter);
  waiter.stream_ = nullptr;
  waiter.gone_ = true;
}

void BodyStream::wake() noexcept {
  if (waiter_ != nullptr) resume_later(*waiter_);
}

void BodyStream::wait(BodyAwaiter& waiter) {
  if (waiter_ != nullptr) {
    throw UsageError("the body is read by two at once: await one read() before the next");
  }
  waiter_ = &waiter;
}

void BodyStream::forget(BodyAwaiter& waiter) noexcept {
  if (waiter_ == &waiter) waiter_ = nullptr;
}

void BodyStream::resume_later(BodyAwaiter& waiter) noexcept {
  forget(waiter);
  waiter.StopNode::unlink();
  squall::detail::Scheduler::current().make_ready(waiter.resume_);
}

std::string_view BodyStream::take() {
  if (arrived_.empty()) {
    if (complete_) return {};
    if (failed_status_ != 0) throw HTTPError(failed_status_, why_);
    throw StreamClosedError();
  }
  std::swap(arrived_, taken_);
  arrived_.clear();
  if (std::exchange(holding_, false) && upstream_ != nullptr) upstream_->go_on();
  return taken_;
}

BodyAwaiter::BodyAwaiter(Exchange& exchange) : StopNode(&on_stop), stream_(exchange.body_stream()) {
  if (stream_ == nullptr) {
    whole_ = exchange.take_body();
  } else if (!exchange.body_has_begun()) {
    throw UsageError("prepare() runs before the body is there: read it in the verb");
  }
}

BodyAwaiter::~BodyAwaiter() {
  if (stream_ != nullptr) stream_->forget(*this);
}

bool BodyAwaiter::await_ready() const noexcept {
  return stream_ == nullptr || stream_->has_something();
}

void BodyAwaiter::suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop) {
  resume_.coroutine = waiting;
  stream_->wait(*this);
  if (stop != nullptr) stop->listen(*this);
}

void BodyAwaiter::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<BodyAwaiter&>(node);
  self.cancelled_ = true;
  self.stream_->resume_later(self);
}

std::string_view BodyAwaiter::await_resume() {
  if (cancelled_) throw CancelledError();
  if (gone_) throw StreamClosedError();
  if (stream_ == nullptr) return whole_;
  return stream_->take();
}

}  // namespace squall::web
