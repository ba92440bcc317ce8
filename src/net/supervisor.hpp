// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/unique_fd.hpp>
#include <squall/net/fork_processes.hpp>

#include <cstdint>
#include <deque>
#include <signal.h>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace squall::net {

/// The parent's side of fork_processes(): starts workers, and reacts to their ends and to signals.
class Supervisor {
 public:
  Supervisor(unsigned count, const ForkOptions& options);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  /// What became of run(): it returns once in each worker, and in the parent at the end.
  struct Outcome {
    bool is_worker = false;
    unsigned id = 0;        // of a worker
    UniqueFd ready_pipe{};  // of a worker: one byte in it says "ready"
    int exit_code = 0;      // of the parent
  };
  Outcome run();

 private:
  enum class Role : std::uint8_t {
    serving,
    replacement,  // of a rolling restart; becomes the serving one when it is ready
    retiring,     // got SIGTERM
  };
  struct Process {
    pid_t pid;
    unsigned id;
    Role role;
    bool ready;
    UniqueFd ready_pipe;
    std::uint64_t started_ms;
    std::uint64_t deadline_ms;  // replacement: to be ready; retiring: to be gone
  };
  /// Of the front one of to_roll_.
  enum class RollStep : std::uint8_t { begin, getting_ready, retiring };
  struct Restart {
    unsigned id;
    std::uint64_t due_ms;
  };

  /// Forks; true in the child.
  bool start(unsigned id, Role role);
  bool try_start(unsigned id, Role role);
  void become_worker(unsigned id) noexcept;
  void reap();
  void on_exit(Process process, int status);
  void on_crash(const Process& process, int status);
  void on_signal(int number);
  void on_ready(Process& process);
  bool on_time(std::uint64_t now);
  bool roll_on();
  void wait();
  void abandon_roll(std::string_view why);
  void retire(Process& process);
  void stop_all(int exit_code);
  void kill_all(int number) noexcept;
  [[nodiscard]] Process* find(unsigned id, Role role) noexcept;
  [[nodiscard]] int wait_ms(std::uint64_t now) const noexcept;

  unsigned count_;
  ForkOptions options_;
  sigset_t mask_before_{};
  UniqueFd signals_;
  pid_t self_;
  std::vector<Process> processes_;
  std::vector<Restart> restarts_;         // waiting for their time
  std::vector<std::uint64_t> delays_ms_;  // of each id's next restart
  std::deque<unsigned> to_roll_;          // a rolling restart: ids to come, the front one under way
  RollStep roll_step_ = RollStep::begin;
  unsigned crashes_ = 0;
  bool roll_again_ = false;  // SIGHUP came during a rolling restart
  bool stopping_ = false;
  bool told_ready_ = false;  // the service manager
  int exit_code_ = 0;
  Outcome worker_;
};

}  // namespace squall::net
