// SPDX-License-Identifier: Apache-2.0
#include "net/connect_race.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace squall::net {
namespace {

using Family = SocketAddress::Family;

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

SocketAddress address_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (ask(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return SocketAddress::from_native(&address, size);
}

std::error_code bind_to(int fd, const ConnectSource& source, Family family) noexcept {
  SocketAddress local = source.address.with_port(source.port);
  if (local.family() == Family::none) {
    if (source.port == 0) return {};
    local = SocketAddress::parse(family == Family::ipv4 ? "0.0.0.0" : "::", source.port);
  }
  if (local.family() != family) {
    return std::make_error_code(std::errc::address_family_not_supported);
  }
  const int on = 1;
  if (source.port != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  } else {
    // The port is chosen with the destination, so that ports do not run out.
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  }
  sockaddr_storage native{};
  const std::size_t size = local.to_native(&native, sizeof native);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&native), static_cast<socklen_t>(size)) != 0) {
    return last_error();
  }
  return {};
}

}  // namespace

std::vector<SocketAddress> interleave_families(const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> first;
  std::vector<SocketAddress> second;
  for (const SocketAddress& address : addresses) {
    (address.family() == addresses.front().family() ? first : second).push_back(address);
  }
  std::vector<SocketAddress> result;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) result.push_back(first[i]);
    if (i < second.size()) result.push_back(second[i]);
  }
  return result;
}

struct ConnectRace::Attempt final : loop::Watch {
  Attempt(ConnectRace& owner, UniqueFd socket) noexcept
      : Watch(socket.get(), writable), race(owner), descriptor(std::move(socket)) {}
  void on_ready(unsigned) override { race.attempt_ready(*this); }
  ConnectRace& race;
  UniqueFd descriptor;
};

ConnectRace::ConnectRace(std::vector<SocketAddress> addresses, const ConnectSource& source,
                         Duration delay)
    : StopNode(&on_stop),
      TimerNode(&on_delay),
      loop_(loop::LoopCore::current()),
      addresses_(std::move(addresses)),
      source_(source),
      delay_(delay),
      error_(std::make_error_code(std::errc::address_not_available)) {}

ConnectRace::~ConnectRace() { drop_all(); }

bool ConnectRace::go_on() {
  while (next_ < addresses_.size()) {
    const std::error_code error = begin(addresses_[next_++]);
    if (winner_) return true;
    if (!error) {
      loop_.stop_timer(*this);
      if (next_ < addresses_.size()) loop_.start_timer(*this, delay_);
      return false;
    }
    error_ = error;
  }
  return attempts_.empty();
}

std::error_code ConnectRace::begin(const SocketAddress& address) {
  const int family = address.family() == Family::ipv4 ? AF_INET : AF_INET6;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return last_error();
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (const std::error_code error = bind_to(fd.get(), source_, address.family())) return error;
  sockaddr_storage native{};
  const std::size_t size = address.to_native(&native, sizeof native);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&native),
                static_cast<socklen_t>(size)) == 0) {
    winner_ = std::move(fd);
    return {};
  }
  if (errno != EINPROGRESS) return last_error();
  auto attempt = std::make_unique<Attempt>(*this, std::move(fd));
  if (const std::error_code error = loop_.engine().start_watching(*attempt)) return error;
  attempts_.push_back(std::move(attempt));
  return {};
}

void ConnectRace::attempt_ready(Attempt& attempt) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(attempt.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) {
    const SocketAddress peer = address_of(attempt.fd, &::getpeername);
    if (peer.family() == Family::none) return;  // not yet
    // Where nobody listens on a port that is free for anyone to use, TCP may connect a socket to
    // itself (simultaneous open, RFC 9293 §3.5).
    if (peer == address_of(attempt.fd, &::getsockname)) error = ECONNREFUSED;
  }
  if (error == 0) {
    loop_.engine().stop_watching(attempt);
    winner_ = std::move(attempt.descriptor);
    std::erase_if(attempts_, [&attempt](const auto& each) { return each.get() == &attempt; });
    end();
    return;
  }
  error_ = {error, std::generic_category()};
  drop(attempt);
  if (go_on()) end();
}

void ConnectRace::drop(Attempt& attempt) noexcept {
  loop_.engine().stop_watching(attempt);
  std::erase_if(attempts_, [&attempt](const auto& each) { return each.get() == &attempt; });
}

void ConnectRace::drop_all() noexcept {
  loop_.stop_timer(*this);
  while (!attempts_.empty()) drop(*attempts_.back());
}

void ConnectRace::end() noexcept {
  drop_all();
  StopNode::unlink();
  resume_.coroutine.resume();
}

void ConnectRace::on_delay(TimerNode& node) noexcept {
  auto& self = static_cast<ConnectRace&>(node);
  if (self.go_on()) self.end();
}

void ConnectRace::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<ConnectRace&>(node);
  self.cancelled_ = true;
  self.drop_all();
  self.loop_.make_ready(self.resume_);
}

Result<UniqueFd> ConnectRace::await_resume() {
  if (cancelled_) throw CancelledError();
  if (!winner_) return error_;
  drop_all();
  return std::move(winner_);
}

}  // namespace squall::net
