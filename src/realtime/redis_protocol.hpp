// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

struct redisReader;
struct redisReply;

namespace squall::realtime {

/// One answer of a Redis server, or a part of one: a view into a RedisReply.
class RedisValue {
 public:
  enum class Kind : std::uint8_t { nil, text, status, error, integer, array };

  RedisValue() noexcept = default;
  explicit RedisValue(const redisReply* reply) noexcept : reply_(reply) {}

  [[nodiscard]] Kind kind() const noexcept;
  [[nodiscard]] bool is(Kind kind_asked) const noexcept { return kind() == kind_asked; }
  /// Of a text, status or error; else "".
  [[nodiscard]] std::string_view text() const noexcept;
  /// Of an integer, else 0.
  [[nodiscard]] std::int64_t integer() const noexcept;
  /// Of an array, else 0.
  [[nodiscard]] std::size_t size() const noexcept;
  /// Nil when there is no such element.
  [[nodiscard]] RedisValue operator[](std::size_t index) const noexcept;

 private:
  const redisReply* reply_ = nullptr;
};

/// Owns one answer.
class RedisReply {
 public:
  RedisReply() noexcept = default;
  explicit RedisReply(redisReply* reply) noexcept : reply_(reply) {}
  RedisReply(RedisReply&& other) noexcept : reply_(std::exchange(other.reply_, nullptr)) {}
  RedisReply& operator=(RedisReply&& other) noexcept {
    std::swap(reply_, other.reply_);
    return *this;
  }
  RedisReply(const RedisReply&) = delete;
  RedisReply& operator=(const RedisReply&) = delete;
  ~RedisReply();

  [[nodiscard]] bool is_empty() const noexcept { return reply_ == nullptr; }
  [[nodiscard]] RedisValue value() const noexcept { return RedisValue(reply_); }

 private:
  redisReply* reply_ = nullptr;
};

/// Makes answers of the bytes of a connection (RESP2): hiredis' reader.
class RedisParser {
 public:
  RedisParser();
  RedisParser(const RedisParser&) = delete;
  RedisParser& operator=(const RedisParser&) = delete;
  ~RedisParser();

  /// False when memory ran out.
  [[nodiscard]] bool feed(std::string_view bytes) noexcept;
  /// True with `reply` when one is complete, true with an empty one when more bytes are needed,
  /// false when the bytes are no Redis protocol.
  [[nodiscard]] bool next(RedisReply& reply) noexcept;
  [[nodiscard]] std::string_view error_text() const noexcept;

 private:
  redisReader* reader_;
};

/// Appends one command, as an array of bulk strings.
void append_redis_command(std::string& to, std::span<const std::string_view> words);

}  // namespace squall::realtime
