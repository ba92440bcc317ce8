// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/coro/detail/queue_storage.hpp>
#include <squall/loop/detail/channel_core.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace squall {

/// Thrown by Channel::send() when the channel is closed.
class ChannelClosed : public Error {
 public:
  ChannelClosed() : Error("the channel is closed") {}
};

/// Passes items between coroutines of different loops, and so of different threads, first in, first
/// out. Any number may send and receive, also on one loop; there a Queue is cheaper.
///
/// It is a handle: copies are the same channel, which lives as long as a handle or someone who
/// waits. All calls are safe on any thread; the awaits resume on the loop where they began, in a
/// later turn. Waits are served in the order in which they began. An item is promised to who waits
/// for it and taken when that coroutine resumes; if it is cancelled, destroyed, or its loop ends
/// first, the item stays and the next one gets it. A loop that stands still keeps what it was
/// promised until it runs again or ends. Waiting allocates nothing once a loop has waited before.
/// Items are moved while a lock is held: their moves must not use the channel.
template <class T>
class Channel {
 public:
  class SendAwaiter;
  class ReceiveAwaiter;

  /// Holds at most `max_items`; zero is a UsageError.
  explicit Channel(std::size_t max_items = limits::queue_items) : state_(new State(max_items)) {}
  Channel(const Channel& other) noexcept : state_(other.state_) { state_->retain(); }
  Channel& operator=(const Channel& other) noexcept {
    other.state_->retain();
    std::exchange(state_, other.state_)->release();
    return *this;
  }
  ~Channel() { state_->release(); }

  /// Sends `item`, waiting for room. ChannelClosed when the channel is; CancelledError when the
  /// task is asked to stop. After an exception the item was not sent.
  [[nodiscard]] SendAwaiter send(T item) const { return SendAwaiter(*state_, std::move(item)); }
  /// Waits for at most `timeout`, then throws TimeoutError; zero only tries.
  [[nodiscard]] SendAwaiter send(T item, Duration timeout) const {
    return SendAwaiter(*state_, std::move(item), timeout);
  }
  /// Sends `item` if there is room now and the channel is open; else leaves it as it was. The
  /// calling thread needs no loop.
  [[nodiscard]] bool try_send(T&& item) const { return state_->try_send(std::move(item)); }

  /// Takes the first item, waiting for one; gives nothing when the channel is closed and empty.
  /// CancelledError when the task is asked to stop.
  [[nodiscard]] ReceiveAwaiter receive() const noexcept { return ReceiveAwaiter(*state_); }
  /// Waits for at most `timeout`, then throws TimeoutError; zero only tries.
  [[nodiscard]] ReceiveAwaiter receive(Duration timeout) const noexcept {
    return ReceiveAwaiter(*state_, timeout);
  }
  /// Takes the first item if there is one now. The calling thread needs no loop.
  [[nodiscard]] std::optional<T> try_receive() const { return state_->try_receive(); }

  /// Ends the channel: sends throw ChannelClosed, also those that wait; receives take what is still
  /// there and then give nothing. A second time does nothing.
  void close() const noexcept { state_->close(); }
  [[nodiscard]] bool is_closed() const noexcept { return state_->is_closed(); }
  /// Items that nobody was promised; another thread may change it at any time.
  [[nodiscard]] std::size_t size() const noexcept { return state_->size(); }
  [[nodiscard]] std::size_t max_items() const noexcept { return state_->max_items(); }

 private:
  class State;
  State* state_;
};

template <class T>
class Channel<T>::State final : public detail::ChannelCore {
 public:
  explicit State(std::size_t max_items) : ChannelCore(max_items) {}

  bool try_send(T&& item) {
    Change change(*this);
    if (change.is_closed() || !change.has_room()) return false;
    items_.push(std::move(item));
    change.added();
    return true;
  }
  void send_promised(T&& item) {
    Change change(*this);
    change.redeem_room();
    if (change.is_closed()) throw ChannelClosed();
    items_.push(std::move(item));
    change.added();
  }
  std::optional<T> try_receive() {
    Change change(*this);
    if (!change.has_item()) return std::nullopt;
    return pop(change);
  }
  std::optional<T> receive_promised() {
    Change change(*this);
    change.redeem_item();
    return pop(change);
  }
  bool is_drained() {
    const Change change(*this);
    return change.is_drained();
  }

 private:
  std::optional<T> pop(Change& change) {
    std::optional<T> item(items_.pop());
    change.removed();
    return item;
  }
  detail::FifoStorage<T> items_;
};

template <class T>
class Channel<T>::SendAwaiter : public detail::ChannelWaiter {
 public:
  SendAwaiter(State& state, T&& item)
      : ChannelWaiter(state, Side::sender, no_timeout), state_(state), item_(std::move(item)) {}
  SendAwaiter(State& state, T&& item, Duration timeout)
      : ChannelWaiter(state, Side::sender, timeout_of(timeout)),
        state_(state),
        item_(std::move(item)) {}

  [[nodiscard]] bool await_ready() {
    sent_ = state_.try_send(std::move(item_));
    return sent_ || state_.is_closed() || times_out_at_once();
  }
  void await_resume() {
    if (sent_) return;
    if (!was_granted()) throw ChannelClosed();
    state_.send_promised(std::move(item_));
  }

 private:
  State& state_;
  T item_;
  bool sent_ = false;
};

template <class T>
class Channel<T>::ReceiveAwaiter : public detail::ChannelWaiter {
 public:
  explicit ReceiveAwaiter(State& state) noexcept
      : ChannelWaiter(state, Side::receiver, no_timeout), state_(state) {}
  ReceiveAwaiter(State& state, Duration timeout) noexcept
      : ChannelWaiter(state, Side::receiver, timeout_of(timeout)), state_(state) {}

  [[nodiscard]] bool await_ready() {
    item_ = state_.try_receive();
    return item_ || state_.is_drained() || times_out_at_once();
  }
  std::optional<T> await_resume() {
    if (item_) return std::move(item_);
    if (!was_granted()) return std::nullopt;
    return state_.receive_promised();
  }

 private:
  State& state_;
  std::optional<T> item_;
};

}  // namespace squall
