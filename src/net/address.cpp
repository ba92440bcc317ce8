// SPDX-License-Identifier: Apache-2.0
#include <squall/net/address.hpp>

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace squall::net {
namespace {

constexpr unsigned char mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

SocketAddress SocketAddress::parse(std::string_view ip, std::uint16_t port) noexcept {
  SocketAddress result;
  char text[INET6_ADDRSTRLEN + 1] = {};
  if (ip.empty() || ip.size() >= sizeof text || ip.find('\0') != std::string_view::npos) {
    return result;
  }
  std::memcpy(text, ip.data(), ip.size());
  if (::inet_pton(AF_INET, text, result.bytes_) == 1) {
    result.family_ = Family::ipv4;
  } else if (::inet_pton(AF_INET6, text, result.bytes_) == 1) {
    result.family_ = Family::ipv6;
  } else {
    return SocketAddress();
  }
  result.port_ = port;
  return result;
}

SocketAddress SocketAddress::from_bytes(Family family, const unsigned char* bytes,
                                        std::uint16_t port) noexcept {
  SocketAddress result;
  if (family != Family::ipv4 && family != Family::ipv6) return result;
  std::memcpy(result.bytes_, bytes, family == Family::ipv4 ? 4 : 16);
  result.port_ = port;
  result.family_ = family;
  return result;
}

SocketAddress SocketAddress::unmapped() const noexcept {
  if (family_ != Family::ipv6 || std::memcmp(bytes_, mapped_prefix, sizeof mapped_prefix) != 0) {
    return *this;
  }
  return from_bytes(Family::ipv4, bytes_ + sizeof mapped_prefix, port_);
}

SocketAddress SocketAddress::from_native(const void* address, std::size_t size) noexcept {
  SocketAddress result;
  sa_family_t family = AF_UNSPEC;
  if (size >= sizeof family) std::memcpy(&family, address, sizeof family);
  if (family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in native;
    std::memcpy(&native, address, sizeof native);
    std::memcpy(result.bytes_, &native.sin_addr, 4);
    result.port_ = ntohs(native.sin_port);
    result.family_ = Family::ipv4;
  } else if (family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 native;
    std::memcpy(&native, address, sizeof native);
    result.port_ = ntohs(native.sin6_port);
    if (std::memcmp(&native.sin6_addr, mapped_prefix, sizeof mapped_prefix) == 0) {
      std::memcpy(result.bytes_, native.sin6_addr.s6_addr + 12, 4);
      result.family_ = Family::ipv4;
    } else {
      std::memcpy(result.bytes_, &native.sin6_addr, 16);
      result.scope_ = native.sin6_scope_id;
      result.family_ = Family::ipv6;
    }
  } else if (family == AF_UNIX) {
    result.family_ = Family::unix_socket;
  }
  return result;
}

std::size_t SocketAddress::to_native(void* address, std::size_t size) const noexcept {
  if (family_ == Family::ipv4 && size >= sizeof(sockaddr_in)) {
    sockaddr_in native{};
    native.sin_family = AF_INET;
    native.sin_port = htons(port_);
    std::memcpy(&native.sin_addr, bytes_, 4);
    std::memcpy(address, &native, sizeof native);
    return sizeof native;
  }
  if (family_ == Family::ipv6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 native{};
    native.sin6_family = AF_INET6;
    native.sin6_port = htons(port_);
    native.sin6_scope_id = scope_;
    std::memcpy(&native.sin6_addr, bytes_, 16);
    std::memcpy(address, &native, sizeof native);
    return sizeof native;
  }
  return 0;
}

std::string SocketAddress::ip() const {
  if (family_ == Family::none) return {};
  if (family_ == Family::unix_socket) return "unix";
  char text[INET6_ADDRSTRLEN];
  const int native = family_ == Family::ipv4 ? AF_INET : AF_INET6;
  if (::inet_ntop(native, bytes_, text, sizeof text) == nullptr) return {};
  return text;
}

std::string SocketAddress::to_string() const {
  switch (family_) {
    case Family::ipv4:
      return ip() + ":" + std::to_string(port_);
    case Family::ipv6:
      return "[" + ip() + "]:" + std::to_string(port_);
    default:
      return ip();
  }
}

bool is_valid_ip(std::string_view text) noexcept {
  return SocketAddress::parse(text, 0).family() != SocketAddress::Family::none;
}

}  // namespace squall::net
