// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>

#include <cstdint>
#include <system_error>
#include <type_traits>

namespace squall::realtime {

/// Why the hub, a broker or a presence store did not do what it was asked.
enum class RealtimeError : std::uint8_t {
  /// The hub was closed, or the broker stopped.
  closed = 1,
  /// A channel's name is empty, longer than limits::channel_name_bytes, or has control characters.
  invalid_channel,
  /// The authorizer said no.
  forbidden,
  /// The subscriber has its HubOptions::max_channels_per_subscriber already.
  too_many_channels,
  /// The hub, or the broker, has as many channels as it may have.
  hub_full,
  /// The subscriber is subscribed to that channel already, or is about to be.
  already_subscribed,
  /// The subscription was taken back, or its subscriber destroyed, before it was answered.
  withdrawn,
  /// The publication is larger than its channel's max_publication_bytes.
  too_large,
  /// HubOptions::max_pending_calls wait for the broker already.
  busy,
  /// The broker was out of reach for too long, or dropped the call. Nothing was done.
  broker_unavailable,
  /// The broker cannot do that, or the channel's options do not have it.
  not_supported,
  /// The broker was lost after the call was sent and before its answer: it was carried out once or
  /// not at all. Making the call again may do it twice.
  outcome_unknown,
  /// The broker's server refused the call (rights, memory, a replica); the log has its words.
  refused,
};

/// The category of RealtimeError, "realtime".
[[nodiscard]] const std::error_category& realtime_category() noexcept;
[[nodiscard]] std::error_code make_error_code(RealtimeError error) noexcept;

/// What the awaitable calls of a Hub throw; their `try_` twins give the code instead.
class HubError : public Error {
 public:
  explicit HubError(std::error_code code);
  [[nodiscard]] std::error_code code() const noexcept { return code_; }

 private:
  std::error_code code_;
};

}  // namespace squall::realtime

template <>
struct std::is_error_code_enum<squall::realtime::RealtimeError> : std::true_type {};
