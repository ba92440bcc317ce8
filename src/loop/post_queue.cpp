// SPDX-License-Identifier: Apache-2.0
#include "loop/post_queue.hpp"

#include "base/logging.hpp"
#include "loop/engine.hpp"

#include <squall/base/error.hpp>

namespace squall::loop {

bool PostQueue::post(MoveOnlyFunction<void()> function) {
  const std::scoped_lock lock(mutex_);
  if (engine_ == nullptr) return false;
  if (waiting_.size() >= limit) {
    throw Error("too many functions wait for the loop: it is blocked or flooded by post()");
  }
  waiting_.push_back(std::move(function));
  // The loop looks at the queue before it waits, so its own thread need not wake it.
  if (!woken_ && std::this_thread::get_id() != owner_) {
    woken_ = true;
    engine_->wake();
  }
  return true;
}

void PostQueue::run() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = false;
    if (waiting_.empty()) return;
    running_.swap(waiting_);
  }
  for (MoveOnlyFunction<void()>& function : running_) {
    try {
      function();
    } catch (const std::exception& error) {
      log::format(log::Level::error, "loop", "a posted function threw: {}", error.what());
    } catch (...) {
      log::write(log::Level::error, "loop", "a posted function threw something unknown");
    }
    function = nullptr;
  }
  running_.clear();
}

bool PostQueue::is_empty() {
  const std::scoped_lock lock(mutex_);
  return waiting_.empty();
}

void PostQueue::close() noexcept {
  std::vector<MoveOnlyFunction<void()>> dropped;
  {
    const std::scoped_lock lock(mutex_);
    engine_ = nullptr;
    dropped.swap(waiting_);
  }
}

}  // namespace squall::loop
