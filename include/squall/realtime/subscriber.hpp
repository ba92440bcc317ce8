// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/slow_consumer.hpp>
#include <squall/realtime/channel_options.hpp>
#include <squall/realtime/position.hpp>
#include <squall/realtime/publication.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace squall::realtime {

namespace detail {
struct SubscriberState;
struct SubscriberAccess;
}  // namespace detail

/// What a subscription began with.
struct Subscribed {
  /// Where the subscriber stands once it has been handed what it missed: everything after it comes.
  Position position{};
  /// Whether nothing lies between SubscribeOptions::since and that, but the `missed` publications,
  /// which on_publication() is handed first. False when no recovery was asked for.
  bool recovered = false;
  std::size_t missed = 0;
};

/// What became of a publication that a subscriber was handed.
enum class Delivery : std::uint8_t {
  queued,   ///< sent, or waits to be
  dropped,  ///< it, or an older one in its place, was dropped by the slow-consumer policy
  closed,   ///< the client is gone; counts as dropped
};

enum class LossReason : std::uint8_t {
  gap,           ///< publications are missing and the history does not have all of them
  epoch,         ///< the stream began anew
  loop_blocked,  ///< this loop stood still, and more came than its inbox holds
  broker,        ///< the channel cannot be subscribed any more
  closed,        ///< the hub was closed
};

struct Loss {
  LossReason reason = LossReason::gap;
  /// Where the stream goes on: everything after it comes to those who stay. Empty when it has
  /// ended.
  Position position{};
  /// The subscription is over, whatever on_lost() returns.
  bool ended = false;
};

enum class AfterLoss : std::uint8_t {
  unsubscribe,  ///< ends the subscription; subscribe again to go on
  stay,         ///< goes on from Loss::position, with a hole before it that the subscriber knows of
};

/// Who gets publications: base of a WebSocket's, an event stream's, a program's own subscriber.
///
/// It lives on one loop, that of its first subscription; all of it is called and used there only.
/// It may be destroyed there at any time, also within its own functions, and thereby leaves all its
/// channels. It may outlive the hub. Its functions are not called from within the hub's calls,
/// always in a turn of their own; what they throw is logged. One without channels costs a pointer.
class Subscriber {
 public:
  Subscriber() noexcept = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  virtual ~Subscriber();

  /// The answer to a subscription, before the first publication; the coroutine that awaits it goes
  /// on later. For answers that must be on the wire before what was missed.
  virtual void on_subscribed(std::string_view channel, const Subscribed& answer);
  /// A publication, each once, in order; `policy` is what is to be done when the client is slow.
  virtual Delivery on_publication(const PublicationRef& publication, SlowConsumer policy) = 0;
  /// A member came or went, where ChannelOptions::join_leave says so; at most once.
  virtual void on_presence(const PublicationRef& publication);
  /// The subscription did not come about, and nobody awaits it.
  virtual void on_refused(std::string_view channel, std::error_code error);
  /// Continuity cannot be proven: publications between the last one and `loss.position` may be
  /// missing. Tell the client that it must load its state anew.
  virtual AfterLoss on_lost(std::string_view channel, const Loss& loss) = 0;

  /// Channels that it is subscribed to, or about to be.
  [[nodiscard]] std::size_t channel_count() const noexcept;

 private:
  friend struct detail::SubscriberAccess;
  detail::SubscriberState* state_ = nullptr;
};

}  // namespace squall::realtime
