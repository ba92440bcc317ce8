// SPDX-License-Identifier: Apache-2.0
#include "net/supervisor.hpp"

#include "base/logging.hpp"
#include "loop/clock.hpp"
#include "net/service_manager.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace squall::net {
namespace {

constexpr std::uint64_t long_run_ms = 10'000;
constexpr std::uint64_t never = ~std::uint64_t{0};
constexpr int handled_signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

std::uint64_t now_ms() noexcept { return loop::monotonic_ns() / 1'000'000; }

std::uint64_t in_ms(Duration duration) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.milliseconds(), 0));
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return std::string("signal ") + ::strsignal(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

// The i-th CPU that this process may use; with more workers than CPUs it starts over.
void pin(unsigned id) noexcept {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  unsigned skip = id % static_cast<unsigned>(std::max(CPU_COUNT(&allowed), 1));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

}  // namespace

Supervisor::Supervisor(unsigned count, const ForkOptions& options)
    : count_(count),
      options_(options),
      self_(::getpid()),
      delays_ms_(count, in_ms(options.restart_delay)) {
  sigset_t handled;
  sigemptyset(&handled);
  for (const int number : handled_signals) sigaddset(&handled, number);
  ::pthread_sigmask(SIG_BLOCK, &handled, &mask_before_);
  signals_.reset(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) {
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    throw std::system_error(error, std::generic_category(), "cannot wait for signals");
  }
}

Supervisor::~Supervisor() { ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr); }

void Supervisor::become_worker(unsigned id) noexcept {
  // A group of its own: Ctrl-C in a terminal is for the supervisor, which then asks once.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != self_) ::_exit(1);  // it died before that took effect
  if (options_.pin_cpus) pin(id);
  processes_.clear();
  signals_.reset();
}

bool Supervisor::start(unsigned id, Role role) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a pipe for a worker");
  }
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  std::fflush(nullptr);  // or the child would write it once more
  const std::uint64_t now = now_ms();
  // Before the fork, so that nothing can fail between it and its entry in the list.
  processes_.push_back(
      {0, id, role, false, std::move(read_end), now, now + in_ms(options_.ready_timeout)});
  const pid_t child = ::fork();
  if (child < 0) {
    const int error = errno;
    processes_.pop_back();
    throw std::system_error(error, std::generic_category(), "cannot start a worker");
  }
  if (child == 0) {
    become_worker(id);
    worker_.is_worker = true;
    worker_.id = id;
    worker_.ready_pipe = std::move(write_end);
    return true;
  }
  processes_.back().pid = child;
  log::format(log::Level::info, "process", "worker {} started (pid {})", id, child);
  return false;
}

Supervisor::Process* Supervisor::find(unsigned id, Role role) noexcept {
  for (Process& process : processes_) {
    if (process.id == id && process.role == role) return &process;
  }
  return nullptr;
}

void Supervisor::kill_all(int number) noexcept {
  for (const Process& process : processes_) ::kill(process.pid, number);
}

void Supervisor::retire(Process& process) {
  process.role = Role::retiring;
  process.deadline_ms = now_ms() + in_ms(options_.stop_timeout);
  ::kill(process.pid, SIGTERM);
}

void Supervisor::stop_all(int exit_code) {
  exit_code_ = std::max(exit_code_, exit_code);
  stopping_ = true;
  tell_service_manager("STOPPING=1");
  restarts_.clear();
  to_roll_.clear();
  for (Process& process : processes_) {
    if (process.role != Role::retiring) retire(process);
  }
}

void Supervisor::on_signal(int number) {
  switch (number) {
    case SIGTERM:
    case SIGINT:
      if (stopping_) {
        kill_all(SIGKILL);
      } else {
        log::write(log::Level::info, "process", "stopping the workers");
        stop_all(0);
      }
      break;
    case SIGHUP:
      if (stopping_) break;
      if (!to_roll_.empty()) {
        roll_again_ = true;
        break;
      }
      log::write(log::Level::info, "process", "replacing the workers one after the other");
      tell_reloading();
      for (unsigned id = 0; id < count_; ++id) to_roll_.push_back(id);
      break;
    case SIGUSR1:
    case SIGUSR2:
      kill_all(number);
      break;
    default:
      break;  // SIGCHLD: reap() looks in any case
  }
}

void Supervisor::abandon_roll(std::string_view why) {
  log::format(log::Level::error, "process", "the replacement of worker {} {}; the old workers stay",
              to_roll_.front(), why);
  to_roll_.clear();
  roll_step_ = RollStep::begin;
  roll_again_ = false;
  tell_service_manager("READY=1");
}

void Supervisor::on_crash(const Process& process, int status) {
  const std::uint64_t now = now_ms();
  std::uint64_t& delay = delays_ms_[process.id];
  if (now - process.started_ms >= long_run_ms) delay = in_ms(options_.restart_delay);
  if (++crashes_ > options_.max_restarts) {
    log::format(
        log::Level::error, "process",
        "worker {} ended with {}; that was crash {}, more than max_restarts allows: giving up",
        process.id, describe(status), crashes_);
    stop_all(1);
    return;
  }
  log::format(log::Level::error, "process", "worker {} (pid {}) ended with {}; restart in {} ms",
              process.id, process.pid, describe(status), delay);
  restarts_.push_back({process.id, now + delay});
  delay = std::min(std::max<std::uint64_t>(delay * 2, 1), in_ms(options_.max_restart_delay));
}

