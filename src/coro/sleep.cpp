// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/sleep.hpp>

namespace squall::detail {

SleepAwaiter::~SleepAwaiter() {
  if (scheduler_ != nullptr && TimerNode::is_armed()) scheduler_->stop_timer(*this);
}

void SleepAwaiter::suspend(std::coroutine_handle<> waiting, StopState* stop) {
  scheduler_ = &Scheduler::current();
  resume_.coroutine = waiting;
  if (delay_.nanoseconds() <= 0) {
    scheduler_->make_ready(resume_);
  } else {
    scheduler_->start_timer(*this, delay_);
  }
  if (stop != nullptr) stop->listen(*this);
}

void SleepAwaiter::on_timer(TimerNode& node) noexcept {
  auto& self = static_cast<SleepAwaiter&>(node);
  self.StopNode::unlink();
  self.resume_.coroutine.resume();
}

void SleepAwaiter::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<SleepAwaiter&>(node);
  self.cancelled_ = true;
  if (self.TimerNode::is_armed()) self.scheduler_->stop_timer(self);
  if (!self.resume_.is_linked()) self.scheduler_->make_ready(self.resume_);
}

}  // namespace squall::detail
