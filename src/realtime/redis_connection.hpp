// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/redis_protocol.hpp"
#include "realtime/redis_url.hpp"

#include <squall/base/duration.hpp>
#include <squall/base/result.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/stream.hpp>
#include <squall/net/tls.hpp>

#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace squall::realtime {

/// How connections to a Redis server are made and watched.
struct RedisSettings {
  RedisSettings() = default;
  RedisTarget target;
  net::TLSContext tls;
  std::string client_name;
  Duration connect_timeout;  ///< for the connection, TLS and the first commands together
  Duration reply_timeout;    ///< for an answer, and for the answer to a PING
  Duration ping_interval;    ///< of silence, then a PING asks whether the server still answers
  Duration backoff_least;
  Duration backoff_most;
  bool durable = false;  ///< the server never loses what it has acknowledged
};

/// Hears what comes over a RedisConnection.
class RedisReceiver {
 public:
  virtual void on_reply(RedisReply reply) = 0;
  /// Nothing has come for a quarter of the reply timeout. False gives the connection up.
  virtual bool on_silence() = 0;

 protected:
  ~RedisReceiver() = default;
};

/// One connection to a Redis server. It belongs to one loop.
class RedisConnection {
 public:
  /// Both must outlive it.
  RedisConnection(const RedisSettings& settings, RedisReceiver& receiver)
      : settings_(settings), receiver_(receiver) {}

  /// Connects, says who we are, chooses the database and asks the server for its run ID. An error
  /// comes with its text in error_text().
  [[nodiscard]] Task<std::error_code> open();

  /// Hands what comes to the receiver until the connection is over; tells why.
  [[nodiscard]] Task<std::error_code> receive();

  /// Copies encoded commands behind what waits already; what a turn of the loop writes leaves
  /// together.
  void write(std::string_view commands) { stream_.write(commands); }
  void abort() noexcept { stream_.abort(); }

  /// Changes whenever the server may have lost what it knew: 40 characters.
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }
  /// What the server or the system said about the last failure.
  [[nodiscard]] const std::string& error_text() const noexcept { return error_text_; }

  static constexpr std::size_t run_id_bytes = 40;

 private:
  Task<std::error_code> open_in_time();
  Task<Result<net::Stream>> connect();
  Task<std::error_code> introduce();
  Task<Result<RedisReply>> read_reply();
  [[nodiscard]] std::error_code take_run_id(std::string_view info);

  const RedisSettings& settings_;
  RedisReceiver& receiver_;
  net::Stream stream_;
  RedisParser parser_;
  std::vector<char> buffer_;
  std::string run_id_;
  std::string error_text_;
};

}  // namespace squall::realtime
