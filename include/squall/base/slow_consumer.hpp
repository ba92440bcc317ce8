// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace squall {

/// What becomes of messages for a peer that reads more slowly than they are written. With each of
/// them what waits is bounded in bytes, and no message arrives in part.
enum class SlowConsumer : std::uint8_t {
  disconnect,   ///< the peer is disconnected when too much waits, or it takes nothing for a while
  drop_oldest,  ///< messages that have waited longest make room for new ones
  drop_newest,  ///< new messages are dropped until there is room
  conflate,     ///< of messages with the same key only the latest waits, in the first one's place;
                ///< when there is no room for others, those that have waited longest go
};

/// What became of a message. Those before `dropped` are on their way.
enum class SendResult : std::uint8_t {
  sent,       ///< queued; it leaves at the end of the loop's turn, or when the peer reads again
  displaced,  ///< queued; older ones were dropped to make room (SlowConsumer::drop_oldest)
  conflated,  ///< queued in place of an older one with the same key (SlowConsumer::conflate)
  dropped,    ///< there is no room for it (SlowConsumer::drop_newest), or it alone is too large
  closed,     ///< the connection is closing or closed; nothing was queued
  overflow,   ///< more waits than the limit allows; the peer is disconnected
};

/// Whether the message is on its way.
[[nodiscard]] constexpr bool is_queued(SendResult result) noexcept {
  return result < SendResult::dropped;
}

}  // namespace squall
