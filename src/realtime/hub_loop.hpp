// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/inbox.hpp"
#include "realtime/subscription.hpp"
#include "realtime/text_map.hpp"

#include <squall/realtime/hub.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::realtime::detail {

class HubCore;

/// Written by one loop, read by all.
struct LoopCounters {
  using Count = std::atomic<std::uint64_t>;
  static void add(Count& count, std::uint64_t by) noexcept {
    count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void add_to(HubMetrics& sum) const noexcept;

  Count delivered{0};
  Count dropped{0};
  Count recovered{0};
  Count not_recovered{0};
  Count recovered_publications{0};
  Count losses{0};
  Count inbox_overflows{0};
  Count subscriptions{0};
};

/// A hub's end on one loop: its subscriptions, and the inbox by which the others reach it. All but
/// put() is for the loop's thread.
class HubLoop final : public std::enable_shared_from_this<HubLoop> {
 public:
  HubLoop(std::shared_ptr<HubCore> core, std::shared_ptr<loop::PostQueue> posts);
  ~HubLoop();

  /// Any thread. False when the loop has ended.
  bool put(Letter letter);
  [[nodiscard]] bool is_gone() const noexcept { return inbox_.is_gone(); }
  [[nodiscard]] const LoopCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const std::shared_ptr<loop::PostQueue>& posts() const noexcept {
    return inbox_.posts();
  }
  [[nodiscard]] HubCore& core() noexcept { return *core_; }

  /// The answer goes to `operation`, in a later turn.
  void subscribe(Subscriber& subscriber, std::string_view channel, const SubscribeOptions& options,
                 SubscribeOperation& operation);
  /// Nothing comes any more; the subscription may be gone afterwards.
  void end(Subscription& subscription) noexcept;

  /// Opens the inbox: hands out what has come.
  void open_inbox();
  /// The loop ended before it could.
  void loop_ended() noexcept { inbox_.close(); }

 private:
  // Delivery.
  void handle(Letter& letter);
  void deliver(LocalChannel& channel, const PublicationRef& publication);
  void hand_round(LocalChannel& channel, const PublicationRef& publication);
  void tell_presence(LocalChannel& channel, const PublicationRef& publication);
  void lose(LocalChannel& channel, const Loss& loss);
  void on_joined(LocalChannel& channel, const Position& position);
  void on_refused(LocalChannel& channel, std::error_code error);
  void on_closed();
  void inbox_overflowed();

  // Handover.
  void arrive(Subscription& subscription);
  void hand_over_arrived();
  void hand_over(Subscription& subscription);
  void refuse(Subscription& subscription, std::error_code error);
  void answer(Subscription& subscription, const Subscribed& with,
              const std::vector<PublicationRef>& missed);
  void start_recovery(Subscription& subscription);
  void start_recoveries();
  void finish_recovery(std::uint64_t number, Result<HistoryPage> page);
  static Subscribed recover_stream(const Subscription& subscription, HistoryPage& page,
                                   std::vector<PublicationRef>& missed);
  static Subscribed recover_latest(const Subscription& subscription, HistoryPage& page,
                                   std::vector<PublicationRef>& missed);
  void not_recovered(Subscription& subscription);
  static void catch_up(LocalChannel& channel, std::uint64_t offset);

  // Channels.
  LocalChannel* open_channel(std::string_view name, std::error_code& error);
  void close_channel(LocalChannel& channel) noexcept;
  void close_idle_channels(std::uint64_t before_ms) noexcept;
  void free_channel(LocalChannel& channel) noexcept;

  // Presence.
  void enter(Subscription& subscription);
  void exit(Subscription& subscription) noexcept;
  void refresh_members(std::uint64_t now_ms);

  void schedule_tick();
  void tick();
  [[nodiscard]] static std::uint64_t now_ms() noexcept;

  const std::shared_ptr<HubCore> core_;
  Inbox inbox_;
  Inbox::Opened opened_;
  LoopCounters counters_;
  std::unordered_map<std::string_view, std::unique_ptr<LocalChannel>> channels_;
  // Until the last letter about them came.
  std::unordered_map<LocalChannel*, std::unique_ptr<LocalChannel>> leaving_;
  std::list<LocalChannel*> idle_;    // without subscriptions, longest first
  std::list<LocalChannel*> checks_;  // checked longest ago first
  std::vector<SubscriptionRef> arriving_;
  bool arrival_posted_ = false;
  std::unordered_map<std::uint64_t, Subscription*> recoveries_;
  std::deque<SubscriptionRef> waiting_recoveries_;
  std::size_t reads_ = 0;
  std::uint64_t last_recovery_ = 0;
  std::list<Subscription*> members_;  // refreshed longest ago first
  bool ticking_ = false;
};

}  // namespace squall::realtime::detail
