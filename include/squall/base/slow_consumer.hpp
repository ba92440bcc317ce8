// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace squall {

/// What becomes of messages for a peer that reads more slowly than they are written. Whatever it
/// is, what waits is bounded in bytes, and a part of a message never goes missing.
enum class SlowConsumer : std::uint8_t {
  disconnect,   ///< the peer is disconnected when too much waits or it takes nothing for a while
  drop_oldest,  ///< messages that have waited longest make room for new ones
  drop_newest,  ///< new messages are dropped until there is room
  conflate,     ///< of the messages with the same key only the latest waits; past the limit the
                ///< oldest go
};

}  // namespace squall
