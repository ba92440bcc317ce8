// SPDX-License-Identifier: Apache-2.0
#include "net/stream_core.hpp"

#include <squall/base/error.hpp>

namespace squall::net::detail {

template class Share<StreamCore>;

StreamWait::~StreamWait() {
  if (in_slot_) core_->end_wait(*this);
}

void StreamWait::suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop) {
  core_->begin_wait(*this);
  in_slot_ = true;
  resume_.coroutine = waiting;
  if (stop != nullptr) stop->listen(*this);
}

void StreamWait::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<StreamWait&>(node);
  self.core_->end_wait(self);
  self.cancelled_ = true;
  self.core_->make_ready(self.resume_);
}

void StreamWait::throw_if_cancelled() {
  if (cancelled_) throw CancelledError();
}

ReadWait::~ReadWait() {
  if (in_slot()) core_->end_wait(*this);
}

bool ReadWait::await_ready() {
  if (core_.get() != nullptr) return core_->try_read(*this);
  error_ = StreamError::closed;
  return true;
}

// A read that does not fill its target has taken nothing.
void ReadWait::settle() noexcept {
  if (kind_ != ReadKind::into || progress_ == 0 || progress_ == target_.size()) return;
  core_->input().put_back({target_.data(), std::exchange(progress_, 0)});
}

Result<std::size_t> ReadWait::take_count() {
  throw_if_cancelled();
  if (error_) {
    if (core_.get() != nullptr) settle();
    return error_;
  }
  std::size_t count = found_;
  if (kind_ == ReadKind::some) count = core_->input().copy_to(target_);
  core_->read_on();
  return count;
}

Result<std::string> ReadWait::take_string() {
  throw_if_cancelled();
  if (error_) return error_;
  std::string result = core_->input().take(found_);
  if (skipped_ > 0) core_->input().consume(skipped_);
  core_->read_on();
  return result;
}

Result<void> HandshakeAwaiter::await_resume() {
  throw_if_cancelled();
  if (error_) return error_;
  return {};
}

bool WriteAwaiter::await_ready() noexcept {
  if (error_) return true;
  error_ = core_->closed_error();
  return error_ || core_->pending_bytes() <= mark_;
}

Result<void> WriteAwaiter::await_resume() {
  throw_if_cancelled();
  if (error_) return error_;
  return {};
}

namespace {
// Of streams that are none: nobody ever waits in it.
squall::detail::WaitList& nobody() noexcept {
  static thread_local squall::detail::WaitList list;
  return list;
}
}  // namespace

ClosedAwaiter::ClosedAwaiter(StreamCore* core) noexcept
    : Share(core), Waiter(core != nullptr ? core->over_waits() : nobody()) {}

bool ClosedAwaiter::await_ready() const noexcept {
  return Share::get() == nullptr || Share::get()->is_over();
}

std::error_code ClosedAwaiter::await_resume() {
  end_or_throw();
  return Share::get() != nullptr ? Share::get()->reason() : std::error_code();
}

}  // namespace squall::net::detail
