// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/shared_bytes.hpp"

#include <squall/base/pool.hpp>
#include <squall/base/slow_consumer.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace squall::transport {

/// Whole messages that wait for a peer which is behind, under one of the policies for that; of
/// WebSockets, server-sent events or what else is cut into messages. Bounded in bytes.
///
/// A connection has one only while its own output queue has more than a little in it: what is in
/// that queue can be neither dropped nor replaced any more.
class Outbox final : public squall::detail::Pooled {
 public:
  /// How much may lie in the connection's own queue before messages wait here.
  static constexpr std::size_t low_mark_bytes = 64 * 1024;
  /// What a message that waits counts beyond its bytes.
  static constexpr std::size_t entry_bytes = 64;

  Outbox() noexcept = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() { clear(); }

  /// Adds a message, or says why not: `dropped`, or `overflow` with SlowConsumer::disconnect. Never
  /// `closed`. `key` matters for SlowConsumer::conflate only; messages without one replace none.
  SendResult add(SharedBytes message, std::string_view key, SlowConsumer policy,
                 std::size_t max_bytes);
  /// Takes the one that has waited longest. There is one.
  SharedBytes take() noexcept;

  [[nodiscard]] bool is_empty() const noexcept { return first_ == nullptr; }
  /// What waits, with what each message costs besides.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Messages lost since the last call.
  [[nodiscard]] std::size_t take_lost() noexcept;
  void clear() noexcept;

 private:
  struct Entry final : squall::detail::Pooled {
    SharedBytes message;
    std::string key;
    Entry* next = nullptr;
    [[nodiscard]] std::size_t cost() const noexcept {
      return message.size() + key.size() + entry_bytes;
    }
  };

  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t lost_ = 0;
  std::unordered_map<std::string_view, Entry*> of_key_;  // views of the entries' keys
};

}  // namespace squall::transport
