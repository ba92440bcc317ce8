// SPDX-License-Identifier: Apache-2.0
#include "net/service_manager.hpp"

#include "loop/clock.hpp"

#include <squall/loop/unique_fd.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

namespace squall::net {

void tell_service_manager(std::string_view state) noexcept {
  const char* const path = std::getenv("NOTIFY_SOCKET");  // NOLINT: the program does not change it
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if (size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
}

void tell_reloading() noexcept {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu",
                                 static_cast<unsigned long long>(loop::monotonic_ns() / 1000));
  tell_service_manager({text, static_cast<std::size_t>(size)});
}

}  // namespace squall::net
