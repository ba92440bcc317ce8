// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/linked_node.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>

#include <coroutine>
#include <cstdint>

namespace squall::detail {

struct WaitNode : LinkedNode<WaitNode> {
  WaitNode() noexcept = default;
};

enum class WaitState : std::uint8_t {
  idle,       ///< has not waited: what it is for was there at once
  waiting,    ///< in line
  granted,    ///< was given what it waited for; resumes in a turn to come
  closed,     ///< what it waited for will never come
  cancelled,  ///< its task was asked to stop, or what it waited for is gone
  timed_out,
};

/// Those that wait for one thing, first come, first served. Destroying it ends their waits with
/// CancelledError.
class WaitList {
 public:
  /// Told when one that was granted something by grant_first() goes without taking it.
  using PassOn = void (*)(void* owner) noexcept;

  WaitList() noexcept = default;
  WaitList(void* owner, PassOn pass_on) noexcept : owner_(owner), pass_on_(pass_on) {}
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;
  ~WaitList();

  /// Whether nobody is in line; those who were granted what they waited for do not count.
  [[nodiscard]] bool is_empty() const noexcept { return waiting_.is_empty(); }
  /// Gives the first one something that must not get lost; only when there is one.
  void grant_first() noexcept;
  /// Tells all in line something that is no one's own.
  void grant_all() noexcept { end(waiting_, WaitState::granted); }
  /// Ends all waits with WaitState::closed.
  void close() noexcept { end(waiting_, WaitState::closed); }
  /// Also those of the granted ones, which are not passed on.
  void close_granted() noexcept { end(granted_, WaitState::closed); }

 private:
  friend class Waiter;
  static void end(NodeRing<WaitNode>& nodes, WaitState how) noexcept;

  NodeRing<WaitNode> waiting_;
  NodeRing<WaitNode> granted_;
  void* owner_ = nullptr;
  PassOn pass_on_ = nullptr;
};

/// One coroutine's wait: the base of the awaiters. It lives in the coroutine's frame and is linked
/// in place, so that waiting allocates nothing and destroying the coroutine takes it out of line.
/// It may be moved until it is awaited.
class Waiter : private WaitNode, private TimerNode, private StopNode {
 public:
  Waiter(Waiter&& other) noexcept : Waiter(*other.list_, other.timeout_ns_) {}
  Waiter& operator=(Waiter&&) = delete;

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, stop_state_of(waiting));
  }

 protected:
  explicit Waiter(WaitList& list) noexcept : Waiter(list, no_timeout) {}
  Waiter(WaitList& list, Duration timeout) noexcept
      : Waiter(list, timeout.nanoseconds() > 0 ? timeout.nanoseconds() : 0) {}
  ~Waiter();

  /// Whether it must not wait at all.
  [[nodiscard]] bool is_immediate() const noexcept { return timeout_ns_ == 0; }
  /// For the end of await_ready(): a time-out of zero is over before the wait begins.
  [[nodiscard]] bool times_out_at_once() noexcept {
    if (is_immediate()) state_ = WaitState::timed_out;
    return is_immediate();
  }
  /// For await_resume(): what came of the wait; from now on what was granted is the caller's.
  WaitState end() noexcept;
  /// The same; throws CancelledError and TimeoutError.
  WaitState end_or_throw();

 private:
  friend class WaitList;
  static constexpr std::int64_t no_timeout = -1;

  Waiter(WaitList& list, std::int64_t timeout_ns) noexcept
      : TimerNode(&on_timer), StopNode(&on_stop), list_(&list), timeout_ns_(timeout_ns) {}
  void suspend(std::coroutine_handle<> waiting, StopState* stop);
  void wake(WaitState how) noexcept;
  void leave() noexcept;
  static void on_timer(TimerNode& node) noexcept;
  static void on_stop(StopNode& node) noexcept;

  ResumeNode resume_;
  WaitList* list_;
  Scheduler* scheduler_ = nullptr;
  std::int64_t timeout_ns_;
  WaitState state_ = WaitState::idle;
};

}  // namespace squall::detail
