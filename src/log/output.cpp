// SPDX-License-Identifier: Apache-2.0
#include "base/log_background.hpp"
#include "log/lane.hpp"

#include <squall/base/log.hpp>
#include <squall/log/output.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <semaphore.h>
#include <system_error>
#include <thread>
#include <vector>

namespace squall::log {
namespace {

/// Where the process logs to, and the thread that writes once there is an event loop.
class Output {
 public:
  explicit Output(const OutputOptions& options) {
    if (!options.file.empty()) lanes_[0] = std::make_unique<Lane>(options, false);
    if (options.file.empty() || options.to_stderr)
      lanes_[1] = std::make_unique<Lane>(options, true);
    ::sem_init(&wake_, 0, 0);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void add(const Line& line) {
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lane->add(line);
    }
    if (!has_loops() || is_over_.load(std::memory_order_acquire) || !has_thread()) {
      drain();
    } else if (!is_awake_.exchange(true, std::memory_order_acq_rel)) {
      ::sem_post(&wake_);
    }
  }

  void drain() {
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lane->drain();
    }
  }

  /// For signal handlers, too.
  void reopen() noexcept {
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lane->reopen();
    }
    ::sem_post(&wake_);
  }

  [[nodiscard]] std::uint64_t dropped() const noexcept {
    std::uint64_t all = 0;
    for (const auto& lane : lanes_) all += lane != nullptr ? lane->dropped() : 0;
    return all;
  }

  /// Ends the thread. Whoever still logs here writes for itself.
  void stop() {
    is_over_.store(true, std::memory_order_release);
    {
      const std::scoped_lock lock(thread_mutex_);
      ::sem_post(&wake_);
      if (thread_ != nullptr) thread_->join();
      thread_.reset();
      thread_state_ = ThreadState::none;
    }
    drain();
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lane->close();
    }
  }

  void before_fork() noexcept {
    thread_mutex_.lock();
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lane->before_fork();
    }
  }
  void after_fork_in_parent() noexcept {
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lane->after_fork_in_parent();
    }
    thread_mutex_.unlock();
  }
  void after_fork_in_child() {
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lane->after_fork_in_child();
    }
    static_cast<void>(thread_.release());  // there is no such thread to join
    thread_state_ = ThreadState::none;
    is_awake_ = false;
    ::sem_init(&wake_, 0, 0);
    thread_mutex_.unlock();
  }

 private:
  enum class ThreadState : unsigned char { none, running, impossible };

  bool has_thread() {
    if (const auto state = thread_state_.load(std::memory_order_acquire);
        state != ThreadState::none) {
      return state == ThreadState::running;
    }
    const std::scoped_lock lock(thread_mutex_);
    if (is_over_ || thread_state_ != ThreadState::none) {
      return thread_state_ == ThreadState::running;
    }
    // Signals are for the threads of the program.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::make_unique<std::thread>([this] { run(); });
      thread_state_ = ThreadState::running;
    } catch (const std::system_error&) {
      thread_state_ = ThreadState::impossible;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread_state_ == ThreadState::running;
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "squall-log");
    while (!is_over_.load(std::memory_order_acquire)) {
      while (::sem_wait(&wake_) != 0 && errno == EINTR) {
      }
      // Before the lines are taken: one that is added after that wakes again.
      is_awake_.store(false, std::memory_order_release);
      try {
        drain();
      } catch (...) {  // no memory: the lines are still there
      }
    }
  }

  std::array<std::unique_ptr<Lane>, 2> lanes_;
  sem_t wake_{};
  std::atomic<bool> is_awake_{false}, is_over_{false};
  std::mutex thread_mutex_;
  std::atomic<ThreadState> thread_state_{ThreadState::none};
  std::unique_ptr<std::thread> thread_;
};

std::mutex configure_mutex;
std::atomic<Output*> current{nullptr};

/// All that ever were: a thread may still be in one that was replaced.
std::vector<std::unique_ptr<Output>>& outputs() {
  static auto* const all = new std::vector<std::unique_ptr<Output>>;
  return *all;
}

void prepare_process() {
  static const bool once = [] {
    std::atexit([] { flush(); });
    ::pthread_atfork(
        [] {
          if (Output* const output = current.load()) output->before_fork();
        },
        [] {
          if (Output* const output = current.load()) output->after_fork_in_parent();
        },
        [] {
          if (Output* const output = current.load()) output->after_fork_in_child();
        });
    return true;
  }();
  static_cast<void>(once);
}

void reopen_on_hangup() {
  struct sigaction now {};
  if (::sigaction(SIGHUP, nullptr, &now) != 0 || (now.sa_flags & SA_SIGINFO) != 0 ||
      now.sa_handler != SIG_DFL) {
    return;
  }
  struct sigaction ours {};
  ours.sa_handler = [](int) {
    const int error = errno;
    reopen();
    errno = error;
  };
  ours.sa_flags = SA_RESTART;
  ::sigaction(SIGHUP, &ours, nullptr);
}

void replace(std::unique_ptr<Output> next) {
  const std::scoped_lock lock(configure_mutex);
  prepare_process();
  Output* const before = current.load();
  if (next != nullptr) {
    set_line_sink([](void* output, const Line& line) { static_cast<Output*>(output)->add(line); },
                  next.get());
  } else if (before != nullptr) {
    set_line_sink(nullptr, nullptr);
  }
  current.store(next.get());
  if (next != nullptr) outputs().push_back(std::move(next));
  if (before != nullptr) before->stop();
}

}  // namespace

void configure(const OutputOptions& options) {
  replace(std::make_unique<Output>(options));
  if (!options.file.empty() && options.reopen_on_hangup) reopen_on_hangup();
}

void reset() { replace(nullptr); }

void flush() noexcept {
  try {
    if (Output* const output = current.load()) output->drain();
  } catch (...) {  // no memory: the lines are still there
  }
}

void reopen() noexcept {
  if (Output* const output = current.load()) output->reopen();
}

std::uint64_t dropped_lines() noexcept {
  const Output* const output = current.load();
  return output != nullptr ? output->dropped() : 0;
}

}  // namespace squall::log
