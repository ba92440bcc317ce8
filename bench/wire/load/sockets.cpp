// SPDX-License-Identifier: Apache-2.0
#include "load/sockets.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace wire_load {
namespace {

constexpr int stall_milliseconds = 5000;

[[noreturn]] void fail(const char* what) {
  throw Failure(std::string(what) + ": " + std::strerror(errno));
}

void wait_for(int fd, short events) {
  pollfd entry{fd, events, 0};
  const int ready = ::poll(&entry, 1, stall_milliseconds);
  if (ready < 0 && errno != EINTR) fail("poll");
  if (ready == 0) throw Failure("stalled for 5 s");
}

}  // namespace

Connection::Connection(std::uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("socket");
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // So that what lingers of closed ones keeps no server from its port.
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
  // Rare on loopback: the server's queue is full.
  int error = errno;
  if (error == EINPROGRESS) {
    wait_for(fd_, POLLOUT);
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) return;
  ::close(std::exchange(fd_, -1));
  errno = error;
  fail("connect");
}

Connection::Connection(Connection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

void Connection::send_all(std::string_view data) const {
  while (!data.empty()) {
    const auto sent = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      wait_for(fd_, POLLOUT);
    } else if (errno != EINTR) {
      fail("send");
    }
  }
}

std::size_t Connection::receive(char* into, std::size_t size) const {
  const auto got = ::recv(fd_, into, size, 0);
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno == EAGAIN || errno == EINTR) return would_block;
  fail("receive");
}

std::size_t Connection::receive_some(char* into, std::size_t size) const {
  for (;;) {
    const auto got = receive(into, size);
    if (got != would_block) return got;
    wait_for(fd_, POLLIN);
  }
}

struct Poller::Events {
  std::array<epoll_event, 512> items;
};

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)), events_(std::make_unique<Events>()) {}

Poller::~Poller() { ::close(fd_); }

void Poller::add(const Connection& connection, std::size_t index) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = index;
  if (::epoll_ctl(fd_, EPOLL_CTL_ADD, connection.fd(), &event) != 0) fail("epoll_ctl");
}

std::size_t Poller::wait_events() {
  const int count = ::epoll_wait(fd_, events_->items.data(),
                                 static_cast<int>(events_->items.size()), stall_milliseconds);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  if (count == 0) throw Failure("stalled for 5 s");
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t Poller::index_at(std::size_t event) const { return events_->items[event].data.u64; }

}  // namespace wire_load
