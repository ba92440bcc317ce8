// SPDX-License-Identifier: Apache-2.0
#include "net/udp_core.hpp"

#include <squall/base/error.hpp>
#include <squall/net/udp_socket.hpp>

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

namespace squall::net {
namespace {

using Family = SocketAddress::Family;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

UniqueFd make_socket(const SocketAddress& address, const UDPOptions& options) {
  if (address.family() != Family::ipv4 && address.family() != Family::ipv6) {
    throw UsageError("a UDPSocket needs a literal IPv4 or IPv6 address");
  }
  const int family = address.family() == Family::ipv4 ? AF_INET : AF_INET6;
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) fail("cannot make a socket for " + address.to_string());
  const auto enable = [&fd](int level, int option) {
    const int on = 1;
    ::setsockopt(fd.get(), level, option, &on, sizeof on);
  };
  if (family == AF_INET6) enable(IPPROTO_IPV6, IPV6_V6ONLY);
  if (options.reuse_address) enable(SOL_SOCKET, SO_REUSEADDR);
  if (options.reuse_port) enable(SOL_SOCKET, SO_REUSEPORT);
  if (options.broadcast) enable(SOL_SOCKET, SO_BROADCAST);
  if (options.receive_buffer_bytes > 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes,
                 sizeof options.receive_buffer_bytes);
  }
  return fd;
}

SocketAddress address_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (fd < 0 || ask(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return SocketAddress::from_native(&address, size);
}

Result<void> set_option(int fd, int level, int option, const void* value, std::size_t size) {
  if (::setsockopt(fd, level, option, value, static_cast<socklen_t>(size)) == 0) return {};
  return std::error_code(errno, std::generic_category());
}

Result<void> set_option(int fd, int level, int option, int value) {
  return set_option(fd, level, option, &value, sizeof value);
}

bool is_ipv6(int fd) noexcept { return address_of(fd, &::getsockname).family() == Family::ipv6; }

Result<void> change_membership(int fd, bool join, const SocketAddress& group,
                               const SocketAddress& on) {
  sockaddr_storage native{};
  static_cast<void>(group.to_native(&native, sizeof native));
  if (group.family() == Family::ipv4) {
    ip_mreq request{};
    request.imr_multiaddr = reinterpret_cast<const sockaddr_in&>(native).sin_addr;
    if (on.family() == Family::ipv4) {
      static_cast<void>(on.to_native(&native, sizeof native));
      request.imr_interface = reinterpret_cast<const sockaddr_in&>(native).sin_addr;
    }
    return set_option(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                      sizeof request);
  }
  if (group.family() != Family::ipv6) return std::make_error_code(std::errc::invalid_argument);
  ipv6_mreq request{};
  request.ipv6mr_multiaddr = reinterpret_cast<const sockaddr_in6&>(native).sin6_addr;
  request.ipv6mr_interface = reinterpret_cast<const sockaddr_in6&>(native).sin6_scope_id;
  return set_option(fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
                    sizeof request);
}

}  // namespace

UDPSocket& UDPSocket::operator=(UDPSocket&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

UDPSocket::~UDPSocket() {
  if (core_ == nullptr) return;
  core_->close();
  core_->release();
}

UDPSocket UDPSocket::bind(const SocketAddress& local, const UDPOptions& options) {
  UniqueFd fd = make_socket(local, options);
  sockaddr_storage native{};
  const std::size_t size = local.to_native(&native, sizeof native);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&native), static_cast<socklen_t>(size)) !=
      0) {
    fail("cannot bind a socket to " + local.to_string());
  }
  return UDPSocket(new detail::UDPCore(std::move(fd)));
}

UDPSocket UDPSocket::connect(const SocketAddress& peer, const UDPOptions& options) {
  UniqueFd fd = make_socket(peer, options);
  sockaddr_storage native{};
  const std::size_t size = peer.to_native(&native, sizeof native);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&native),
                static_cast<socklen_t>(size)) != 0) {
    fail("cannot connect a socket to " + peer.to_string());
  }
  return UDPSocket(new detail::UDPCore(std::move(fd)));
}

Result<void> UDPSocket::join_multicast(const SocketAddress& group, const SocketAddress& on) {
  return change_membership(native_handle(), true, group, on);
}

Result<void> UDPSocket::leave_multicast(const SocketAddress& group, const SocketAddress& on) {
  return change_membership(native_handle(), false, group, on);
}

Result<void> UDPSocket::set_multicast_hops(int hops) {
  const int fd = native_handle();
  return is_ipv6(fd) ? set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops)
                     : set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);
}

Result<void> UDPSocket::set_multicast_loopback(bool on) {
  const int fd = native_handle();
  return is_ipv6(fd) ? set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, on ? 1 : 0)
                     : set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, on ? 1 : 0);
}

Result<void> UDPSocket::set_broadcast(bool on) {
  return set_option(native_handle(), SOL_SOCKET, SO_BROADCAST, on ? 1 : 0);
}

void UDPSocket::close() noexcept {
  if (core_ != nullptr) core_->close();
}

bool UDPSocket::is_open() const noexcept { return native_handle() >= 0; }

SocketAddress UDPSocket::local_address() const noexcept {
  return address_of(native_handle(), &::getsockname);
}

SocketAddress UDPSocket::peer_address() const noexcept {
  return address_of(native_handle(), &::getpeername);
}

int UDPSocket::native_handle() const noexcept {
  return core_ != nullptr ? core_->native_handle() : -1;
}

}  // namespace squall::net
