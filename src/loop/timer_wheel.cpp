// SPDX-License-Identifier: Apache-2.0
#include "loop/timer_wheel.hpp"

#include <bit>

namespace squall::loop {

TimerWheel::TimerWheel(std::uint64_t now_ms) noexcept : now_(now_ms) {}

TimerWheel::~TimerWheel() {
  // Nodes may outlive the wheel; they must not point into it.
  const auto drop = [](Ring& ring) {
    while (!ring.is_empty()) ring.take_first();
  };
  for (auto& level : rings_) {
    for (Ring& ring : level) drop(ring);
  }
  drop(late_);
}

void TimerWheel::link(Node& node) noexcept {
  if (node.due_ms <= now_) {
    late_.append(node);
    return;
  }
  // The level is that of the highest bit in which the due time differs from now.
  const std::uint64_t differing = node.due_ms ^ now_;
  const unsigned top = static_cast<unsigned>(std::bit_width(differing)) - 1;
  unsigned level = top / slot_bits;
  std::uint64_t slot_time = node.due_ms;
  if (level >= levels) {  // parked in the last slot of the top level, looked at again from there
    level = levels - 1;
    slot_time = now_ - 1 + (std::uint64_t{1} << (slot_bits * levels));
  }
  const unsigned slot = static_cast<unsigned>(slot_time >> (slot_bits * level)) & (slots - 1);
  occupied_[level] |= std::uint64_t{1} << slot;
  rings_[level][slot].append(node);
}

void TimerWheel::start(Node& node) noexcept {
  ++armed_;
  link(node);
}

void TimerWheel::stop(Node& node) noexcept {
  if (!node.is_armed()) return;
  node.unlink();
  --armed_;
}

void TimerWheel::cascade(unsigned level) noexcept {
  const unsigned slot = static_cast<unsigned>(now_ >> (slot_bits * level)) & (slots - 1);
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  Ring moved;
  moved.take_all(rings_[level][slot]);
  while (!moved.is_empty()) link(moved.take_first());
}

void TimerWheel::advance(std::uint64_t now_ms) noexcept {
  Ring due;
  const auto collect = [&due](Ring& ring) {
    while (!ring.is_empty()) due.append(ring.take_first());
  };
  collect(late_);
  while (now_ < now_ms) {
    // Skip to the next occupied slot of the bottom level, or to its end, where higher levels
    // cascade.
    const unsigned at = static_cast<unsigned>(now_) & (slots - 1);
    const std::uint64_t later = at + 1 < slots ? occupied_[0] >> (at + 1) : 0;
    std::uint64_t next = later != 0 ? now_ + 1 + static_cast<unsigned>(std::countr_zero(later))
                                    : (now_ | (slots - 1)) + 1;
    if (later == 0 && armed_ == 0) {
      now_ = now_ms;
      break;
    }
    if (next > now_ms) {
      now_ = now_ms;
      break;
    }
    now_ = next;
    for (unsigned level = 1; level < levels; ++level) {
      if ((now_ & ((std::uint64_t{1} << (slot_bits * level)) - 1)) != 0) break;
      cascade(level);
    }
    const unsigned slot = static_cast<unsigned>(now_) & (slots - 1);
    occupied_[0] &= ~(std::uint64_t{1} << slot);
    collect(rings_[0][slot]);
    collect(late_);  // what cascaded to exactly now
  }
  while (!due.is_empty()) {
    Node& node = *due.next;
    stop(node);
    node.fire(node);
  }
}

std::int64_t TimerWheel::next_due_in() const noexcept {
  if (armed_ == 0) return -1;
  if (!late_.is_empty()) return 0;
  for (unsigned level = 0; level < levels; ++level) {
    const unsigned shift = slot_bits * level;
    const unsigned at = static_cast<unsigned>(now_ >> shift) & (slots - 1);
    const std::uint64_t later = at + 1 < slots ? occupied_[level] >> (at + 1) : 0;
    if (later != 0) {
      const std::uint64_t slot = at + 1 + static_cast<unsigned>(std::countr_zero(later));
      const std::uint64_t base = now_ >> (shift + slot_bits) << (shift + slot_bits);
      return static_cast<std::int64_t>(base + (slot << shift) - now_);
    }
  }
  return static_cast<std::int64_t>(slots);  // parked far away: look again soon enough
}

}  // namespace squall::loop
