// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/text_map.hpp"

#include <squall/realtime/broker.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>

namespace squall::realtime::detail {

/// The broker of one process. Everything is done within the call, under the lock of a part of the
/// channels; so is the listener called, which keeps its order.
class MemoryBroker final : public Broker {
 public:
  using Clock = std::uint64_t (*)();  // monotonic milliseconds

  explicit MemoryBroker(const MemoryBrokerOptions& options, Clock clock = &now_ms);

  void start(BrokerListener& listener) override;
  void stop() noexcept override;
  void publish(PublicationRef publication, const HistoryLimits& limits,
               Completion<Position> done) override;
  void subscribe(std::string_view channel, Completion<Position> done) override;
  void unsubscribe(std::string_view channel, Completion<void> done) override;
  void history(std::string_view channel, const HistoryQuery& query,
               Completion<HistoryPage> done) override;
  void remove(std::string_view channel, Completion<void> done) override;
  [[nodiscard]] bool is_local() const noexcept override { return true; }

  [[nodiscard]] std::size_t history_bytes() const noexcept { return bytes_.load(); }
  static std::uint64_t now_ms();

 private:
  struct Kept {
    PublicationRef publication;
    std::uint64_t expires_ms;
  };
  struct Channel {
    std::string_view name;  // of the map
    Position top;
    std::deque<Kept> history;
    std::size_t bytes = 0;
    bool subscribed = false;
    std::list<Channel*>::iterator idle{};      // in Shard::idle when not subscribed
    std::list<Channel*>::iterator historic{};  // in Shard::historic when something is kept
  };
  /// Channels by the hash of their name.
  struct Shard {
    std::mutex mutex;
    TextMap<Channel> channels;
    std::list<Channel*> idle;      // unsubscribed ones, not used for longest first
    std::list<Channel*> historic;  // those with a history, not published to for longest first
  };

  [[nodiscard]] Shard& shard_of(std::string_view channel) noexcept;
  [[nodiscard]] Channel* open(Shard& shard, std::string_view name);
  [[nodiscard]] bool make_room(Shard& shard);
  bool forget_oldest(Shard& shard);
  void keep(Shard& shard, Channel& channel, const PublicationRef& publication,
            const HistoryLimits& limits);
  std::size_t drop_oldest(Shard& shard, Channel& channel) noexcept;
  void drop_all(Shard& shard, Channel& channel) noexcept;
  void expire(Shard& shard, Channel& channel, std::uint64_t now) noexcept;
  static HistoryPage page_of(const Channel& channel, const HistoryQuery& query);
  [[nodiscard]] std::string new_epoch();

  static constexpr std::size_t shard_count = 16;
  const std::size_t max_channels_;
  const std::size_t max_bytes_;
  const Clock clock_;
  std::string epoch_prefix_;
  std::atomic<std::uint64_t> epochs_{0};
  std::atomic<std::size_t> channels_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<BrokerListener*> listener_{nullptr};
  std::array<Shard, shard_count> shards_;
};

}  // namespace squall::realtime::detail
