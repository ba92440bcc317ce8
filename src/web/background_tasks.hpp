// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/coro/task.hpp>
#include <squall/coro/task_group.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace squall::web {

/// What the requests of one loop have left to run after their responses. Destroying it ends that.
class BackgroundTasks {
 public:
  /// Runs them one after the other, from the loop's next turn on. `request` is for the log.
  void run(std::vector<Task<>> tasks, std::string request);
  /// Requests whose tasks run.
  [[nodiscard]] std::size_t count() const noexcept { return group_.size(); }
  [[nodiscard]] bool is_full() const noexcept { return count() >= limits::background_requests; }

 private:
  TaskGroup group_{limits::background_requests};
};

}  // namespace squall::web
