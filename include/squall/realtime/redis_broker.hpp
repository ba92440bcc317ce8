// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/realtime/broker.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace squall::net {
class TLSContext;
}

namespace squall::realtime {

struct RedisBrokerOptions {
  /// `redis://[[user]:password@]host[:port][/database]`, the same with `rediss://` for TLS, or
  /// `unix:///path[?db=n]`. What a URL cannot hold is percent-encoded.
  std::string_view url = "redis://127.0.0.1:6379/0";
  /// Begins the names of all keys and topics: programs with different prefixes share a server
  /// without meeting.
  std::string_view prefix = "squall:";
  std::string_view client_name = "squall";  ///< as `CLIENT LIST` shows it; no spaces
  const net::TLSContext* tls = nullptr;     ///< for `rediss://`; none takes the system's CAs
  Duration connect_timeout = Duration::from_seconds(5);  ///< for TCP, TLS and the log-in together
  /// For an answer. Past it the connection counts as broken.
  Duration reply_timeout = Duration::from_seconds(5);
  /// How long a call waits for a connection; then `broker_unavailable`.
  Duration queue_timeout = Duration::from_seconds(5);
  Duration ping_interval = Duration::from_seconds(10);  ///< of silence, until the server is asked
  /// Between attempts to connect: doubled from the least to the most, at random between the half
  /// and the whole.
  Duration backoff_least = Duration::from_milliseconds(100);
  Duration backoff_most = Duration::from_seconds(5);
  /// How long a channel that nobody publishes to or asks about keeps its epoch.
  Duration meta_ttl = Duration::from_seconds(30 * 24 * 3600);
  std::size_t max_queue_calls = limits::broker_queue_calls;
  std::size_t max_queue_bytes = limits::broker_queue_bytes;
  /// Says that the server never loses what it has acknowledged (`appendfsync always`, no failover
  /// to a replica): then epochs outlive its restarts. Otherwise each restart begins new ones.
  bool durable = false;
};

static_assert(std::is_trivially_destructible_v<RedisBrokerOptions>);

/// Carries publications through a Redis server (6.2 or later) and keeps histories and members in
/// it. One thread and two connections serve all loops of the process. docs/brokers.md tells what it
/// guarantees, and what happens when the server is away.
///
/// Throws UsageError for a bad URL, and in builds without it (SQUALL_REDIS).
[[nodiscard]] BrokerPtr redis_broker(const RedisBrokerOptions& options = {});

}  // namespace squall::realtime
