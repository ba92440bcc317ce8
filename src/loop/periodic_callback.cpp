// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"

#include <squall/loop/periodic_callback.hpp>

#include <random>
#include <utility>

namespace squall {

PeriodicCallback::PeriodicCallback(MoveOnlyFunction<void()> callback, Duration period,
                                   double jitter)
    : callback_(std::move(callback)), period_(period), jitter_(jitter) {
  if (period_.nanoseconds() <= 0) {
    throw UsageError("a PeriodicCallback needs a period above zero");
  }
}

void PeriodicCallback::start() {
  if (is_running()) return;
  loop_ = &IOLoop::current();
  due_ = loop_->time();
  schedule();
}

void PeriodicCallback::stop() noexcept {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->remove_timeout(timeout_);
}

void PeriodicCallback::schedule() {
  const TimePoint now = loop_->time();
  const std::int64_t period = period_.nanoseconds();
  const std::int64_t late = (now - due_).nanoseconds();
  const std::int64_t steps = late >= 0 ? late / period + 1 : 1;
  due_ = due_ + Duration::from_nanoseconds(steps * period);
  Duration shift;
  if (jitter_ > 0) {
    static thread_local std::minstd_rand random(std::random_device{}());
    std::uniform_real_distribution<double> spread(-jitter_ / 2, jitter_ / 2);
    shift = Duration::from_nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(period) * spread(random)));
  }
  timeout_ = loop_->call_at(due_ + shift, [this] { fire(); });
}

void PeriodicCallback::fire() {
  IOLoop* const before = loop_;
  try {
    callback_();
  } catch (const std::exception& error) {
    log::format(log::Level::error, "loop", "a periodic callback threw: {}", error.what());
  }
  if (loop_ == before && loop_ != nullptr) schedule();
}

}  // namespace squall
