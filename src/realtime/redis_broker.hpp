// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/broker_thread.hpp"
#include "realtime/redis_commands.hpp"
#include "realtime/redis_scripts.hpp"
#include "realtime/redis_subscriptions.hpp"

#include <squall/realtime/broker.hpp>
#include <squall/realtime/presence.hpp>
#include <squall/realtime/redis_broker.hpp>

#include <span>
#include <string>
#include <string_view>

namespace squall::realtime {

class RedisBroker final : public Broker, private RedisSubscriber {
 public:
  explicit RedisBroker(const RedisBrokerOptions& options);
  ~RedisBroker() override;

  void start(BrokerListener& listener) override;
  void stop() noexcept override;
  void publish(PublicationRef publication, const HistoryLimits& limits,
               Completion<Position> done) override;
  void subscribe(std::string_view channel, Completion<Position> done) override;
  void unsubscribe(std::string_view channel, Completion<void> done) override;
  void history(std::string_view channel, const HistoryQuery& query,
               Completion<HistoryPage> done) override;
  void remove(std::string_view channel, Completion<void> done) override;
  [[nodiscard]] PresenceStore* presence() noexcept override { return &presence_; }

 private:
  using Done = MoveOnlyFunction<void(Result<RedisReply>)>;

  class Presence final : public PresenceStore {
   public:
    explicit Presence(RedisBroker& broker);
    void add(std::string_view channel, const MemberView& member, Duration ttl,
             Completion<bool> done) override;
    void remove(std::string_view channel, std::string_view client, Completion<bool> done) override;
    void list(std::string_view channel, std::size_t limit, Completion<PresencePage> done) override;
    void count(std::string_view channel, Completion<PresenceCount> done) override;
    [[nodiscard]] std::vector<std::string> sources() const;

   private:
    void run(const RedisScript& script, std::string_view channel,
             std::span<const std::string_view> arguments, Done done);

    RedisBroker& broker_;
    RedisScript add_;
    RedisScript remove_;
    RedisScript list_;
  };

  /// Runs a script about a channel's stream; `arguments` come behind those that all have.
  void run(const RedisScript& script, std::string_view channel,
           std::span<const std::string_view> arguments, Done done);
  /// Sends an encoded command; `done` gets no answer that is an error of the server.
  void call(std::string bytes, std::size_t run_id_at, Done done);
  [[nodiscard]] Result<RedisReply> check(Result<RedisReply> reply);
  void read_position(std::string_view channel, Completion<Position> done);
  [[nodiscard]] std::string key(std::string_view kind, std::string_view channel) const;

  void on_message(std::string_view topic, std::string_view payload) override;
  void on_interrupted() override { listener_->on_interrupted(); }
  void on_restored() override { listener_->on_restored(); }
  void on_subscriber_open(const std::string& run_id) override;

  RedisSettings settings_;
  const std::string prefix_;
  const std::string meta_ttl_;
  const RedisScript publish_;
  const RedisScript history_;
  const RedisScript remove_;
  Presence presence_;
  BrokerListener* listener_ = nullptr;
  RedisCommands commands_;
  RedisSubscriptions subscriptions_;
  TimePoint complained_{};
  BrokerThread thread_;  // last, so that it ends first
};

}  // namespace squall::realtime
