// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/waiter.hpp>

#include <cstddef>

namespace squall::detail {

/// Counts what a queue holds and knows who waits for it; the items are its owner's.
///
/// Who waits is promised an item or a room for one, and takes it when it resumes. So items stay
/// where they are until someone has them, and a promise that is not kept costs nothing.
class QueueCore {
 public:
  explicit QueueCore(std::size_t max_size);

  /// Items that nobody was promised.
  [[nodiscard]] std::size_t free_items() const noexcept { return size_ - promised_items_; }
  [[nodiscard]] bool has_room() const noexcept { return free_items() + promised_rooms_ < max_; }
  /// Whether a get, or a put, need not wait: there is one, and nobody was there before.
  [[nodiscard]] bool get_is_ready(bool at_any_cost) const noexcept {
    return (free_items() > 0 && (at_any_cost || promised_items_ == 0)) || is_drained();
  }
  [[nodiscard]] bool put_is_ready(bool at_any_cost) const noexcept {
    return closed_ || (has_room() && (at_any_cost || promised_rooms_ == 0));
  }
  /// Whether an item may be taken by who waited with this result.
  [[nodiscard]] bool may_take(WaitState waited) const noexcept {
    return waited == WaitState::granted || (waited == WaitState::idle && free_items() > 0);
  }
  [[nodiscard]] bool is_drained() const noexcept { return closed_ && size_ == 0; }
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  [[nodiscard]] bool is_done() const noexcept { return unfinished_ == 0 && promised_rooms_ == 0; }
  [[nodiscard]] std::size_t max_size() const noexcept { return max_; }

  void close() noexcept;
  void task_done();

  /// Brackets a change of the items; its end tells who waits, also after an exception.
  class Change {
   public:
    explicit Change(QueueCore& core) noexcept : core_(core) {}
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() { core_.settle(); }

    /// Of a get or put that waited: its promise is being kept.
    void redeem_item() noexcept { --core_.promised_items_; }
    void redeem_room() noexcept { --core_.promised_rooms_; }
    void added() noexcept {
      ++core_.size_;
      ++core_.unfinished_;
    }
    void removed() noexcept { --core_.size_; }

   private:
    QueueCore& core_;
  };

  /// Promises what there is to those who wait, in their order.
  void settle() noexcept;

  WaitList getters;
  WaitList putters;
  WaitList joiners;

 private:
  std::size_t max_;
  std::size_t size_ = 0;
  std::size_t promised_items_ = 0;
  std::size_t promised_rooms_ = 0;
  std::size_t unfinished_ = 0;
  bool closed_ = false;
};

}  // namespace squall::detail
