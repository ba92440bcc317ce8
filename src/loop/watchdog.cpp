// SPDX-License-Identifier: Apache-2.0
#include "loop/watchdog.hpp"

#include "base/logging.hpp"
#include "loop/clock.hpp"
#include "loop/loop_core.hpp"
#include "loop/symbols.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <execinfo.h>
#include <signal.h>
#include <string>

namespace squall::loop {
namespace {

// Ignored by default and used by hardly anything (out-of-band data), so that taking it over is
// safe.
constexpr int report_signal = SIGURG;
constexpr int frame_limit = 48;
constexpr std::int64_t longest_sleep_ns = 1'000'000'000;

// One report at a time; the watchdog's thread owns it and waits for `ready`.
struct Trace {
  void* frames[frame_limit];
  std::atomic<int> count{-1};
};
Trace trace;

void take_trace(int) {
  const int saved = errno;
  if (trace.count.load() == -1) trace.count.store(::backtrace(trace.frames, frame_limit));
  errno = saved;
}

}  // namespace

Watchdog& Watchdog::instance() {
  static Watchdog watchdog;
  return watchdog;
}

Watchdog::~Watchdog() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  condition_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::add(const LoopCore& core, std::int64_t threshold_ns) {
  const std::scoped_lock lock(mutex_);
  watched_.push_back({&core, ::pthread_self(), threshold_ns, 0});
  if (!thread_.joinable()) {
    void* frame = nullptr;
    ::backtrace(&frame, 1);  // loads what it needs now, not inside the signal handler
    struct sigaction action {};
    action.sa_handler = &take_trace;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(report_signal, &action, nullptr);
    // The watchdog must not take signals meant for the program's threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  asleep_.store(false);
  condition_.notify_all();
}

void Watchdog::set_threshold(const LoopCore& core, std::int64_t threshold_ns) {
  const std::scoped_lock lock(mutex_);
  for (Watched& watched : watched_) {
    if (watched.core == &core) watched.threshold_ns = threshold_ns;
  }
  condition_.notify_all();
}

void Watchdog::remove(const LoopCore& core) noexcept {
  const std::scoped_lock lock(mutex_);
  std::erase_if(watched_, [&core](const Watched& watched) { return watched.core == &core; });
}

void Watchdog::wake() noexcept {
  const std::scoped_lock lock(mutex_);
  asleep_.store(false);
  condition_.notify_all();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  std::int64_t idle_ns = 0;
  while (!stopping_) {
    std::int64_t shortest_ns = longest_sleep_ns * 4;
    bool any_busy = false;
    const std::uint64_t now = monotonic_ns();
    for (Watched& watched : watched_) {
      if (watched.threshold_ns <= 0) continue;
      shortest_ns = std::min(shortest_ns, watched.threshold_ns);
      const std::uint64_t since = watched.core->busy_since_ns();
      if (since == 0) continue;
      any_busy = true;
      if (now > since + static_cast<std::uint64_t>(watched.threshold_ns) &&
          since != watched.reported_turn_ns) {
        watched.reported_turn_ns = since;
        report(watched, now - since);
      }
    }
    const std::int64_t step_ns = std::max<std::int64_t>(shortest_ns / 4, 1'000'000);
    idle_ns = any_busy ? 0 : idle_ns + step_ns;
    if (watched_.empty() || idle_ns > longest_sleep_ns) {
      // Sequentially consistent with woke(): either it sees us asleep, or we see it busy.
      asleep_.store(true);
      const bool busy_after_all =
          std::any_of(watched_.begin(), watched_.end(),
                      [](const Watched& watched) { return watched.core->busy_since_ns() != 0; });
      if (busy_after_all) asleep_.store(false);
      condition_.wait(lock, [this] { return stopping_ || !asleep_.load(); });
      idle_ns = 0;
    } else {
      condition_.wait_for(lock, std::chrono::nanoseconds(step_ns));
    }
  }
}

void Watchdog::report(const Watched& watched, std::uint64_t busy_ns) {
  const char* const activity = watched.core->activity();
  trace.count.store(-1);
  std::string text;
  if (::pthread_kill(watched.thread, report_signal) == 0) {
    for (int i = 0; i < 100 && trace.count.load() < 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const int count = trace.count.load();
    if (count > 2) {
      constexpr int own = 2;  // the signal's frames
      for (const std::string& line : describe_frames(trace.frames + own, count - own)) {
        text.append("\nat ").append(line);
      }
    }
    trace.count.store(0);  // a late answer is dropped
  }
  log::format(log::Level::warning, "loop", "the loop is blocked for {} ms by {}{}",
              busy_ns / 1'000'000, activity != nullptr ? demangled(activity) : "a callback", text);
}

}  // namespace squall::loop
