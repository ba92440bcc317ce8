// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace squall::websocket {

/// How WebSocket messages are compressed (permessage-deflate, RFC 7692). The same for both ends;
/// where the peer asks for less, less is agreed on.
///
/// By default no end keeps its compression state between messages: a connection that is idle then
/// costs nothing for compression, and a broadcast is compressed once for all. With context
/// takeover similar messages that follow each other shrink more, and each connection that has
/// compressed a message keeps that state: our compressor `2^(window + 2) + 2^(memory_level + 9)`
/// bytes (32 KiB with the default of 12 and 5; 256 KiB with 15 and 8), our decompressor about
/// 10 KiB and `2^window`.
struct CompressionOptions {
  bool enabled = false;

  /// zlib's: 1 (fast) to 9 (small); 0 only stores.
  std::uint8_t level = 6;
  /// zlib's: 1 to 9, memory of the compressor for the sake of speed and size. 0: 8, and 5 where
  /// our end has context takeover.
  std::uint8_t memory_level = 0;

  /// Lets the server refer to its earlier messages (without it, server_no_context_takeover is
  /// agreed on, RFC 7692 §7.1.1.1).
  bool server_context_takeover = false;
  /// Lets the client refer to its earlier messages (RFC 7692 §7.1.1.2).
  bool client_context_takeover = false;

  /// How far back an end refers, as a power of two: 8 (256 bytes) to 15 (32 KiB). 0: 15, and 12
  /// where that end has context takeover. A server can bind only clients that offer
  /// client_max_window_bits (RFC 7692 §7.1.2); browsers do.
  std::uint8_t server_max_window_bits = 0;
  std::uint8_t client_max_window_bits = 0;

  /// Shorter messages are sent as they are (RFC 7692 §6 leaves that open).
  std::size_t min_bytes = 512;
};

/// Throws UsageError when a number is not within its range.
void check(const CompressionOptions& options);

}  // namespace squall::websocket