void Supervisor::on_exit(Process process, int status) {
  const bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  if (process.role == Role::replacement) {
    if (!stopping_) abandon_roll("ended with " + describe(status) + " before it was ready");
    return;
  }
  if (process.role == Role::retiring || stopping_) {
    if (failed && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)) {
      log::format(log::Level::warning, "process", "worker {} (pid {}) ended with {}", process.id,
                  process.pid, describe(status));
    }
    return;
  }
  if (!failed) {
    log::format(log::Level::info, "process", "worker {} (pid {}) has finished", process.id,
                process.pid);
    return;
  }
  if (Process* const next = find(process.id, Role::replacement)) {
    next->role = Role::serving;  // it is on its way already
    roll_step_ = RollStep::retiring;
    log::format(log::Level::error, "process", "worker {} (pid {}) ended with {}", process.id,
                process.pid, describe(status));
    return;
  }
  on_crash(process, status);
}

void Supervisor::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    const auto found = std::find_if(processes_.begin(), processes_.end(),
                                    [pid](const Process& process) { return process.pid == pid; });
    if (found == processes_.end()) continue;  // a child that the program had before
    Process process = std::move(*found);
    processes_.erase(found);
    on_exit(std::move(process), status);
  }
}

void Supervisor::on_ready(Process& process) {
  char byte;
  const ssize_t got = ::read(process.ready_pipe.get(), &byte, 1);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  process.ready_pipe.reset();
  if (got != 1) return;  // it ended; reap() sees to it
  process.ready = true;
  if (!told_ready_ && std::all_of(processes_.begin(), processes_.end(),
                                  [](const Process& each) { return each.ready; })) {
    told_ready_ = true;
    tell_service_manager("READY=1");
  }
  if (process.role != Role::replacement) return;
  Process* const old = find(process.id, Role::serving);
  process.role = Role::serving;
  roll_step_ = RollStep::retiring;
  if (old != nullptr) retire(*old);
}

bool Supervisor::try_start(unsigned id, Role role) {
  try {
    return start(id, role);
  } catch (const std::system_error& error) {
    if (role == Role::replacement) {
      abandon_roll(error.what());
    } else {
      log::format(log::Level::error, "process", "{}; another attempt comes", error.what());
      restarts_.push_back({id, now_ms() + std::max<std::uint64_t>(delays_ms_[id], 1)});
    }
    return false;
  }
}

// Goes on with a rolling restart as far as it can; true in a new worker.
bool Supervisor::roll_on() {
  while (!to_roll_.empty()) {
    const unsigned id = to_roll_.front();
    if (roll_step_ == RollStep::begin) {
      if (find(id, Role::serving) != nullptr) {
        roll_step_ = RollStep::getting_ready;
        return try_start(id, Role::replacement);
      }
    } else if (roll_step_ == RollStep::getting_ready || find(id, Role::retiring) != nullptr) {
      return false;
    }
    roll_step_ = RollStep::begin;
    to_roll_.pop_front();
    if (to_roll_.empty()) {
      log::write(log::Level::info, "process", "all workers are replaced");
      tell_service_manager("READY=1");
      if (std::exchange(roll_again_, false)) on_signal(SIGHUP);
    }
  }
  return false;
}

// Does what is due; true in a new worker.
bool Supervisor::on_time(std::uint64_t now) {
  for (Process& process : processes_) {
    if (process.role == Role::serving || now < process.deadline_ms) continue;
    ::kill(process.pid, SIGKILL);
    process.deadline_ms = never;
    if (process.role == Role::replacement) {
      process.role = Role::retiring;
      abandon_roll("was not ready in time");
    } else {
      log::format(log::Level::warning, "process",
                  "worker {} (pid {}) did not end in time and is killed", process.id, process.pid);
    }
  }
  for (std::size_t i = 0; i < restarts_.size();) {
    if (now < restarts_[i].due_ms) {
      ++i;
      continue;
    }
    const unsigned id = restarts_[i].id;
    restarts_.erase(restarts_.begin() + static_cast<std::ptrdiff_t>(i));
    if (try_start(id, Role::serving)) return true;
  }
  return false;
}

int Supervisor::wait_ms(std::uint64_t now) const noexcept {
  std::uint64_t next = never;
  for (const Process& process : processes_) {
    if (process.role != Role::serving) next = std::min(next, process.deadline_ms);
  }
  for (const Restart& restart : restarts_) next = std::min(next, restart.due_ms);
  if (next == never) return -1;
  return next <= now ? 0 : static_cast<int>(std::min<std::uint64_t>(next - now, 60'000));
}

void Supervisor::wait() {
  std::vector<pollfd> watched;
  watched.push_back({signals_.get(), POLLIN, 0});
  for (const Process& process : processes_) {
    watched.push_back({process.ready_pipe.get(), POLLIN, 0});  // poll(2) passes over -1
  }
  if (::poll(watched.data(), watched.size(), wait_ms(now_ms())) <= 0) return;
  for (std::size_t i = processes_.size(); i > 0; --i) {
    if (watched[i].revents != 0) on_ready(processes_[i - 1]);
  }
  signalfd_siginfo signal;
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    on_signal(static_cast<int>(signal.ssi_signo));
  }
}

Supervisor::Outcome Supervisor::run() {
  try {
    for (unsigned id = 0; id < count_; ++id) {
      if (start(id, Role::serving)) return std::move(worker_);
    }
  } catch (...) {
    kill_all(SIGTERM);
    throw;
  }
  for (;;) {
    reap();
    if (on_time(now_ms()) || roll_on()) return std::move(worker_);
    if (processes_.empty() && restarts_.empty()) break;
    wait();
  }
  Outcome end;
  end.exit_code = exit_code_;
  return end;
}

}  // namespace squall::net
