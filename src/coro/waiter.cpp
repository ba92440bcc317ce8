// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/coro/detail/waiter.hpp>

namespace squall::detail {

WaitList::~WaitList() {
  end(waiting_, WaitState::cancelled);
  end(granted_, WaitState::cancelled);  // what they were granted goes with this
}

void WaitList::grant_first() noexcept {
  auto& waiter = static_cast<Waiter&>(waiting_.take_first());
  granted_.append(waiter);
  waiter.wake(WaitState::granted);
}

void WaitList::end(NodeRing<WaitNode>& nodes, WaitState how) noexcept {
  while (!nodes.is_empty()) static_cast<Waiter&>(nodes.take_first()).wake(how);
}

Waiter::~Waiter() {
  if (TimerNode::is_armed()) scheduler_->stop_timer(*this);
  leave();
}

void Waiter::suspend(std::coroutine_handle<> waiting, StopState* stop) {
  scheduler_ = &Scheduler::current();
  resume_.coroutine = waiting;
  state_ = WaitState::waiting;
  list_->waiting_.append(*this);
  if (timeout_ns_ != no_timeout) {
    scheduler_->start_timer(*this, Duration::from_nanoseconds(timeout_ns_));
  }
  if (stop != nullptr) stop->listen(*this);
}

// Never resumes here: who wakes is in the middle of something, and the stack stays bounded.
void Waiter::wake(WaitState how) noexcept {
  state_ = how;
  if (TimerNode::is_armed()) scheduler_->stop_timer(*this);
  scheduler_->make_ready(resume_);
}

// Out of the line. In the line of the granted it holds something that the next one must have.
void Waiter::leave() noexcept {
  const bool passes_on = state_ == WaitState::granted && WaitNode::is_linked();
  WaitNode::unlink();
  if (passes_on) list_->pass_on_(list_->owner_);
}

void Waiter::on_timer(TimerNode& node) noexcept {
  auto& self = static_cast<Waiter&>(node);
  self.state_ = WaitState::timed_out;
  self.WaitNode::unlink();
  self.StopNode::unlink();
  self.resume_.coroutine.resume();
}

void Waiter::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<Waiter&>(node);
  self.leave();
  self.wake(WaitState::cancelled);
}

WaitState Waiter::end() noexcept {
  const WaitState state = state_;
  state_ = WaitState::idle;
  WaitNode::unlink();
  StopNode::unlink();
  return state;
}

WaitState Waiter::end_or_throw() {
  const WaitState state = end();
  if (state == WaitState::cancelled) throw CancelledError();
  if (state == WaitState::timed_out) throw TimeoutError("timed out");
  return state;
}

}  // namespace squall::detail
