// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/coro/detail/queue_core.hpp>
#include <squall/coro/detail/queue_storage.hpp>
#include <squall/coro/detail/waiter.hpp>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>

namespace squall {

/// Thrown by Queue::put_nowait() when there is no room.
class QueueFull : public Error {
 public:
  QueueFull() : Error("the queue is full") {}
};
/// Thrown by Queue::get_nowait() when there is no item.
class QueueEmpty : public Error {
 public:
  QueueEmpty() : Error("the queue is empty") {}
};
/// Thrown by puts into a closed queue, and by gets once it is empty.
class QueueClosed : public Error {
 public:
  QueueClosed() : Error("the queue is closed") {}
};

/// What Queue, PriorityQueue and LifoQueue share; `Storage` decides which item leaves first.
///
/// Gets are served in the order in which they began, and so are puts; nobody overtakes who waits.
/// An item is promised to who waits for it and taken when that coroutine resumes; if it is
/// cancelled or destroyed first, the item stays and the next one gets it. It belongs to one loop.
/// Any number may wait, without allocation; destroying the queue ends the waits with
/// CancelledError. Every wait ends with CancelledError when its task is asked to stop.
template <class T, class Storage>
class BasicQueue {
 public:
  class PutAwaiter;
  class GetAwaiter;
  class NextAwaiter;
  class JoinAwaiter;

  /// Holds at most `maxsize` items; zero is a UsageError.
  explicit BasicQueue(std::size_t maxsize = limits::queue_items) : core_(maxsize) {}
  BasicQueue(std::size_t maxsize, Storage storage) : core_(maxsize), storage_(std::move(storage)) {}
  BasicQueue(const BasicQueue&) = delete;
  BasicQueue& operator=(const BasicQueue&) = delete;

  /// Puts `item` into the queue, waiting for room. QueueClosed when the queue is.
  [[nodiscard]] PutAwaiter put(T item) { return PutAwaiter(*this, std::move(item)); }
  /// Waits for at most `timeout`, then throws TimeoutError; zero only tries.
  [[nodiscard]] PutAwaiter put(T item, Duration timeout) {
    return PutAwaiter(*this, std::move(item), timeout);
  }
  /// Puts `item` if there is room now, else throws QueueFull, or QueueClosed.
  void put_nowait(T item) {
    if (try_put(std::move(item))) return;
    if (core_.is_closed()) throw QueueClosed();
    throw QueueFull();
  }
  /// The same, telling whether; `item` is left as it was when it is not.
  [[nodiscard]] bool try_put(T&& item) {
    if (core_.is_closed() || !core_.has_room()) return false;
    detail::QueueCore::Change change(core_);
    storage_.push(std::move(item));
    change.added();
    return true;
  }

  /// Takes the first item, waiting for one. QueueClosed when the queue is closed and empty.
  [[nodiscard]] GetAwaiter get() noexcept { return GetAwaiter(*this); }
  /// Waits for at most `timeout`, then throws TimeoutError; zero only tries.
  [[nodiscard]] GetAwaiter get(Duration timeout) noexcept { return GetAwaiter(*this, timeout); }
  /// As get(), giving nothing when the queue is closed and empty: the end of a consumer's loop.
  [[nodiscard]] NextAwaiter next() noexcept { return NextAwaiter(*this); }
  [[nodiscard]] NextAwaiter next(Duration timeout) noexcept { return NextAwaiter(*this, timeout); }
  /// Takes an item that is there now, else throws QueueEmpty, or QueueClosed.
  T get_nowait() {
    std::optional<T> item = try_get();
    if (item) return *std::move(item);
    if (core_.is_closed()) throw QueueClosed();
    throw QueueEmpty();
  }
  /// The same, giving nothing instead.
  [[nodiscard]] std::optional<T> try_get() { return take(detail::WaitState::idle); }

  /// Tells that the work for one item that was taken is done. A UsageError when it is called more
  /// often than items were put.
  void task_done() { core_.task_done(); }
  /// Waits until task_done() was called for every item, those whose puts wait included.
  [[nodiscard]] JoinAwaiter join() noexcept { return JoinAwaiter(*this); }
  /// For at most `timeout`, then throws TimeoutError; zero only looks.
  [[nodiscard]] JoinAwaiter join(Duration timeout) noexcept { return JoinAwaiter(*this, timeout); }

  /// Ends the queue: puts throw QueueClosed, also those that wait; gets take what is still there,
  /// and then next() gives nothing and get() throws QueueClosed. A second time does nothing.
  void close() noexcept { core_.close(); }
  [[nodiscard]] bool is_closed() const noexcept { return core_.is_closed(); }

