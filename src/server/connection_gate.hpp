// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/net/address.hpp>
#include <squall/net/network.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace squall::server {

/// Counts an application's connections, of all its loops together, and those of each address.
///
/// A connection has a place, a number, from enter() until leave(). The total is one atomic; the
/// table of addresses has a lock and is touched only when there is a limit for it. An address is
/// forgotten with its last connection.
class ConnectionGate final {
 public:
  using Place = std::uint64_t;
  static constexpr Place no_place = 0;

  struct Options {
    std::size_t max_connections = 0;  ///< 0: no limit
    std::size_t max_per_address = 0;  ///< 0: no limit
    /// Whose addresses stand for many clients, and are not counted.
    const net::NetworkSet* proxies = nullptr;
  };

  explicit ConnectionGate(const Options& options) noexcept : options_(options) {}
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  /// A place for a new connection whose address is not known yet, or does not count.
  [[nodiscard]] Place enter() noexcept;
  /// Adds the address to a place of enter(); false when it has as many as it may, and nothing has
  /// changed then.
  [[nodiscard]] bool add_address(Place& place, const net::SocketAddress& peer);
  void leave(Place place) noexcept;

  /// Whether new connections are to wait. Loops that accept at the same moment may each be one
  /// beyond.
  [[nodiscard]] bool is_full() const noexcept {
    return options_.max_connections != 0 && count() >= options_.max_connections;
  }
  [[nodiscard]] std::size_t count() const noexcept {
    return count_.load(std::memory_order_relaxed);
  }
  /// Addresses that have a connection.
  [[nodiscard]] std::size_t addresses() const;
  [[nodiscard]] std::size_t max_connections() const noexcept { return options_.max_connections; }

 private:
  [[nodiscard]] Place place_of(const net::SocketAddress& peer) const noexcept;

  const Options options_;
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::unordered_map<Place, std::size_t> of_address_;
};

/// A line in the log for what may happen a thousand times a second: one in a while, with the number
/// of those that had none.
class RareLine {
 public:
  explicit RareLine(std::uint64_t pause_ms) noexcept : pause_ms_(pause_ms) {}
  /// Whether to write now; `skipped` is how often the answer was no since the last line.
  [[nodiscard]] bool is_due(std::uint64_t now_ms, std::size_t& skipped) noexcept;

 private:
  std::uint64_t pause_ms_;
  std::uint64_t next_ms_ = 0;
  std::size_t skipped_ = 0;
};

}  // namespace squall::server
