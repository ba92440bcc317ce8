// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::net {

/// An IP address with its port, or the far end of a unix socket, which has neither. A small value:
/// 24 bytes, no allocation.
class SocketAddress {
 public:
  enum class Family : std::uint8_t { none, ipv4, ipv6, unix_socket };

  SocketAddress() noexcept = default;

  /// From a literal address, "127.0.0.1" or "::1"; `family()` is none when it is not one.
  [[nodiscard]] static SocketAddress parse(std::string_view ip, std::uint16_t port) noexcept;
  /// The far end of a unix socket.
  [[nodiscard]] static SocketAddress unix_peer() noexcept {
    SocketAddress result;
    result.family_ = Family::unix_socket;
    return result;
  }
  /// From the bytes of an address in network order, 4 for IPv4, 16 for IPv6.
  [[nodiscard]] static SocketAddress from_bytes(Family family, const unsigned char* bytes,
                                                std::uint16_t port) noexcept;
  /// From a `sockaddr` of the operating system; none when its family is another.
  [[nodiscard]] static SocketAddress from_native(const void* address, std::size_t size) noexcept;

  [[nodiscard]] Family family() const noexcept { return family_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// The address as text without the port: "127.0.0.1", "::1", "unix", or "" for none. An IPv4
  /// address that came over an IPv6 socket is written as IPv4.
  [[nodiscard]] std::string ip() const;
  /// With the port: "127.0.0.1:80", "[::1]:80", "unix".
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] SocketAddress with_port(std::uint16_t port) const noexcept {
    SocketAddress result = *this;
    result.port_ = port;
    return result;
  }
  /// An IPv4-mapped IPv6 address ("::ffff:192.0.2.1") as the IPv4 address; others as they are.
  [[nodiscard]] SocketAddress unmapped() const noexcept;
  /// The address in network order: 4 bytes of IPv4, 16 of IPv6.
  [[nodiscard]] const unsigned char* bytes() const noexcept { return bytes_; }

  /// For the library: writes a `sockaddr` of the operating system and gives its size. Zero for none
  /// and for unix sockets.
  std::size_t to_native(void* address, std::size_t size) const noexcept;

  friend bool operator==(const SocketAddress&, const SocketAddress&) noexcept = default;

 private:
  unsigned char bytes_[16] = {};
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  Family family_ = Family::none;
};

/// Whether `text` is a literal IPv4 or IPv6 address, "127.0.0.1" or "::1", and no name.
[[nodiscard]] bool is_valid_ip(std::string_view text) noexcept;

}  // namespace squall::net
