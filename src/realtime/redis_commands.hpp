// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/backoff.hpp"
#include "realtime/redis_connection.hpp"

#include <squall/base/function.hpp>
#include <squall/base/result.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/loop/ioloop.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace squall::realtime {

/// One command for the server, and who waits for its answer.
struct RedisCall {
  RedisCall() = default;
  std::string bytes;          ///< encoded
  std::size_t run_id_at = 0;  ///< where in `bytes` the server's run ID belongs; 0: nowhere
  TimePoint since{};          ///< when it began to wait, first for its turn, then for the answer
  unsigned attempts = 0;      ///< times it was sent
  bool counted = false;       ///< admitted, so it is to be released
  MoveOnlyFunction<void(Result<RedisReply>)> done;  ///< called exactly once
};
using RedisCallPtr = std::unique_ptr<RedisCall>;

struct RedisQueueLimits {
  std::size_t calls = 0;
  std::size_t bytes = 0;
  Duration timeout{};  ///< how long a call waits to be sent
};

/// Sends commands over one connection, many at a time (pipelined), and makes a new one when it
/// breaks. What waits to be sent is kept for a time; what was sent when the connection broke ends
/// with RealtimeError::outcome_unknown, because nobody knows whether the server did it.
///
/// But for admit() it belongs to the broker's thread.
class RedisCommands final : private RedisReceiver {
 public:
  RedisCommands(const RedisSettings& settings, RedisQueueLimits limits,
                std::vector<std::string> scripts)
      : settings_(settings),
        limits_(limits),
        scripts_(std::move(scripts)),
        backoff_(settings.backoff_least, settings.backoff_most) {}
  RedisCommands(const RedisCommands&) = delete;
  RedisCommands& operator=(const RedisCommands&) = delete;

  /// Counts `call` against the limits; false when they are reached. Safe from any thread.
  [[nodiscard]] bool admit(RedisCall& call) noexcept;
  /// Gives up a call that was admitted and not submitted; it is completed with `error`.
  void refuse(RedisCall& call, std::error_code error) noexcept;

  /// Begins to connect. `on_open` hears of each connection and its run ID.
  void start(MoveOnlyFunction<void(const std::string& run_id)> on_open);
  /// Ends the connection; all calls are completed with RealtimeError::closed.
  void stop() noexcept;
  void submit(RedisCallPtr call);
  /// Drops the connection, as if it had broken.
  void reconnect() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }

  [[nodiscard]] std::size_t calls() const noexcept { return calls_.load(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(); }

 private:
  Task<> run();
  void on_reply(RedisReply reply) override;
  bool on_silence() override;
  void send(RedisCallPtr call);
  void send_plain(std::string bytes);
  void send_scripts();
  void pump();
  void complete(RedisCall& call, Result<RedisReply> result) noexcept;
  void fail(std::deque<RedisCallPtr>& calls, std::error_code error) noexcept;
  void watch_queue();
  void drop_expired();

  const RedisSettings& settings_;
  const RedisQueueLimits limits_;
  const std::vector<std::string> scripts_;
  Backoff backoff_;
  std::atomic<std::size_t> calls_{0};
  std::atomic<std::size_t> bytes_{0};
  MoveOnlyFunction<void(const std::string&)> on_open_;
  std::optional<RedisConnection> connection_;
  std::string run_id_;
  std::deque<RedisCallPtr> waiting_;    // to be sent, oldest first
  std::deque<RedisCallPtr> in_flight_;  // sent, oldest first
  std::deque<RedisCallPtr> again_;      // to be sent once more: the server forgot its scripts
  std::size_t in_flight_bytes_ = 0;
  TimePoint heard_{};
  TimeoutHandle queue_timer_;
  bool queue_is_watched_ = false;
  bool is_open_ = false;
  bool is_stopped_ = false;
  squall::detail::TaskRunner runner_;  // last, so that it ends first
};

}  // namespace squall::realtime
