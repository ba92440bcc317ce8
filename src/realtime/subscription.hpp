// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/inbox.hpp"
#include "realtime/operation.hpp"

#include <squall/base/pool.hpp>
#include <squall/realtime/hub.hpp>

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace squall::realtime::detail {

class HubLoop;
struct Subscription;

/// The await of Hub::subscribe().
class SubscribeOperation final : public Operation<Subscribed> {
 public:
  /// Nobody will know of the subscription: it is taken back.
  void abandon() noexcept override;
  Result<Subscribed> take() override;
  /// The subscription has its answer, or has none to come; on its loop.
  void answer(Result<Subscribed> result) noexcept;

  Subscription* subscription = nullptr;  // while that lives, and nobody has the answer
  bool is_answered = false;
};

/// What presence says of a subscription.
struct MemberInfo {
  std::string client;
  std::string user;
  std::string info;
  std::uint64_t refreshed_ms = 0;
  std::list<Subscription*>::iterator place{};  // among those to refresh
  bool is_in = false;
};

struct Refusal {
  std::string channel;
  std::error_code error;
};

/// One subscriber in one channel. Everything of it is on its loop.
struct Subscription : squall::detail::Pooled {
  enum class State : std::uint8_t {
    waiting,     ///< for the channel to be subscribed
    arriving,    ///< in line to be handed over in this turn
    recovering,  ///< for the history
    ahead,       ///< knows more than this loop has seen, up to `floor`
    live,
    ended,
  };

  void retain() noexcept { ++references; }
  void release() noexcept {
    if (--references == 0) delete this;
  }
  [[nodiscard]] bool has_ended() const noexcept { return state == State::ended; }

  Subscriber* subscriber = nullptr;
  LocalChannel* channel = nullptr;
  std::shared_ptr<HubLoop> loop;
  OperationRef<SubscribeOperation> operation;
  std::unique_ptr<MemberInfo> member;
  Position since;
  std::uint64_t floor = 0;           // of ahead: what is known already
  std::uint64_t recovery = 0;        // of recovering: its number
  std::size_t index = 0;             // of waiting and live: its place
  std::unique_ptr<Refusal> refusal;  // of arriving: the answer is no
  std::uint32_t references = 1;
  State state = State::waiting;
  SlowConsumer policy = SlowConsumer::disconnect;
  bool recover = false;
};
using SubscriptionRef = OperationRef<Subscription>;  // it has the same two functions

struct SubscriberState {
  std::shared_ptr<loop::PostQueue> posts;  // names the loop
  std::vector<Subscription*> subscriptions;
};

/// The library's way into a Subscriber.
struct SubscriberAccess {
  static SubscriberState*& state(Subscriber& subscriber) noexcept { return subscriber.state_; }
  static const SubscriberState* state(const Subscriber& subscriber) noexcept {
    return subscriber.state_;
  }
  [[nodiscard]] static Subscription* find(const Subscriber& subscriber, const HubLoop* loop,
                                          std::string_view channel) noexcept;
};

struct PublicationAccess {
  static void set_origin(Publication& publication, const void* origin) noexcept {
    publication.origin_ = origin;
  }
  static const void* origin(const Publication& publication) noexcept { return publication.origin_; }
  static void add(const Publication& publication, std::uint32_t queued,
                  std::uint32_t dropped) noexcept {
    publication.queued_ += queued;
    publication.dropped_ += dropped;
  }
  static std::uint32_t queued(const Publication& one) noexcept { return one.queued_; }
  static std::uint32_t dropped(const Publication& one) noexcept { return one.dropped_; }
};

/// A channel as one loop has it.
struct LocalChannel {
  /// Side by side, so that a publication runs through them as through an array.
  struct Entry {
    Subscriber* subscriber;  // nullptr: has left while a publication is handed round
    Subscription* subscription;
    SlowConsumer policy;
  };

  LocalChannel(std::string_view its_name, const ChannelOptions& its_options)
      : name(its_name), options(its_options) {}

  void add_live(Subscription& subscription);
  void remove(Subscription& subscription) noexcept;
  void close_holes() noexcept;
  void remember(const PublicationRef& publication);
  void forget() noexcept;

  const std::string name;
  const ChannelOptions options;
  Position position;      // of the last publication that this loop was handed
  bool joined = false;    // publications come
  bool blocked = false;   // what comes is after a hole, until word of it comes
  bool in_round = false;  // entries do not move
  bool has_left = false;  // the core does not know it any more
  bool is_last_letter_in = false;
  std::error_code refusal{};  // nothing comes: who waits is refused
  std::size_t holes = 0;
  std::size_t subscriptions = 0;
  std::vector<Entry> entries;
  std::vector<Subscription*> waiting;
  std::vector<Subscription*> ahead;
  // While someone recovers: what came last, which may not be in the history that is being read.
  std::size_t recovering = 0;
  std::deque<PublicationRef> recent;
  std::size_t recent_bytes = 0;

  std::uint64_t idle_since_ms = 0;
  std::uint64_t checked_ms = 0;
  std::list<LocalChannel*>::iterator idle_place{};   // when subscriptions is 0
  std::list<LocalChannel*>::iterator check_place{};  // always
};

}  // namespace squall::realtime::detail
