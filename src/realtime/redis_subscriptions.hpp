// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/backoff.hpp"
#include "realtime/redis_connection.hpp"

#include <squall/base/function.hpp>
#include <squall/base/result.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/loop/ioloop.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::realtime {

/// Hears of a RedisSubscriptions.
class RedisSubscriber {
 public:
  virtual void on_message(std::string_view topic, std::string_view payload) = 0;
  /// Messages may be missed from now on ...
  virtual void on_interrupted() = 0;
  /// ... until here; all topics are subscribed to again.
  virtual void on_restored() = 0;
  virtual void on_subscriber_open(const std::string& run_id) = 0;

 protected:
  ~RedisSubscriber() = default;
};

/// The connection on which a server's messages come: which topics are wanted, which are confirmed,
/// and how to get back to that when the connection breaks. It belongs to the broker's thread.
class RedisSubscriptions final : private RedisReceiver {
 public:
  using Done = MoveOnlyFunction<void(Result<void>)>;

  RedisSubscriptions(const RedisSettings& settings, Duration queue_timeout,
                     RedisSubscriber& subscriber)
      : settings_(settings),
        queue_timeout_(queue_timeout),
        subscriber_(subscriber),
        backoff_(settings.backoff_least, settings.backoff_most) {}
  RedisSubscriptions(const RedisSubscriptions&) = delete;
  RedisSubscriptions& operator=(const RedisSubscriptions&) = delete;

  void start();
  /// Ends the connection; those who wait are told RealtimeError::closed.
  void stop() noexcept;

  /// `done` when the server has confirmed it: what is published later comes as a message. Any
  /// number may ask for the same topic; one unsubscribe() ends it.
  void subscribe(const std::string& topic, Done done);
  void unsubscribe(const std::string& topic);
  /// Drops the connection when it leads to another run of the server than `run_id`.
  void check_run_id(const std::string& run_id) noexcept;
  [[nodiscard]] std::size_t topics() const noexcept { return topics_.size(); }

 private:
  struct Waiting {
    std::uint64_t number;
    Done done;
  };
  struct Topic {
    std::vector<Waiting> waiting;
    unsigned unanswered = 0;  // commands for it that are sent or wait to be
    bool wanted = false;
    bool confirmed = false;
    bool established = false;  // was confirmed once; someone relies on its messages
  };
  enum class Verb : std::uint8_t { subscribe, unsubscribe, ping };
  struct Command {
    std::string topic;
    TimePoint since;
    Verb verb;
    bool restores;  // on_restored() waits for its answer
  };
  struct Expiry {
    TimePoint when;
    std::uint64_t number;
    std::string topic;
  };

  Task<> run();
  void begin();
  void interrupt() noexcept;
  void on_reply(RedisReply reply) override;
  bool on_silence() override;
  void on_answer(RedisValue value);
  void on_subscribed(const std::string& name, bool was_refused);
  void finish_restoring();
  void enqueue(Verb verb, const std::string& topic, bool restores = false);
  void pump();
  void tell(Waiting& waiting, Result<void> result) noexcept;
  void fail_all(Topic& topic, std::error_code error) noexcept;
  void watch_expiry();
  void drop_expired();

  const RedisSettings& settings_;
  const Duration queue_timeout_;
  RedisSubscriber& subscriber_;
  Backoff backoff_;
  std::optional<RedisConnection> connection_;
  std::unordered_map<std::string, Topic> topics_;
  std::deque<Command> to_send_;
  std::deque<Command> sent_;  // in the order of their answers
  std::deque<Expiry> expiries_;
  std::size_t unrestored_ = 0;  // commands that on_restored() waits for
  std::uint64_t last_number_ = 0;
  TimePoint heard_{};
  TimeoutHandle expiry_timer_;
  bool expiry_is_watched_ = false;
  bool is_open_ = false;
  bool is_interrupted_ = false;
  squall::detail::TaskRunner runner_;  // last, so that it ends first
};

}  // namespace squall::realtime
