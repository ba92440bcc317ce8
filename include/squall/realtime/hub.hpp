// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/function.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>
#include <squall/base/slow_consumer.hpp>
#include <squall/coro/task.hpp>
#include <squall/realtime/broker.hpp>
#include <squall/realtime/channel_options.hpp>
#include <squall/realtime/detail/operation.hpp>
#include <squall/realtime/error.hpp>
#include <squall/realtime/metrics.hpp>
#include <squall/realtime/position.hpp>
#include <squall/realtime/presence.hpp>
#include <squall/realtime/publication.hpp>
#include <squall/realtime/subscriber.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace squall::realtime {

struct HubOptions {
  /// How often the position of each subscribed channel is compared with the broker's; zero never.
  Duration position_check = Duration::from_seconds(40);
  /// How long a publication that the broker has may take to come, before it counts as lost.
  Duration position_grace = Duration::from_seconds(5);
  Duration presence_ttl = Duration::from_seconds(60);
  Duration presence_refresh = Duration::from_seconds(25);
  /// How long a channel stays subscribed at the broker after its last subscriber left.
  Duration linger = Duration::from_seconds(5);
  std::size_t max_channels = limits::hub_channels;
  std::size_t max_channels_per_subscriber = limits::subscriber_channels;
  /// Calls to the broker that have not been answered.
  std::size_t max_pending_calls = limits::hub_pending_calls;
  /// What waits for a loop that stands still. Past either, its subscribers get on_lost().
  std::size_t max_inbox_publications = limits::hub_inbox_publications;
  std::size_t max_inbox_bytes = limits::hub_inbox_bytes;
};

struct PublishOptions {
  std::string_view key{};  ///< for conflation, up to limits::channel_name_bytes
  bool binary = false;
  /// On whose behalf: the authorizer is asked. nullptr is the program itself.
  Subscriber* by = nullptr;
};

struct PublishResult {
  /// Of the publication; empty when the broker cannot know it.
  Position position{};
  /// Subscribers of this loop that it is queued for, and for which the policy dropped it, or an
  /// older one. Known where the broker is in this process (`counted`).
  std::size_t queued = 0;
  std::size_t dropped = 0;
  bool counted = false;
};

struct SubscribeOptions {
  /// Recovery: where the client stands. Empty begins with what comes next.
  Position since{};
  /// In channels with RecoveryMode::latest, asks for the newest publication also without `since`.
  bool recover = false;
  /// What the channel's options say, unless `own_slow_consumer` is set.
  SlowConsumer slow_consumer = SlowConsumer::disconnect;
  bool own_slow_consumer = false;
  /// The member, where the channel has presence. An empty client becomes a random name; it must be
  /// unique: one for each connection.
  std::string_view client{};
  std::string_view user{};
  std::string_view info{};
  /// Whether the subscription is a member at all, where the channel has presence.
  bool present = true;
};

struct PollOptions {
  /// How long to wait when there is nothing yet.
  Duration timeout = Duration::from_seconds(25);
  std::size_t limit = limits::recovered_publications;
  std::string_view client{};
  std::string_view user{};
};

struct PollResult {
  /// In order; empty when the time was up.
  std::vector<PublicationRef> publications;
  /// The cursor for the next poll.
  Position position;
  /// False when something may lie between the given cursor and this answer that is not in it. True
  /// when no cursor was given.
  bool recovered = false;
};

namespace detail {
struct HubHandle;
}

/// What an authorizer is asked.
enum class Action : std::uint8_t { subscribe, publish, presence, history };

struct AccessRequest {
  Action action = Action::subscribe;
  std::string_view channel{};
  std::string_view client{};
  std::string_view user{};
  Subscriber* subscriber = nullptr;  ///< nullptr for poll()
};

