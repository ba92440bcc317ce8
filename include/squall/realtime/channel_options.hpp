// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/slow_consumer.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace squall::realtime {

/// What one who comes back is owed.
enum class RecoveryMode : std::uint8_t {
  stream,  ///< every publication that was missed, in order, or the word "not recovered"
  latest,  ///< the newest publication only: for values, where those in between do not matter
};

/// How the channels of a pattern behave; see Hub::configure().
struct ChannelOptions {
  /// Publications that are kept; 0 keeps none. Without any, one who comes back is "recovered" only
  /// when nothing was published meanwhile.
  std::size_t history_size = 0;
  /// How long they are kept.
  Duration history_ttl = Duration::from_seconds(300);
  /// Memory of one channel's history; the oldest go first.
  std::size_t history_bytes = limits::channel_history_bytes;
  RecoveryMode recovery = RecoveryMode::stream;
  /// Keeps who is subscribed, for Hub::presence().
  bool presence = false;
  /// Tells the subscribers who comes and goes (Subscriber::on_presence); wants `presence`.
  bool join_leave = false;
  /// What transports do for a client that reads too slowly; SubscribeOptions may say otherwise.
  SlowConsumer slow_consumer = SlowConsumer::disconnect;
  /// The data of one publication.
  std::size_t max_publication_bytes = limits::publication_bytes;
};

static_assert(std::is_trivially_destructible_v<ChannelOptions>);

}  // namespace squall::realtime
