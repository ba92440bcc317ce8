// SPDX-License-Identifier: Apache-2.0
#include "net/run_link.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace squall::net {

RunLink RunLink::connect() noexcept {
  const char* const name = std::getenv(run_variable);  // NOLINT: the program does not change it
  if (name == nullptr || name[0] != '@') return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(name);
  if (size >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, name, size);
  address.sun_path[0] = '\0';
  RunLink link(UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)));
  if (!link) return {};
  const timeval patience{5, 0};
  ::setsockopt(link.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(link.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  if (::connect(link.fd(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return {};
  // Anybody can take an abstract name once its owner is gone.
  if (!is_own_user(link.fd())) return {};
  return link;
}

bool RunLink::is_own_user(int fd) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

void RunLink::stop_waiting() noexcept {
  ::fcntl(fd(), F_SETFL, ::fcntl(fd(), F_GETFL) | O_NONBLOCK);
}

bool RunLink::send(std::string_view text, int fd) noexcept {
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof fd)] = {};
  if (fd >= 0) {
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(this->fd(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

RunLink::Outcome RunLink::receive(Message& message) {
  message.text.resize(run_message_bytes);
  message.fd.reset();
  iovec piece{message.text.data(), message.text.size()};
  msghdr received{};
  received.msg_iov = &piece;
  received.msg_iovlen = 1;
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  received.msg_control = space;
  received.msg_controllen = sizeof space;
  ssize_t size = -1;
  do {
    size = ::recvmsg(fd(), &received, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    message.text.clear();
    return errno == EAGAIN ? Outcome::nothing : Outcome::over;
  }
  message.text.resize(static_cast<std::size_t>(size));
  for (cmsghdr* header = CMSG_FIRSTHDR(&received); header != nullptr;
       header = CMSG_NXTHDR(&received, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    message.fd.reset(fd);
  }
  return size == 0 ? Outcome::over : Outcome::message;
}

std::vector<std::pair<UniqueFd, std::string>> kept_sockets() {
  std::vector<std::pair<UniqueFd, std::string>> sockets;
  RunLink link = RunLink::connect();
  if (!link || !link.send("inherit")) return sockets;
  RunLink::Message message;
  constexpr std::string_view word = "socket ";
  while (link.receive(message) == RunLink::Outcome::message && message.text.starts_with(word)) {
    if (message.fd) sockets.emplace_back(std::move(message.fd), message.text.substr(word.size()));
  }
  return sockets;
}

void release_kept_port(unsigned port) noexcept {
  RunLink link = RunLink::connect();
  if (!link || !link.send("release " + std::to_string(port))) return;
  RunLink::Message message;
  static_cast<void>(link.receive(message));  // when it is done
}

}  // namespace squall::net