/// Publish and subscribe by channel, with history, recovery and presence.
///
/// One hub serves all loops of a process; a broker joins those of several processes. Every call is
/// safe on any thread, except that a Subscriber is used on its loop only. All subscribers of a
/// channel, on whatever loop, see the same order. The awaits resume on the loop that awaits.
/// docs/realtime.md tells what is guaranteed and what is not.
class Hub {
 public:
  Hub();
  explicit Hub(const HubOptions& options);
  explicit Hub(BrokerPtr broker);
  Hub(BrokerPtr broker, const HubOptions& options);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  /// Closes it. Loops and subscribers may end before or after; no call may be under way.
  ~Hub();

  /// The options of the channels whose names match `pattern`, in which `*` stands for any text. A
  /// name without one beats patterns, then the pattern with most letters counts, then the later
  /// one. A UsageError once the hub is in use, or when the options contradict each other.
  Hub& configure(std::string_view pattern, const ChannelOptions& options);
  [[nodiscard]] ChannelOptions options_of(std::string_view channel) const;

  /// Asked before a subscription, and where a call names on whose behalf it is. It is called on any
  /// loop, on several at a time, and must answer at once. A UsageError once the hub is in use.
  Hub& set_authorizer(MoveOnlyFunction<bool(const AccessRequest&)> authorizer);

  /// Publishes at once; what is returned may be awaited or ignored (a failure is then logged). The
  /// await ends when the broker has the publication and this loop's subscribers were handed it.
  detail::OperationAwaiter<PublishResult, true> publish(std::string_view channel,
                                                        std::string_view data,
                                                        const PublishOptions& options = {});
  detail::OperationAwaiter<PublishResult, false> try_publish(std::string_view channel,
                                                             std::string_view data,
                                                             const PublishOptions& options = {});

  /// Subscribes, on this thread's loop; what is returned may be awaited or ignored. An await that
  /// is cancelled takes the subscription back.
  detail::OperationAwaiter<Subscribed, true> subscribe(Subscriber& subscriber,
                                                       std::string_view channel,
                                                       const SubscribeOptions& options = {});
  detail::OperationAwaiter<Subscribed, false> try_subscribe(Subscriber& subscriber,
                                                            std::string_view channel,
                                                            const SubscribeOptions& options = {});
  /// Ends the subscription at once: nothing of the channel comes any more. False when there is
  /// none.
  bool unsubscribe(Subscriber& subscriber, std::string_view channel) noexcept;

  // The calls below are the program's own: for a client, ask allows() first.

  /// The cursor to read before the state is loaded: one who then subscribes with `since` set to it
  /// gets everything that the state may lack.
  [[nodiscard]] Task<Position> position(std::string_view channel);
  /// HubError where the broker fails.
  [[nodiscard]] Task<HistoryPage> history(std::string_view channel, const HistoryQuery& query = {});
  /// Forgets the channel's history.
  [[nodiscard]] Task<> remove_history(std::string_view channel);
  /// At most `limit` members.
  [[nodiscard]] Task<PresencePage> presence(std::string_view channel,
                                            std::size_t limit = limits::presence_members);
  [[nodiscard]] Task<PresenceCount> presence_count(std::string_view channel);
  /// Whether the authorizer, if there is one, allows it.
  [[nodiscard]] bool allows(const AccessRequest& request) const;

  /// Long poll: what came after `cursor`, waiting for it when there is nothing yet. Without a
  /// cursor it gives the present position at once, to begin with. HubError as subscribe().
  [[nodiscard]] Task<PollResult> poll(std::string_view channel, const Position& cursor,
                                      const PollOptions& options = {});

  [[nodiscard]] HubMetrics metrics() const;
  /// The same as text for Prometheus.
  [[nodiscard]] std::string metrics_text() const;

  /// Stops the broker; subscribers get on_lost() with LossReason::closed in a turn to come, and
  /// calls fail. A second time does nothing.
  void close() noexcept;

 private:
  detail::HubHandle* handle_;
};

static_assert(std::is_trivially_destructible_v<HubOptions> &&
              std::is_trivially_destructible_v<PublishOptions> &&
              std::is_trivially_destructible_v<SubscribeOptions> &&
              std::is_trivially_destructible_v<PollOptions>);

}  // namespace squall::realtime
