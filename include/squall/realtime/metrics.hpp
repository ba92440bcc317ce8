// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace squall::realtime {

/// What a hub has done and has; counted since it was made unless "now" is said.
struct HubMetrics {
  std::uint64_t published = 0;         ///< publish() calls that the broker accepted
  std::uint64_t publish_failures = 0;  ///< those refused or failed
  std::uint64_t received = 0;          ///< publications that came from the broker and were new
  std::uint64_t duplicates = 0;        ///< those that had come before
  std::uint64_t delivered = 0;         ///< publications queued for a subscriber
  std::uint64_t dropped = 0;           ///< publications that a slow-consumer policy dropped
  std::uint64_t recovered = 0;         ///< subscriptions answered "recovered"
  std::uint64_t not_recovered = 0;     ///< and "not recovered", where it was asked for
  std::uint64_t recovered_publications = 0;
  std::uint64_t gaps = 0;             ///< holes found by an offset or a position check
  std::uint64_t gaps_filled = 0;      ///< those filled from the history unnoticed
  std::uint64_t losses = 0;           ///< on_lost() calls
  std::uint64_t inbox_overflows = 0;  ///< loops that stood still for too long
  std::uint64_t interruptions = 0;    ///< of the broker
  std::uint64_t broker_failures = 0;  ///< calls to it that failed
  std::uint64_t channels = 0;         ///< now
  std::uint64_t subscriptions = 0;    ///< now
  std::uint64_t loops = 0;            ///< now
  std::uint64_t pending_calls = 0;    ///< to the broker, now
};

}  // namespace squall::realtime
