// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace squall::net::detail {

/// A share in a counted state, or in none: what waits for the state keeps it when its owner is
/// gone.
template <class State>
class Share {
 public:
  explicit Share(State* state) noexcept;  // src/net/share.hpp: the state is private
  Share(Share&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  Share& operator=(Share&&) = delete;
  ~Share();
  [[nodiscard]] State* get() const noexcept { return state_; }
  State* operator->() const noexcept { return state_; }

 private:
  State* state_;
};

}  // namespace squall::net::detail
