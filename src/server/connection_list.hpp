// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/pool.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace squall::server {

/// A connection as its server knows it. It deletes itself when it is over.
class Connection : public detail::Pooled {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// The server shuts down: end when what is under way has ended. May delete this.
  virtual void drain() = 0;
  /// End now. Deletes this, or does so in the next turn.
  virtual void abort_now() noexcept = 0;

  /// Its place in the ConnectionGate, which its server gives back when it removes it; 0 for none.
  using Place = std::uint64_t;
  [[nodiscard]] Place place() const noexcept { return place_; }
  void set_place(Place place) noexcept { place_ = place; }
  /// Goes on for another connection that ends now.
  void take_place_of(Connection& other) noexcept { place_ = other.give_place(); }
  /// The place, for who goes on for this connection.
  [[nodiscard]] Place give_place() noexcept { return std::exchange(place_, 0); }

 protected:
  Connection() noexcept = default;

 private:
  friend class ConnectionList;
  Connection* next_ = nullptr;
  Connection* previous_ = nullptr;
  Place place_ = 0;
};

class ConnectionList {
 public:
  void add(Connection& connection) noexcept {
    connection.next_ = head_;
    connection.previous_ = nullptr;
    if (head_ != nullptr) head_->previous_ = &connection;
    head_ = &connection;
    ++size_;
  }
  void remove(Connection& connection) noexcept {
    if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
    (connection.previous_ != nullptr ? connection.previous_->next_ : head_) = connection.next_;
    if (cursor_ == &connection) cursor_ = connection.next_;
    --size_;
  }
  /// Calls `function` on each; it may remove the one it gets.
  template <class F>
  void for_each(F function) {
    cursor_ = head_;
    while (cursor_ != nullptr) {
      Connection& connection = *cursor_;
      cursor_ = connection.next_;
      function(connection);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  Connection* head_ = nullptr;
  Connection* cursor_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace squall::server
