// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/realtime/broker.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace squall::realtime {

struct NatsBrokerOptions {
  /// `nats://[user:password@|token@]host[:port]`, `tls://` the same with TLS; several servers of a
  /// cluster with commas between them.
  std::string_view url = "nats://127.0.0.1:4222";
  /// Begins all subjects; letters, digits, `-`, `_`, and dots between them.
  std::string_view prefix = "squall";
  std::string_view client_name = "squall";
  std::string_view credentials_file = {};  ///< a user's JWT and key (`.creds`)
  std::string_view ca_file = {};           ///< PEM: who signs the server's certificate
  Duration connect_timeout = Duration::from_seconds(2);
  /// For the server to show that it has what was sent. Past it the connection counts as broken.
  Duration reply_timeout = Duration::from_seconds(5);
  /// How long a call waits for a connection; then `broker_unavailable`.
  Duration queue_timeout = Duration::from_seconds(5);
  Duration ping_interval = Duration::from_seconds(10);  ///< of silence, until the server is asked
  /// Between attempts to connect: doubled from the least to the most, at random between the half
  /// and the whole.
  Duration backoff_least = Duration::from_milliseconds(100);
  Duration backoff_most = Duration::from_seconds(5);
  /// How long a channel is still listened to, for its history, once nobody here is subscribed to it
  /// or asks for its position. Those who come back to this process meanwhile are recovered.
  Duration linger = Duration::from_seconds(60);
  std::size_t max_channels = limits::hub_channels;            ///< that are listened to
  std::size_t max_history_bytes = limits::hub_history_bytes;  ///< of all channels
  std::size_t max_queue_calls = limits::broker_queue_calls;
  std::size_t max_queue_bytes = limits::broker_queue_bytes;
  /// What has come and waits for the broker's thread; past it the connection counts as broken.
  std::size_t max_inbox_bytes = limits::broker_inbox_bytes;
};

static_assert(std::is_trivially_destructible_v<NatsBrokerOptions>);

/// Carries publications through NATS core: fast, at most once, and remembered by nobody but the
/// processes that listen. Offsets and histories are this process's own, so one who comes back to
/// another process is not recovered. docs/brokers.md tells what it guarantees.
///
/// Throws UsageError for bad options, and in builds without it (SQUALL_NATS).
[[nodiscard]] BrokerPtr nats_broker(const NatsBrokerOptions& options = {});

}  // namespace squall::realtime
