// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace squall::net {

/// The keys that session tickets are sealed with (RFC 5077). A new one is made every `rotation`;
/// each is kept as long as a ticket that it sealed may come back. Any thread may use it.
class TicketKeys {
 public:
  static constexpr std::size_t name_bytes = 16;
  struct Key {
    std::array<unsigned char, name_bytes> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
    std::uint64_t made_ns;
  };

  TicketKeys(Duration rotation, Duration ticket_lifetime) noexcept
      : rotation_ns_(static_cast<std::uint64_t>(rotation.nanoseconds())),
        lifetime_ns_(static_cast<std::uint64_t>(ticket_lifetime.nanoseconds())) {}
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  /// The key for new tickets. False when there is no randomness to make one.
  [[nodiscard]] bool current(std::uint64_t now_ns, Key& key);
  enum class Found : std::uint8_t { no, current, old };
  [[nodiscard]] Found find(const unsigned char* name, std::uint64_t now_ns, Key& key);
  /// Makes all tickets that were given out worthless.
  void forget();
  [[nodiscard]] std::size_t size();

 private:
  void drop_old(std::uint64_t now_ns);

  const std::uint64_t rotation_ns_;
  const std::uint64_t lifetime_ns_;
  std::mutex mutex_;
  std::vector<Key> keys_;  // the newest last
};

}  // namespace squall::net
