// SPDX-License-Identifier: Apache-2.0
#include "net/inheritance.hpp"

#include <squall/net/address.hpp>
#include <squall/net/bind.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace squall::net {
namespace {

constexpr int port_attempts = 20;

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

void enable(int fd, int level, int option) noexcept {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses look_up(std::uint16_t port, const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.empty() ? nullptr : address.c_str(),
                                  std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw std::system_error(std::make_error_code(std::errc::address_not_available),
                            "cannot listen on \"" + address + "\": " + ::gai_strerror(error));
  }
  return Addresses(found);
}

std::vector<SocketAddress> addresses_of(const addrinfo& list) {
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = &list; info != nullptr; info = info->ai_next) {
    addresses.push_back(SocketAddress::from_native(info->ai_addr, info->ai_addrlen));
  }
  return addresses;
}

void set_port(sockaddr* address, std::uint16_t port) noexcept {
  // The port lies at the same place in both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  reinterpret_cast<sockaddr_in*>(address)->sin_port = htons(port);
}

/// One attempt; empty when the port that the first family got is taken in the second.
std::vector<UniqueFd> try_bind(std::uint16_t port, const std::string& address,
                               const addrinfo* candidates, const BindOptions& options) {
  std::vector<UniqueFd> sockets;
  std::vector<SocketAddress> done;
  std::uint16_t bound_port = port;
  for (const addrinfo* info = candidates; info != nullptr; info = info->ai_next) {
    set_port(info->ai_addr, bound_port);
    const SocketAddress wanted = SocketAddress::from_native(info->ai_addr, info->ai_addrlen);
    const std::string text = wanted.to_string();
    bool again = false;
    for (const SocketAddress& other : done) again = again || other == wanted;
    if (again) continue;
    done.push_back(wanted);

    UniqueFd fd(::socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
      if (errno == EAFNOSUPPORT) continue;  // a kernel without IPv6
      fail(errno, "cannot make a socket for " + text);
    }
    enable(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    if (options.reuse_port) enable(fd.get(), SOL_SOCKET, SO_REUSEPORT);
    if (info->ai_family == AF_INET6) enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
    // Accepted connections inherit it, which saves each a system call.
    enable(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    if (::bind(fd.get(), info->ai_addr, info->ai_addrlen) != 0) {
      if (errno == EADDRNOTAVAIL && info->ai_family == AF_INET6 && !sockets.empty()) {
        continue;  // "localhost" names ::1 where the interface has no IPv6
      }
      if (errno == EADDRINUSE && port == 0 && !sockets.empty()) return {};
      fail(errno, "cannot listen on " + text);
    }
    if (::listen(fd.get(), options.backlog) != 0) {
      if (errno == EADDRINUSE && port == 0 && !sockets.empty()) return {};
      fail(errno, "cannot listen on " + text);
    }
    if (bound_port == 0) bound_port = local_port(fd.get());
    sockets.push_back(std::move(fd));
  }
  if (sockets.empty()) fail(EADDRNOTAVAIL, "cannot listen on \"" + address + "\"");
  return sockets;
}

}  // namespace

std::vector<UniqueFd> bind_sockets(std::uint16_t port, std::string_view address,
                                   const BindOptions& options) {
  const std::string name(address);
  const Addresses candidates = look_up(port, name);
  std::vector<UniqueFd> inherited = take_inherited(addresses_of(*candidates));
  if (!inherited.empty()) return inherited;
  for (int attempt = 0; attempt < port_attempts; ++attempt) {
    std::vector<UniqueFd> sockets = try_bind(port, name, candidates.get(), options);
    if (!sockets.empty()) return sockets;
  }
  fail(EADDRINUSE, "cannot find a port that is free in IPv4 and in IPv6");
}

std::vector<std::vector<UniqueFd>> inherited_sets(std::uint16_t port, std::string_view address) {
  const Addresses candidates = look_up(port, std::string(address));
  std::vector<SocketAddress> wanted = addresses_of(*candidates);
  std::vector<std::vector<UniqueFd>> sets;
  for (;;) {
    std::vector<UniqueFd> set = take_inherited(wanted);
    if (set.empty()) return sets;
    if (port == 0) {  // all of this one port
      for (SocketAddress& one : wanted) one = one.with_port(local_port(set.front().get()));
    }
    sets.push_back(std::move(set));
  }
}

UniqueFd bind_unix_socket(std::string_view path, unsigned mode, int backlog) {
  if (UniqueFd inherited = take_inherited_unix(path)) return inherited;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text(path);
  const bool abstract_name = !text.empty() && text.front() == '@';
  if (text.empty() || text.size() >= sizeof address.sun_path) {
    fail(ENAMETOOLONG, "cannot listen on unix socket \"" + text + "\"");
  }
  std::memcpy(address.sun_path, text.data(), text.size());
  if (abstract_name) {
    address.sun_path[0] = '\0';
  } else {
    struct stat found {};
    if (::lstat(text.c_str(), &found) == 0) {
      if (!S_ISSOCK(found.st_mode)) {
        fail(EEXIST, "cannot listen on \"" + text + "\": there is a file that is not a socket");
      }
      ::unlink(text.c_str());
    }
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) fail(errno, "cannot make a unix socket");
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() +
                                           (abstract_name ? 0 : 1));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    fail(errno, "cannot listen on unix socket \"" + text + "\"");
  }
  if (!abstract_name && ::chmod(text.c_str(), static_cast<mode_t>(mode)) != 0) {
    fail(errno, "cannot set the permissions of \"" + text + "\"");
  }
  if (::listen(fd.get(), backlog) != 0) {
    fail(errno, "cannot listen on unix socket \"" + text + "\"");
  }
  return fd;
}

std::uint16_t local_port(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return SocketAddress::from_native(&address, size).port();
}

}  // namespace squall::net
