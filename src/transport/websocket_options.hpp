// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>

#include <cstddef>

namespace squall::transport {

/// How the WebSockets of one owner are treated; shared by all of them.
struct WebSocketOptions {
  std::size_t max_message_bytes = limits::websocket_message_bytes;
  /// Output that waits for one peer, and messages that wait for one busy delegate.
  std::size_t max_queue_bytes = limits::websocket_queue_bytes;
  /// For the answer to a close frame, and for messages that were to be handled before the end.
  Duration close_timeout = Duration::from_seconds(5);
};

}  // namespace squall::transport
