// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace wire_load {

/// What the command line asks for.
struct Options {
  std::string workload;
  std::uint16_t port = 0;
  std::vector<pid_t> server_pids;
  double seconds = 1.0;
  double warmup_seconds = 0.2;
  std::size_t connections = 0;  // 0: the workload's own number
  bool is_interactive = false;  // stop at each phase until a line comes in
};

/// Monotonic time.
std::uint64_t now_ns();

/// CPU time of these processes so far, all their threads, user and system, exact to the nanosecond.
std::uint64_t cpu_ns(const std::vector<pid_t>& pids);

/// Prints {"phase": name} and, if interactive, waits for a line on standard input.
void announce_phase(const Options& options, const char* name);

/// The measured window: a warm-up, then `seconds` during which what completes is counted.
class Window {
 public:
  explicit Window(const Options& options);

  /// Starts and ends the window as time passes; true once it has ended. The warm-up begins with
  /// the first call, so that connecting is no part of it.
  bool is_over();

  /// Notes `count` operations asked for at `asked_ns` and done at `done_ns`.
  void completed(std::size_t count, std::uint64_t asked_ns, std::uint64_t done_ns);

  /// The result as one JSON line; `error` is empty when every answer was right.
  void print(const std::string& error);

 private:
  enum class State : std::uint8_t { warming_up, open, over };
  double percentile_us(double fraction);

  const Options& options_;
  State state_ = State::warming_up;
  std::uint64_t switch_ns_ = 0;  // when the present state ends; 0 before the first call
  std::uint64_t opened_ns_ = 0;
  std::uint64_t elapsed_ns_ = 0;
  std::uint64_t cpu_ns_ = 0;
  std::uint64_t operations_ = 0;
  std::vector<std::uint32_t> latencies_us16_;  // sixteenths of a microsecond
};

}  // namespace wire_load
