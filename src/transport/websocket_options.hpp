// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/slow_consumer.hpp>
#include <squall/websocket/compression_options.hpp>

#include <cstddef>

namespace squall::transport {

/// How the WebSockets of one owner are treated; shared by all of them.
struct WebSocketOptions {
  std::size_t max_message_bytes = limits::websocket_message_bytes;
  /// Output that waits for one peer.
  std::size_t max_queue_bytes = limits::websocket_queue_bytes;
  /// Messages that wait for one busy delegate; past it no more is received.
  std::size_t max_backlog_bytes = limits::websocket_queue_bytes;
  SlowConsumer slow_consumer = SlowConsumer::disconnect;
  /// Without the peer taking a byte of what waits for it: under SlowConsumer::disconnect, and under
  /// the other policies, where only a peer that is gone is to be noticed.
  Duration stall_timeout = Duration::from_seconds(5);
  Duration write_timeout = Duration::from_seconds(60);
  /// From ping to ping; zero: no pings.
  Duration ping_interval = Duration::from_seconds(0);
  /// From a ping until something must have come; zero, or more than the interval: the interval.
  Duration ping_timeout = Duration::from_seconds(0);
  /// What permessage-deflate is negotiated with, where the delegate has no options of its own.
  websocket::CompressionOptions compression;
  /// For the answer to a close frame.
  Duration close_timeout = Duration::from_seconds(5);
  /// For messages that a busy delegate was to handle before the peer's end; zero: no limit.
  Duration handling_timeout = Duration::from_seconds(5);
};

}  // namespace squall::transport
