// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/function.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>
#include <squall/realtime/position.hpp>
#include <squall/realtime/publication.hpp>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::realtime {

class PresenceStore;

/// Called once with what came of a call: on any thread, also within the call. Destroying it
/// uncalled counts as RealtimeError::broker_unavailable.
template <class T>
using Completion = MoveOnlyFunction<void(Result<T>)>;

/// What a broker keeps of a channel's publications; from its ChannelOptions.
struct HistoryLimits {
  std::size_t size = 0;   ///< publications; 0 keeps none, offsets go on all the same
  std::size_t bytes = 0;  ///< of their memory; the oldest go first
  Duration ttl{};         ///< since they were published
};

/// Which part of a channel's history.
struct HistoryQuery {
  /// Those after it, or, in reverse, those before it; all when it is empty.
  Position since{};
  /// At most so many; 0 only asks for the position.
  std::size_t limit = limits::recovered_publications;
  /// The newest first.
  bool reverse = false;
};

struct HistoryPage {
  /// In order, or newest first in reverse. Empty when `since` is of another epoch. It need not be
  /// complete: those who want it so look at the offsets.
  std::vector<PublicationRef> publications;
  /// Of the stream's last publication, whether it is kept or not, at one moment with the above.
  Position position;
};

/// Who hears of a broker's publications: the hub. All calls may come on any thread.
class BrokerListener {
 public:
  /// A publication of a channel that is subscribed or about to be. In order for each channel: no
  /// two calls for one channel at the same time. The same one twice, an older one again, and holes
  /// are noticed by the position. Join and leave come here, too, without one.
  virtual void on_publication(PublicationRef publication) = 0;
  /// Publications may be missed from now on.
  virtual void on_interrupted() = 0;
  /// What is published from now on comes again, on every channel that was subscribed.
  virtual void on_restored() = 0;

 protected:
  ~BrokerListener() = default;
};

/// Carries publications between the hubs of several processes, and keeps their history.
///
/// Programs may implement their own. All calls may come from any thread and must not wait; results
/// go to the completion. For one channel there is never more than one call of subscribe() and
/// unsubscribe() in flight. A broker may not hold a lock when it calls a completion,
/// on_interrupted() or on_restored(), for those may call the broker again; on_publication() never
/// does, so that order may be kept under a lock.
class Broker {
 public:
  Broker() noexcept = default;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  virtual ~Broker();

  /// Once, before all else. Connects in the background: calls made meanwhile wait or fail.
  virtual void start(BrokerListener& listener) = 0;
  /// Once. When it returns the listener is not called any more, and all completions were called or
  /// destroyed; later calls fail with RealtimeError::closed.
  virtual void stop() noexcept = 0;

  /// Gives the publication the next offset of its channel, keeps it within `limits`, and sends it
  /// to all who are subscribed, this process included. Completes with its position once the broker
  /// has it; with an empty position when the broker cannot know it. Join and leave get no offset
  /// and are not kept.
  virtual void publish(PublicationRef publication, const HistoryLimits& limits,
                       Completion<Position> done) = 0;
  /// Completes with the stream's position when all publications after it come to the listener.
  /// Those may come before the completion is called.
  virtual void subscribe(std::string_view channel, Completion<Position> done) = 0;
  /// Completes when no more come.
  virtual void unsubscribe(std::string_view channel, Completion<void> done) = 0;
  /// A read that sees every publication which the listener was told of before the call.
  virtual void history(std::string_view channel, const HistoryQuery& query,
                       Completion<HistoryPage> done) = 0;
  /// Forgets what is kept of the channel. Its position stays, so that nobody takes what comes next
  /// for a continuation of what is gone.
  virtual void remove(std::string_view channel, Completion<void> done) = 0;

  /// Whether it hands the listener the very publications that publish() is given, before that
  /// completes. PublishResult::counted is true then.
  [[nodiscard]] virtual bool is_local() const noexcept { return false; }
  /// The broker's own members of channels; without one the hub keeps those of this process.
  [[nodiscard]] virtual PresenceStore* presence() noexcept { return nullptr; }
};

/// Owns a broker.
class BrokerPtr {
 public:
  BrokerPtr() noexcept = default;
  explicit BrokerPtr(Broker* broker) noexcept : broker_(broker) {}
  BrokerPtr(BrokerPtr&& other) noexcept : broker_(std::exchange(other.broker_, nullptr)) {}
  BrokerPtr& operator=(BrokerPtr&& other) noexcept {
    std::swap(broker_, other.broker_);
    return *this;
  }
  ~BrokerPtr() { delete broker_; }

  explicit operator bool() const noexcept { return broker_ != nullptr; }
  Broker& operator*() const noexcept { return *broker_; }
  Broker* operator->() const noexcept { return broker_; }
  [[nodiscard]] Broker* get() const noexcept { return broker_; }

 private:
  Broker* broker_ = nullptr;
};

struct MemoryBrokerOptions {
  /// Channels that are remembered. Past it the one not used for longest is forgotten, so its epoch
  /// changes; when all are subscribed, `hub_full`.
  std::size_t max_channels = limits::hub_channels;
  /// Memory of all histories; past it the channel last published to longest ago loses its oldest.
  std::size_t max_history_bytes = limits::hub_history_bytes;
};

/// Keeps everything in this process, for all hubs of which only one uses it. The default.
[[nodiscard]] BrokerPtr memory_broker(const MemoryBrokerOptions& options = {});

}  // namespace squall::realtime
