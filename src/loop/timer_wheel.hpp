// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/scheduler.hpp>

#include <cstddef>
#include <cstdint>

namespace squall::loop {

/// A hierarchical timing wheel: 64 slots a level, a tick of one millisecond at the bottom.
///
/// Starting and stopping a timer is O(1) and allocates nothing: the nodes are linked in place. A
/// timer moves down a level at most five times in its life.
class TimerWheel {
 public:
  using Node = detail::TimerNode;

  explicit TimerWheel(std::uint64_t now_ms) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  /// Arms `node`, whose due_ms is set; a time that is past fires at the next advance().
  void start(Node& node) noexcept;
  void stop(Node& node) noexcept;

  /// Fires all that is due at `now_ms`, in order of their milliseconds. Timers started meanwhile
  /// for a time that is past wait for the next call.
  void advance(std::uint64_t now_ms) noexcept;

  /// Milliseconds from the last advance() until a timer may be due: a lower bound, exact for the
  /// next 64 ms. -1 when none is armed.
  [[nodiscard]] std::int64_t next_due_in() const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return armed_; }

  /// Stops every timer and calls `function` on it.
  template <class F>
  void take_all(F function) {
    const auto empty = [&](Ring& ring) {
      while (!ring.is_empty()) {
        Node& node = *ring.next;
        stop(node);
        function(node);
      }
    };
    for (auto& level : rings_) {
      for (Ring& ring : level) empty(ring);
    }
    empty(late_);
  }

 private:
  static constexpr unsigned slot_bits = 6;
  static constexpr unsigned slots = 1U << slot_bits;
  static constexpr unsigned levels = 6;  // 2^36 ms, over two years; farther ones wait at the top

  using Ring = detail::NodeRing<Node>;

  void link(Node& node) noexcept;
  void cascade(unsigned level) noexcept;

  std::uint64_t now_;
  std::size_t armed_ = 0;
  std::uint64_t occupied_[levels] = {};  // a bit a slot; a set bit may be stale after stop()
  Ring rings_[levels][slots];
  Ring late_;  // due at or before now_
};

}  // namespace squall::loop
