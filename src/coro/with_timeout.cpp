// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/with_timeout.hpp>

namespace squall::detail {

TimeoutScope::TimeoutScope(Duration limit, StopState* outer)
    : TimerNode([](TimerNode& node) noexcept {
        auto& self = static_cast<TimeoutScope&>(node);
        self.timed_out_ = true;
        self.source_.request_stop();
      }),
      StopNode(
          [](StopNode& node) noexcept { static_cast<TimeoutScope&>(node).source_.request_stop(); }),
      scheduler_(&Scheduler::current()) {
  scheduler_->start_timer(*this, limit);
  if (outer != nullptr) outer->listen(*this);
}

TimeoutScope::~TimeoutScope() {
  if (TimerNode::is_armed()) scheduler_->stop_timer(*this);
}

}  // namespace squall::detail
