// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/net/address.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::net {

/// A range of IP addresses (RFC 4632, RFC 4291 §2.3), or all unix sockets.
class Network {
 public:
  /// From "192.0.2.0/24", "2001:db8::/32", one address, or "unix". An IPv4-mapped IPv6 network is
  /// the IPv4 one. A UsageError that names the text when it is none of these, also when bits behind
  /// the prefix are set.
  explicit Network(std::string_view text);

  /// Whether the address is of this range; its port and zone do not matter. An IPv4-mapped IPv6
  /// address counts as IPv4.
  [[nodiscard]] bool contains(const SocketAddress& address) const noexcept;
  /// "192.0.2.0/24"; one address is written without its length.
  [[nodiscard]] std::string to_string() const;

 private:
  SocketAddress base_;
  std::uint8_t prefix_bits_ = 0;
};

/// Several networks. Asking costs a comparison for each.
class NetworkSet {
 public:
  /// Throws UsageError as Network does.
  void add(std::string_view text) { networks_.emplace_back(text); }
  [[nodiscard]] bool contains(const SocketAddress& address) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return networks_.empty(); }

 private:
  std::vector<Network> networks_;
};

}  // namespace squall::net
