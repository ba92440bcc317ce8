// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>
#include <squall/base/function.hpp>
#include <squall/coro/task.hpp>

#include <cstdint>
#include <exception>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace squall {

namespace loop {
class FdHandlers;
class LoopCore;
}  // namespace loop

/// Names a timer that was started with call_later() or call_at(); a light value. Removing a timer
/// that has fired or was removed does nothing.
class TimeoutHandle {
 public:
  TimeoutHandle() noexcept = default;

 private:
  friend class IOLoop;
  explicit TimeoutHandle(std::uint64_t id) noexcept : id_(id) {}
  std::uint64_t id_ = 0;
};

/// The event loop: one a thread. Everything of a connection happens on its loop's thread, so
/// handlers of one loop never race. Only post() and add_callback() may be called from other
/// threads. The first loop makes the process ignore SIGPIPE, unless the program handles it.
class IOLoop {
 public:
  IOLoop(const IOLoop&) = delete;
  IOLoop& operator=(const IOLoop&) = delete;

  /// The calling thread's loop; the first call makes it. It lives until the thread ends.
  static IOLoop& current();

  /// Runs the loop until stop(). A UsageError when it runs already.
  void start();
  /// Makes start() return after the present turn; called before start(), makes the next one return
  /// after one turn. From the loop's thread; others post it.
  void stop() noexcept;

  /// Runs the loop until `task` has ended and returns its value or throws its exception. Throws
  /// Error when stop() came first, TimeoutError past `timeout` when that is above zero.
  template <class T>
  T run_sync(Task<T> task, Duration timeout = {});
  /// The same for `function()`, which returns a task and is kept until it has ended.
  template <class F>
  requires std::is_invocable_v<F&>
  auto run_sync(F function, Duration timeout = {}) { return run_sync(function(), timeout); }

  /// Runs `function` in a turn to come. Safe from any thread. Dropped when the loop is gone;
  /// throws Error when a million functions wait already. Exceptions are logged.
  void post(MoveOnlyFunction<void()> function);
  /// Tornado's name for post().
  template <class F, class... Args>
  void add_callback(F&& function, Args&&... args) {
    post([function = std::forward<F>(function), ... args = std::forward<Args>(args)]() mutable {
      function(std::move(args)...);
    });
  }

  /// Runs `function` once, no earlier than `delay` from now; resolution a millisecond.
  TimeoutHandle call_later(Duration delay, MoveOnlyFunction<void()> function);
  /// The same at a moment of time()'s clock; one that is past means as soon as possible.
  TimeoutHandle call_at(TimePoint when, MoveOnlyFunction<void()> function);
  void remove_timeout(TimeoutHandle timeout) noexcept;

  /// Starts `task` on this loop, which owns it: exceptions are logged, and what still runs when the
  /// loop is destroyed is destroyed with it.
  void spawn(Task<> task);
  /// Starts `function(args...)`, which returns a task; function and arguments are kept until it has
  /// ended, so a capturing lambda is safe here.
  template <class F, class... Args>
  requires std::is_invocable_r_v < Task<>, std::decay_t<F>
  &, std::decay_t<Args>... > void spawn(F&& function, Args&&... args) {
    spawn(keep(std::forward<F>(function), std::forward<Args>(args)...));
  }

  // What a handler of add_handler() waits for; the sum of both means either.
  static constexpr unsigned readable = 1;
  static constexpr unsigned writable = 2;

  /// Calls `handler(fd, events)` in each turn in which the descriptor is ready for what `events`
  /// asks. A descriptor that broke is ready for both. It stays the caller's and must not be closed
  /// before remove_handler(). Handlers may add, update and remove any, also themselves. A
  /// UsageError when `fd` has one already; std::system_error when it cannot be watched, as regular
  /// files.
  void add_handler(int fd, MoveOnlyFunction<void(int fd, unsigned events)> handler,
                   unsigned events);
  /// Waits for other events; a UsageError when `fd` has no handler.
  void update_handler(int fd, unsigned events);
  /// Does nothing when `fd` has none.
  void remove_handler(int fd) noexcept;

  /// Calls `handler` on this loop whenever the process gets `signal_number`. A UsageError when
  /// another loop has that signal.
  void add_signal_handler(int signal_number, MoveOnlyFunction<void()> handler);
  /// Restores the signal's earlier disposition.
  void remove_signal_handler(int signal_number) noexcept;

  /// The monotonic clock, read once a turn.
  [[nodiscard]] TimePoint time() const noexcept;

  /// A turn that takes longer is reported in the log with a stack trace; 100 ms by default, zero
  /// turns it off.
  void set_blocking_threshold(Duration threshold);

  /// "epoll" or "io_uring"; chosen by the environment variable SQUALL_ENGINE (epoll, uring, auto).
  [[nodiscard]] std::string_view engine_name() const noexcept;

  /// For the library.
  [[nodiscard]] loop::LoopCore& core() noexcept { return *core_; }

 private:
  struct Timers;
  template <class T>
  struct Outcome {
    ~Outcome() {
      if (has_value) value.~T();
    }
    Outcome() noexcept {}  // NOLINT: the union starts empty
    union {
      T value;
    };
    bool has_value = false;
  };

  IOLoop();
  ~IOLoop();

  void run_until_done(Task<> task, Duration timeout);
  template <class T>
  static Task<> collect(Task<T> task, Outcome<T>* outcome) {
    T value = co_await task;
    ::new (static_cast<void*>(&outcome->value)) T(std::move(value));
    outcome->has_value = true;
  }
  template <class F, class... Args>
  static Task<> keep(F function, Args... args) {
    co_await function(std::move(args)...);
  }

  loop::LoopCore* core_;
  Timers* timers_;
  loop::FdHandlers* fd_handlers_;
};

template <class T>
T IOLoop::run_sync(Task<T> task, Duration timeout) {
  if constexpr (std::is_void_v<T>) {
    run_until_done(std::move(task), timeout);
  } else {
    Outcome<T> outcome;
    run_until_done(collect(std::move(task), &outcome), timeout);
    return std::move(outcome.value);
  }
}

/// Starts `task` on the calling thread's loop; see IOLoop::spawn().
inline void spawn(Task<> task) { IOLoop::current().spawn(std::move(task)); }
template <class F, class... Args>
requires std::is_invocable_r_v < Task<>, std::decay_t<F>
&, std::decay_t<Args>... > void spawn(F&& function, Args&&... args) {
  IOLoop::current().spawn(std::forward<F>(function), std::forward<Args>(args)...);
}

}  // namespace squall
