// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/function.hpp>

#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace squall::loop {

class Engine;

/// Functions that any thread hands to a loop. It may outlive its loop; then posts are refused.
class PostQueue {
 public:
  explicit PostQueue(Engine& engine) noexcept
      : engine_(&engine), owner_(std::this_thread::get_id()) {}

  /// False when the loop is gone. Throws Error when `limit` functions wait already.
  bool post(MoveOnlyFunction<void()> function);
  /// Runs what waits now, on the loop's thread; what is posted meanwhile waits for the next turn.
  void run() noexcept;
  [[nodiscard]] bool is_empty();
  void close() noexcept;

  static constexpr std::size_t limit = 1'000'000;

 private:
  std::mutex mutex_;
  Engine* engine_;  // nullptr once the loop is gone
  std::thread::id owner_;
  std::vector<MoveOnlyFunction<void()>> waiting_;
  std::vector<MoveOnlyFunction<void()>> running_;  // the loop's own
  bool woken_ = false;
};

}  // namespace squall::loop
