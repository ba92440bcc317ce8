// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/channel_rules.hpp"
#include "realtime/hub_channel.hpp"
#include "realtime/text_map.hpp"

#include <squall/realtime/hub.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace squall::realtime::detail {

class HubLoop;
class MemoryPresence;

/// What a hub is on all threads: its broker, what loops share of channels, and its loops.
///
/// Locks, in this order: a broker's own, a shard's, an inbox's, a post queue's. The broker is never
/// called with one held.
class HubCore final : public BrokerListener, public std::enable_shared_from_this<HubCore> {
 public:
  HubCore(BrokerPtr broker, const HubOptions& options);
  ~HubCore();

  void start() { broker_->start(*this); }
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return closed_.load(); }

  // Set before the hub is used.
  ChannelRules rules;
  MoveOnlyFunction<bool(const AccessRequest&)> authorizer;
  const HubOptions options;
  /// Throws UsageError once the hub is in use.
  void check_unused(const char* what) const;
  void use() noexcept {
    if (!used_.load(std::memory_order_relaxed)) used_.store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] bool allows(const AccessRequest& request);

  [[nodiscard]] Broker& broker() noexcept { return *broker_; }
  [[nodiscard]] PresenceStore& presence() noexcept { return *presence_; }

  /// The calling thread's, made when there is none; nullptr when the hub is closed.
  [[nodiscard]] std::shared_ptr<HubLoop> loop_here();
  /// The calling thread's if there is one.
  [[nodiscard]] HubLoop* known_loop_here() const noexcept;

  // For loops.
  /// The loop's inbox gets `joined` and then all publications, or `refused`.
  [[nodiscard]] std::error_code join(HubLoop& loop, LocalChannel& local, std::string_view name);
  /// `left` is the last letter about `local`. False when the loop will never get it.
  bool leave(HubLoop& loop, LocalChannel& local, std::string_view name);
  /// Its inbox overflowed: it gets `lost`, and publications again.
  void rejoin(HubLoop& loop, LocalChannel& local, std::string_view name);
  /// Compares with the broker, unless that was done lately.
  void check_position(std::string_view name, std::uint64_t now_ms);
  /// Asks the broker for what on_publication() found to be missing.
  void run_deferred();
  /// Looks at channels again for which that was put off.
  void look_again(std::uint64_t now_ms);

  /// Where the channel stands if it is subscribed and up to date; else an empty position.
  [[nodiscard]] Position live_position(std::string_view name);
  [[nodiscard]] std::string new_client_name();

  /// False when too many calls wait. Every one that began must end.
  [[nodiscard]] bool begin_call() noexcept;
  /// One of the hub's own, of which there are at most a few for each channel.
  void count_call() noexcept { pending_calls_.fetch_add(1, std::memory_order_relaxed); }
  void end_call() noexcept { pending_calls_.fetch_sub(1, std::memory_order_relaxed); }
  void count_failure() noexcept { broker_failures_.fetch_add(1, std::memory_order_relaxed); }
  void count_published(bool done) noexcept {
    (done ? published_ : publish_failures_).fetch_add(1, std::memory_order_relaxed);
  }
  /// At most once a second.
  void log_failure(std::string_view what, std::string_view channel, std::error_code error) noexcept;

  [[nodiscard]] HubMetrics metrics();

  // BrokerListener.
  void on_publication(PublicationRef publication) override;
  void on_interrupted() override;
  void on_restored() override;

 private:
  using ChannelPtr = std::shared_ptr<HubChannel>;
  struct Shard {
    std::mutex mutex;
    TextMap<ChannelPtr> channels;
    Sequencer::Counts counts;
  };
  struct Read {
    ChannelPtr channel;
    std::uint32_t ticket;
    HistoryQuery query;
  };
  /// One thing that a channel wanted, taken from it with the lock held.
  struct Todo {
    ChannelPtr channel;
    HubChannel::Wants wants;
  };

  [[nodiscard]] Shard& shard_of(std::string_view channel) noexcept;
  [[nodiscard]] static Todo take_wants(const ChannelPtr& channel) noexcept;
  void erase_if_idle(Shard& shard, HubChannel& channel) noexcept;
  void run(Todo todo);
  void defer(Todo todo, const std::shared_ptr<loop::PostQueue>& posts);
  void subscribe(const ChannelPtr& channel);
  void unsubscribe(const ChannelPtr& channel);
  void on_subscribed(const ChannelPtr& channel, Result<Position> position);
  void on_unsubscribed(const ChannelPtr& channel);
  void read(Read what);
  void start_reads();
  void start_read(Read what);
  void on_read(const Read& what, Result<HistoryPage> page);
  void on_checked(const ChannelPtr& channel, const Position& known, Result<HistoryPage> page);
  void look_again_at(const ChannelPtr& channel, std::uint64_t due_ms);

  static constexpr std::size_t shard_count = 16;
  const std::uint64_t id_;  // of this hub among all that ever were
  BrokerPtr broker_;
  std::unique_ptr<MemoryPresence> own_presence_;
  PresenceStore* presence_;
  std::atomic<bool> used_{false};
  std::atomic<bool> closed_{false};
  std::array<Shard, shard_count> shards_;
  std::atomic<std::size_t> channels_{0};
  std::atomic<std::uint64_t> interruptions_{0};

  std::mutex loops_mutex_;
  std::vector<std::shared_ptr<HubLoop>> loops_;
  HubMetrics ended_loops_;  // what those counted that are gone

  std::mutex reads_mutex_;
  std::deque<Read> waiting_reads_;
  std::size_t reads_ = 0;

  std::mutex deferred_mutex_;
  std::vector<Todo> deferred_;  // at most one for each channel
  std::atomic<bool> has_deferred_{false};

  std::mutex put_off_mutex_;
  std::vector<std::pair<std::uint64_t, std::weak_ptr<HubChannel>>> put_off_;

  const std::string client_prefix_;
  std::atomic<std::uint64_t> clients_{0};
  std::atomic<std::size_t> pending_calls_{0};
  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> publish_failures_{0};
  std::atomic<std::uint64_t> broker_failures_{0};
  std::atomic<std::uint64_t> last_log_ms_{0};
};

}  // namespace squall::realtime::detail
