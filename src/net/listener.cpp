// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include "base/logging.hpp"

#include <squall/base/limits.hpp>

#include <algorithm>
#include <poll.h>

namespace squall::net {
namespace {
constexpr auto retry_after = Duration::from_milliseconds(100);

bool is_readable(int socket) noexcept {
  pollfd asked{socket, POLLIN, 0};
  return ::poll(&asked, 1, 0) == 1;
}
}  // namespace

Listener::Listener(loop::LoopCore& core, UniqueFd socket, Receiver& receiver)
    : Acceptor(socket.get()),
      TimerNode([](TimerNode& node) noexcept { static_cast<Listener&>(node).try_again(); }),
      core_(core),
      receiver_(receiver),
      socket_(std::move(socket)) {
  if (const auto error = core_.engine().start_accepting(*this)) {
    throw std::system_error(error, "cannot accept connections");
  }
}

Listener::~Listener() {
  if (TimerNode::is_armed()) {
    core_.stop_timer(*this);
  } else if (!paused_) {
    core_.engine().stop_accepting(*this);
  }
}

void Listener::pause() noexcept {
  if (std::exchange(paused_, true)) return;
  if (TimerNode::is_armed()) {
    core_.stop_timer(*this);
  } else {
    core_.engine().stop_accepting(*this);
  }
  batch = 0;  // the engine may be in the middle of one
}

void Listener::go_on() noexcept {
  if (!std::exchange(paused_, false)) return;
  batch = 1;
  try_again();
}

void Listener::accept_waiting() {
  // As many as the queue may hold; others come meanwhile. A batch that ends early leaves 1, or 0
  // when it was paused.
  std::size_t left = limits::listen_backlog;
  while (!paused_ && !starved_ && left > 0) {
    constexpr unsigned at_once = 64;
    batch = at_once;
    if (Acceptor::accept_waiting()) return;
    // Whoever is left here will be reset: EAGAIN is not taken for an answer alone.
    if (batch < at_once && !is_readable(socket_.get())) return;
    left -= std::min<std::size_t>(left, batch < at_once ? 1 : at_once);
  }
}

void Listener::on_accept(UniqueFd connection, const sockaddr_storage& peer) {
  if (starved_) {
    starved_ = false;
    log::write(log::Level::info, "server", "accepting connections again");
  }
  receiver_.on_connection(std::move(connection), SocketAddress::from_native(&peer, sizeof peer));
}

void Listener::on_accept_failed(std::error_code error) {
  if (!starved_) {
    starved_ = true;
    log::format(log::Level::error, "server",
                "cannot accept connections: {}; they wait in the kernel until there is room",
                error.message());
  }
  if (!paused_) core_.start_timer(*this, retry_after);
}

void Listener::try_again() noexcept {
  if (const auto error = core_.engine().start_accepting(*this)) on_accept_failed(error);
}

}  // namespace squall::net