  /// Items that try_get() could take; those on their way to who waited for them do not count.
  [[nodiscard]] std::size_t qsize() const noexcept { return core_.free_items(); }
  [[nodiscard]] bool empty() const noexcept { return core_.free_items() == 0; }
  /// Whether try_put() would find no room.
  [[nodiscard]] bool full() const noexcept { return !core_.has_room(); }
  [[nodiscard]] std::size_t maxsize() const noexcept { return core_.max_size(); }

 private:
  std::optional<T> take(detail::WaitState waited) {
    std::optional<T> item;
    if (!core_.may_take(waited)) return item;
    detail::QueueCore::Change change(core_);
    if (waited == detail::WaitState::granted) change.redeem_item();
    item.emplace(storage_.pop());
    change.removed();
    return item;
  }
  void insert(detail::WaitState waited, T& item) {
    if (core_.is_closed()) throw QueueClosed();
    detail::QueueCore::Change change(core_);
    if (waited == detail::WaitState::granted) change.redeem_room();
    storage_.push(std::move(item));
    change.added();
  }

  detail::QueueCore core_;
  Storage storage_;
};

template <class T, class Storage>
class BasicQueue<T, Storage>::PutAwaiter : public detail::Waiter {
 public:
  PutAwaiter(BasicQueue& queue, T&& item)
      : Waiter(queue.core_.putters), queue_(queue), item_(std::move(item)) {}
  PutAwaiter(BasicQueue& queue, T&& item, Duration timeout)
      : Waiter(queue.core_.putters, timeout), queue_(queue), item_(std::move(item)) {}

  [[nodiscard]] bool await_ready() noexcept {
    return queue_.core_.put_is_ready(is_immediate()) || times_out_at_once();
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    Waiter::await_suspend(waiting);
    queue_.core_.settle();  // there may be room that waits for others to resume
  }
  void await_resume() { queue_.insert(end_or_throw(), item_); }

 private:
  BasicQueue& queue_;
  T item_;
};

template <class T, class Storage>
class BasicQueue<T, Storage>::NextAwaiter : public detail::Waiter {
 public:
  explicit NextAwaiter(BasicQueue& queue) noexcept : Waiter(queue.core_.getters), queue_(queue) {}
  NextAwaiter(BasicQueue& queue, Duration timeout) noexcept
      : Waiter(queue.core_.getters, timeout), queue_(queue) {}

  [[nodiscard]] bool await_ready() noexcept {
    return queue_.core_.get_is_ready(is_immediate()) || times_out_at_once();
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    Waiter::await_suspend(waiting);
    queue_.core_.settle();  // there may be items, behind those that wait for others to resume
  }
  std::optional<T> await_resume() { return queue_.take(end_or_throw()); }

 private:
  BasicQueue& queue_;
};

template <class T, class Storage>
class BasicQueue<T, Storage>::GetAwaiter : public NextAwaiter {
 public:
  using NextAwaiter::NextAwaiter;
  T await_resume() {
    std::optional<T> item = NextAwaiter::await_resume();
    if (!item) throw QueueClosed();
    return *std::move(item);
  }
};

template <class T, class Storage>
class BasicQueue<T, Storage>::JoinAwaiter : public detail::Waiter {
 public:
  explicit JoinAwaiter(BasicQueue& queue) noexcept : Waiter(queue.core_.joiners), queue_(queue) {}
  JoinAwaiter(BasicQueue& queue, Duration timeout) noexcept
      : Waiter(queue.core_.joiners, timeout), queue_(queue) {}
  [[nodiscard]] bool await_ready() noexcept {
    return queue_.core_.is_done() || times_out_at_once();
  }
  void await_resume() { end_or_throw(); }

 private:
  BasicQueue& queue_;
};

/// Passes items from coroutine to coroutine, first in, first out; a limit makes fast producers wait
/// for slow consumers. See BasicQueue.
template <class T>
class Queue : public BasicQueue<T, detail::FifoStorage<T>> {
 public:
  using BasicQueue<T, detail::FifoStorage<T>>::BasicQueue;
};

/// A Queue whose lowest item leaves first; of equal ones, what came first. `Compare(a, b)` tells
/// whether `a` leaves before `b`.
template <class T, class Compare = detail::Lower>
class PriorityQueue : public BasicQueue<T, detail::PriorityStorage<T, Compare>> {
  using Storage = detail::PriorityStorage<T, Compare>;

 public:
  using BasicQueue<T, Storage>::BasicQueue;
  PriorityQueue(std::size_t maxsize, Compare compare)
      : BasicQueue<T, Storage>(maxsize, Storage(std::move(compare))) {}
};

/// A Queue whose latest item leaves first.
template <class T>
class LifoQueue : public BasicQueue<T, detail::LifoStorage<T>> {
 public:
  using BasicQueue<T, detail::LifoStorage<T>>::BasicQueue;
};

}  // namespace squall
