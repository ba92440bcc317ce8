// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log_console.hpp"
#include "log/file.hpp"

#include <squall/log/output.hpp>

#include <spdlog/pattern_formatter.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace squall::log {

/// One way out, to a file or to standard error: lines are made where they are logged and wait,
/// as bytes, for whoever calls drain(). Any thread may call anything.
class Lane {
 public:
  /// To the file of the options, or to standard error when `to_stderr`.
  Lane(const OutputOptions& options, bool to_stderr);

  /// Queues a line. False when it had to be dropped.
  bool add(const Line& line);
  /// Writes what waits.
  void drain();
  /// Closes the file; a line that comes all the same opens it again.
  void close();
  void reopen() noexcept { must_reopen_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }

  /// Around fork(): the child has no lines of its parent's, nor a lock that a thread holds which
  /// it does not have.
  void before_fork() noexcept { mutex_.lock(); }
  void after_fork_in_parent() noexcept { mutex_.unlock(); }
  void after_fork_in_child();

 private:
  void append(std::string& out, const Line& line);
  void append_report(std::string& out, std::uint64_t lost);
  std::uint64_t put(std::string_view lines);

  const Format format_;
  const bool has_colours_;
  const std::size_t queue_bytes_;
  std::atomic<bool> must_reopen_{false};
  std::atomic<std::uint64_t> dropped_{0};

  std::mutex mutex_;  // of what waits
  spdlog::pattern_formatter formatter_;
  spdlog::memory_buf_t formatted_;
  std::string text_, waiting_;
  std::uint64_t lost_ = 0;  // since the last report

  std::mutex output_mutex_;  // of what is written; taken before the other
  std::unique_ptr<LogFile> file_;
  std::string batch_;
};

}  // namespace squall::log
