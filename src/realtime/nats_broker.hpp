// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/backoff.hpp"
#include "realtime/broker_thread.hpp"
#include "realtime/nats_history.hpp"
#include "realtime/nats_link.hpp"

#include <squall/base/function.hpp>
#include <squall/realtime/broker.hpp>
#include <squall/realtime/nats_broker.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

namespace squall::realtime {

/// All but admit() and what the verbs do before they post belongs to the broker's thread.
///
/// Continuity: a channel's epoch begins when this connection asks the server for its messages, and
/// ends with the connection. In between NATS delivers in order and without holes, or cuts us off. A
/// position is told only once the server has shown that it listens for the channel.
class NatsBroker final : public Broker {
 public:
  explicit NatsBroker(const NatsBrokerOptions& options);
  ~NatsBroker() override;

  void start(BrokerListener& listener) override;
  void stop() noexcept override;
  void publish(PublicationRef publication, const HistoryLimits& limits,
               Completion<Position> done) override;
  void subscribe(std::string_view channel, Completion<Position> done) override;
  void unsubscribe(std::string_view channel, Completion<void> done) override;
  void history(std::string_view channel, const HistoryQuery& query,
               Completion<HistoryPage> done) override;
  void remove(std::string_view channel, Completion<void> done) override;

 private:
  using Done = MoveOnlyFunction<void(std::error_code)>;
  using Work = MoveOnlyFunction<void(Done)>;

  struct Channel {
    explicit Channel(std::string_view channel) : name(channel) {}
    std::string name;
    NatsHistory history;
    TimePoint idle_since{};
    bool is_wanted = false;       // by the hub
    bool is_established = false;  // the server has shown that it listens
  };
  using Channels = std::unordered_map<std::string, Channel>;  // by subject

  /// What needs the connection, and whom to tell how it went.
  struct Waiting {
    TimePoint since;
    Work work;
    Done done;
  };
  struct Barrier {
    std::uint64_t number;
    TimePoint sent;
    std::vector<Done> done;
  };

  [[nodiscard]] std::string subject_of(std::string_view channel) const;
  [[nodiscard]] bool admit(std::size_t cost) noexcept;
  void release(std::size_t cost) noexcept;
  /// From any thread: has the broker's do `work` once there is a connection; `done` hears how it
  /// went, or why it was not done. `cost` bytes count until then.
  void ask(std::size_t cost, Work work, Done done);
  void send(const std::string& subject, std::string_view payload, Done done);
  /// `done` once the server has taken all that was sent before.
  void after_barrier(Done done);
  void send_barrier();
  void on_barrier(std::string_view number);
  /// Listens for a channel, if that is not so yet; nullptr when there are too many.
  Channel* listen(const std::string& subject, std::string_view name);
  [[nodiscard]] bool begin(const std::string& subject, Channel& channel);
  /// `done` once positions of the channel mean something.
  void when_established(const std::string& subject, const Channel& channel, Done done);

  void connect();
  void on_open();
  void on_failure(std::string_view why);
  void lose(std::string_view why);
  void fail_barriers(std::error_code error);
  void end();
  void fetch();
  void on_message(std::string_view subject, std::string_view payload);
  void read(Channel& channel, std::string_view payload);
  void tick();
  void drop_expired();
  void drop_idle_channels();
  static void tell(Done& done, std::error_code error) noexcept;

  const NatsSettings settings_;
  const std::string prefix_;
  const std::string barrier_subject_;
  const Duration queue_timeout_;
  const Duration linger_;
  const std::size_t max_channels_;
  const std::size_t max_history_bytes_;
  const std::size_t max_queue_calls_;
  const std::size_t max_queue_bytes_;
  const std::size_t max_inbox_bytes_;
  std::atomic<std::size_t> calls_{0};
  std::atomic<std::size_t> bytes_{0};
  BrokerListener* listener_ = nullptr;
  std::unique_ptr<NatsLink> link_;
  Backoff backoff_;
  Channels channels_;
  std::size_t history_bytes_ = 0;
  std::deque<Waiting> waiting_;
  std::deque<Barrier> barriers_;    // sent, not come back
  std::vector<Done> next_barrier_;  // what the next one is for
  std::uint64_t last_barrier_ = 0;
  TimePoint heard_{};
  TimePoint looked_for_idle_{};
  TimeoutHandle connect_timer_;
  bool barrier_is_posted_ = false;
  bool is_up_ = false;
  bool is_interrupted_ = false;
  bool was_reported_ = false;
  BrokerThread thread_;  // last, so that it ends first
};

}  // namespace squall::realtime
