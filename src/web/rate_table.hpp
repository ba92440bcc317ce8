// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace squall::web {

/// Token buckets by key, of a bounded number. Safe across threads.
///
/// A bucket is one time, when it will be full (the generic cell rate algorithm): a bucket that is
/// full needs no memory, and taking a token moves the time by the interval of two tokens.
class RateTable {
 public:
  using Key = std::array<unsigned char, 16>;

  /// `interval` nanoseconds from token to token, of which a bucket holds `burst`.
  RateTable(std::int64_t interval_ns, std::size_t burst, std::size_t max_keys);

  struct State {
    bool taken = false;         ///< a token
    std::size_t remaining = 0;  ///< tokens
    std::int64_t full_ns = 0;   ///< until the bucket is full
    std::int64_t next_ns = 0;   ///< until there is a token
  };
  /// Takes a token, if there is one.
  State take(const Key& key, std::int64_t now_ns);
  [[nodiscard]] State look(const Key& key, std::int64_t now_ns) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const noexcept;
  };
  using Map = std::unordered_map<Key, std::int64_t, Hash>;

  [[nodiscard]] State state_of(std::int64_t full_at, std::int64_t now_ns) const noexcept;
  void make_room(std::int64_t now_ns);

  std::int64_t interval_ns_;
  std::int64_t tolerance_ns_;
  std::size_t max_keys_;
  mutable std::mutex mutex_;
  Map full_at_;
  std::size_t hand_ = 0;
};

}  // namespace squall::web
