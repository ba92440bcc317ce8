// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"

#include <squall/base/function.hpp>
#include <squall/loop/unique_fd.hpp>

#include <map>

namespace squall::loop {

class LoopCore;

/// Brings signals of the process to one loop: the signal handler writes the number into a pipe that
/// the loop watches. One loop has a signal at a time.
class SignalWatch final : private Watch {
 public:
  explicit SignalWatch(LoopCore& core);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

  /// Calls `handler` on the loop each time `signal_number` comes. Throws UsageError when another
  /// loop has it, std::system_error when the signal cannot be caught.
  void set(int signal_number, MoveOnlyFunction<void()> handler);
  /// Restores what was before set().
  void remove(int signal_number) noexcept;

 private:
  struct Entry;
  void on_ready(unsigned events) override;

  LoopCore& core_;
  UniqueFd read_end_;
  UniqueFd write_end_;
  std::map<int, Entry> entries_;
};

}  // namespace squall::loop
