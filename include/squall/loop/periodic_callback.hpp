// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/function.hpp>
#include <squall/loop/ioloop.hpp>

namespace squall {

/// Calls a function again and again, on the loop of the thread that starts it.
///
/// It keeps its phase: the n-th call is due n periods after start(), and periods that a busy loop
/// missed are skipped, not made up for. A UsageError when the period is not above zero.
class PeriodicCallback {
 public:
  /// `jitter` of 0.1 spreads each call by up to five per cent of the period to either side, so that
  /// many programs do not call at once.
  PeriodicCallback(MoveOnlyFunction<void()> callback, Duration period, double jitter = 0);
  PeriodicCallback(const PeriodicCallback&) = delete;
  PeriodicCallback& operator=(const PeriodicCallback&) = delete;
  ~PeriodicCallback() { stop(); }

  void start();
  /// May be called from within the callback.
  void stop() noexcept;
  [[nodiscard]] bool is_running() const noexcept { return loop_ != nullptr; }

 private:
  void schedule();
  void fire();

  MoveOnlyFunction<void()> callback_;
  Duration period_;
  double jitter_;
  IOLoop* loop_ = nullptr;
  TimePoint due_;
  TimeoutHandle timeout_;
};

}  // namespace squall
