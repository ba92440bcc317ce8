// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/inbox.hpp"
#include "realtime/sequencer.hpp"

#include <squall/realtime/channel_options.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace squall::realtime::detail {

class HubLoop;

/// What all loops share of one channel; guarded by the lock of its shard. It asks nothing of the
/// broker itself: what it wants is left in `wants` and done when the lock is not held any more, for
/// a broker may answer within the call.
struct HubChannel final : Sequencer::Output {
  enum class Stage : std::uint8_t { idle, subscribing, subscribed, unsubscribing };
  struct Link {
    std::shared_ptr<HubLoop> loop;  // nullptr once it has ended
    LocalChannel* local;
    bool joined;
  };
  struct Wants {
    bool subscribe = false;
    bool unsubscribe = false;
    bool read = false;
    std::uint32_t ticket = 0;
    HistoryQuery query{};
    [[nodiscard]] bool anything() const noexcept { return subscribe || unsubscribe || read; }
  };

  HubChannel(std::string_view its_name, const ChannelOptions& its_options,
             Sequencer::Counts& counts)
      : name(its_name), options(its_options), sequencer(its_options.recovery, counts) {}

  /// What a subscription at the broker needs next: calls for one channel never overlap.
  void settle_stage() noexcept;
  void join_all();
  void refuse_all(std::error_code error);

  void emit(const PublicationRef& publication) override;
  void lost(LossReason reason, const Position& now) override;
  void wants_read(const HistoryQuery& query, std::uint32_t ticket) override;

  void put(Link& link, Letter letter);

  const std::string name;
  const ChannelOptions& options;
  Sequencer sequencer;
  std::vector<Link> links;
  Wants wants;
  Stage stage = Stage::idle;
  bool lost_loop = false;           // a link's loop has ended
  std::uint64_t interruptions = 0;  // the hub's count when subscribing began
  std::uint64_t checked_ms = 0;
  std::uint64_t look_again_ms = 0;  // 0: nothing to look at
  Position suspected;               // the top that this was behind
  Position known;                   // where it stood when that was asked for
};

}  // namespace squall::realtime::detail
