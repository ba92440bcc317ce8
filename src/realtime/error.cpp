// SPDX-License-Identifier: Apache-2.0
#include <squall/realtime/error.hpp>

#include <string>

namespace squall::realtime {
namespace {

class RealtimeCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "realtime"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<RealtimeError>(value)) {
      case RealtimeError::closed:
        return "the hub is closed";
      case RealtimeError::invalid_channel:
        return "the channel's name is empty, too long, or has control characters";
      case RealtimeError::forbidden:
        return "the authorizer refused it";
      case RealtimeError::too_many_channels:
        return "the subscriber is in too many channels";
      case RealtimeError::hub_full:
        return "there are too many channels";
      case RealtimeError::already_subscribed:
        return "the subscriber is in the channel already";
      case RealtimeError::withdrawn:
        return "the subscription was taken back before it was answered";
      case RealtimeError::too_large:
        return "the publication is too large";
      case RealtimeError::busy:
        return "too many calls wait for the broker";
      case RealtimeError::broker_unavailable:
        return "the broker cannot be reached";
      case RealtimeError::not_supported:
        return "the broker, or the channel, does not have that";
      case RealtimeError::outcome_unknown:
        return "the broker was lost before it answered; it may have done what it was asked";
      case RealtimeError::refused:
        return "the broker's server refused the call";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& realtime_category() noexcept {
  static const RealtimeCategory category;
  return category;
}

std::error_code make_error_code(RealtimeError error) noexcept {
  return {static_cast<int>(error), realtime_category()};
}

HubError::HubError(std::error_code code) : Error(code.message()), code_(code) {}

}  // namespace squall::realtime
