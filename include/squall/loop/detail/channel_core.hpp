// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/linked_node.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/waiter.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace squall::detail {

/// What a channel is but for its items: their number, who waits and on which loop, and the mutex
/// that guards it all. Counted by its handles, those who wait and news on their way to loops.
///
/// As in a queue, who waits is promised an item or a room for one and takes it when it resumes.
class ChannelCore {
 public:
  ChannelCore(const ChannelCore&) = delete;
  ChannelCore& operator=(const ChannelCore&) = delete;

  void retain() noexcept;
  void release() noexcept;
  void close() noexcept;
  [[nodiscard]] bool is_closed() noexcept;
  [[nodiscard]] std::size_t size() noexcept;
  [[nodiscard]] std::size_t max_items() const noexcept { return max_; }

  /// Holds the mutex; its end promises what there is to those who wait, in their order, and sends
  /// their loops word.
  class Change {
   public:
    explicit Change(ChannelCore& core) noexcept;
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change();

    [[nodiscard]] bool is_closed() const noexcept { return core_.closed_; }
    [[nodiscard]] bool is_drained() const noexcept { return core_.closed_ && core_.size_ == 0; }
    [[nodiscard]] bool has_item() const noexcept { return core_.free_items() > 0; }
    [[nodiscard]] bool has_room() const noexcept { return core_.has_room(); }
    void redeem_item() noexcept { --core_.promised_items_; }
    void redeem_room() noexcept { --core_.promised_rooms_; }
    void added() noexcept { ++core_.size_; }
    void removed() noexcept { --core_.size_; }

   private:
    ChannelCore& core_;
  };

 protected:
  explicit ChannelCore(std::size_t max_items);
  virtual ~ChannelCore();

 private:
  friend class ChannelWaiter;
  struct Port;
  struct Shared;
  struct News;

  [[nodiscard]] std::size_t free_items() const noexcept { return size_ - promised_items_; }
  [[nodiscard]] bool has_room() const noexcept { return free_items() + promised_rooms_ < max_; }
  Port& port_of_this_thread();
  Port* settle() noexcept;
  void send_word(Port* first) noexcept;
  void deliver(Port& port) noexcept;
  void undelivered(Port& port) noexcept;

  // The mutex of shared_ guards these.
  Shared* shared_;
  std::size_t max_;
  std::size_t size_ = 0;
  std::size_t promised_items_ = 0;
  std::size_t promised_rooms_ = 0;
  bool closed_ = false;
};

struct ChannelNode : LinkedNode<ChannelNode> {
  ChannelNode() noexcept = default;
};

/// One coroutine's wait for a channel: the base of its awaiters. All happens on the coroutine's
/// loop but for the promise, which any thread may make.
class ChannelWaiter : private ChannelNode, private TimerNode, private StopNode {
 public:
  ChannelWaiter(ChannelWaiter&& other) noexcept;
  ChannelWaiter& operator=(ChannelWaiter&&) = delete;

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, stop_state_of(waiting));
  }

 protected:
  enum class Side : std::uint8_t { sender, receiver };
  static constexpr std::int64_t no_timeout = -1;
  static constexpr std::int64_t timeout_of(Duration timeout) noexcept {
    return timeout.nanoseconds() > 0 ? timeout.nanoseconds() : 0;
  }

  ChannelWaiter(ChannelCore& core, Side side, std::int64_t timeout_ns) noexcept;
  ~ChannelWaiter();

  /// For the end of await_ready(): a time-out of zero is over before the wait begins.
  [[nodiscard]] bool times_out_at_once() noexcept {
    if (timeout_ns_ == 0) state_ = WaitState::timed_out;
    return timeout_ns_ == 0;
  }
  /// For await_resume(): whether something was promised, which is the caller's to take now, or the
  /// channel is closed. Throws CancelledError and TimeoutError.
  bool was_granted();

 private:
  friend class ChannelCore;
  void suspend(std::coroutine_handle<> waiting, StopState* stop);
  void leave() noexcept;
  static void on_timer(TimerNode& node) noexcept;
  static void on_stop(StopNode& node) noexcept;

  ResumeNode resume_;
  ChannelCore* core_;
  ChannelCore::Port* port_ = nullptr;
  Scheduler* scheduler_ = nullptr;
  std::int64_t timeout_ns_;
  Side side_;
  WaitState state_ = WaitState::idle;  // the core's mutex guards it while this waits
};

}  // namespace squall::detail
