// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace squall::detail {

/// Gives back first what came first.
template <class T>
class FifoStorage {
 public:
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() {
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::deque<T> items_;
};

/// Gives back first what came last.
template <class T>
class LifoStorage {
 public:
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T> items_;
};

/// std::less<>, without its header.
struct Lower {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    return a < b;
  }
};

/// Gives back the lowest first; of equal ones, what came first.
template <class T, class Compare>
class PriorityStorage {
 public:
  PriorityStorage() = default;
  explicit PriorityStorage(Compare compare) : compare_(std::move(compare)) {}

  void push(T&& item) {
    heap_.emplace_back(std::move(item), next_order_);
    ++next_order_;
    for (std::size_t at = heap_.size() - 1; at > 0;) {
      const std::size_t parent = (at - 1) / 2;
      if (!leaves_before(heap_[at], heap_[parent])) break;
      std::swap(heap_[at], heap_[parent]);
      at = parent;
    }
  }
  T pop() {
    const std::size_t last = heap_.size() - 1;
    if (last > 0) std::swap(heap_.front(), heap_.back());
    for (std::size_t at = 0, child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && leaves_before(heap_[child + 1], heap_[child])) ++child;
      if (!leaves_before(heap_[child], heap_[at])) break;
      std::swap(heap_[child], heap_[at]);
      at = child;
    }
    T item = std::move(heap_.back().item);
    heap_.pop_back();
    return item;
  }

 private:
  struct Entry {
    Entry(T&& what, std::uint64_t number) : item(std::move(what)), order(number) {}
    T item;
    std::uint64_t order;
  };

  [[nodiscard]] bool leaves_before(const Entry& a, const Entry& b) const {
    if (compare_(a.item, b.item)) return true;
    return a.order < b.order && !compare_(b.item, a.item);
  }

  // A binary heap of our own: <algorithm> alone is 12,000 lines.
  std::vector<Entry> heap_;
  std::uint64_t next_order_ = 0;
  Compare compare_{};
};

}  // namespace squall::detail
