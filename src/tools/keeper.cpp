// SPDX-License-Identifier: Apache-2.0
#include "tools/keeper.hpp"

#include "base/hex.hpp"
#include "base/logging.hpp"
#include "base/number.hpp"
#include "base/secrets.hpp"

#include <squall/base/limits.hpp>
#include <squall/net/bind.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <utility>

namespace squall::tools {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Takes `word` off the front of the text; false when that begins otherwise.
bool take_word(std::string_view& text, std::string_view word) noexcept {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

}  // namespace

Keeper::Keeper(std::function<void()> changed)
    : loop_(IOLoop::current()), changed_(std::move(changed)) {
  std::string name = "@squall-run-";
  append_hex(name, random_bytes(16));
  variable_ = std::string(net::run_variable) + "=" + name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, name.size());
  address.sun_path[0] = '\0';
  listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (!listener_ ||
      ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener_.get(), SOMAXCONN) != 0) {
    fail("cannot make a socket for the program");
  }
  loop_.add_handler(
      listener_.get(), [this](int, unsigned) { accept(); }, IOLoop::readable);
}

Keeper::~Keeper() {
  loop_.remove_handler(listener_.get());
  for (const auto& peer : peers_) loop_.remove_handler(peer->link.fd());
}

bool Keeper::has_programs() const noexcept {
  return std::any_of(peers_.begin(), peers_.end(), [](const auto& one) { return one->has_pages; });
}

void Keeper::accept() {
  UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  // The name can be seen by all, but the sockets and the texts are the user's.
  if (!fd || !net::RunLink::is_own_user(fd.get()) ||
      peers_.size() >= limits::development_programs) {
    return;
  }
  Peer& peer = *peers_.emplace_back(new Peer{net::RunLink(std::move(fd)), false});
  loop_.add_handler(
      peer.link.fd(), [this, &peer](int, unsigned) { read(peer); }, IOLoop::readable);
}

void Keeper::remove(Peer& peer) {
  loop_.remove_handler(peer.link.fd());
  const bool counted = peer.has_pages;
  std::erase_if(peers_, [&](const auto& one) { return one.get() == &peer; });
  if (counted) changed_();
}

void Keeper::read(Peer& peer) {
  net::RunLink::Message message;
  for (;;) {
    switch (peer.link.receive(message)) {
      case net::RunLink::Outcome::message:
        take(peer, message);
        break;
      case net::RunLink::Outcome::nothing:
        return;
      case net::RunLink::Outcome::over:
        remove(peer);
        return;
    }
  }
}

void Keeper::take(Peer& peer, net::RunLink::Message& message) {
  std::string_view text = message.text;
  if (text == "inherit") {
    for (const Socket& socket : sockets_) peer.link.send("socket " + socket.name, socket.fd.get());
    peer.link.send("end");
  } else if (take_word(text, "release ")) {
    std::uint16_t port = 0;
    if (read_number(text, port) && port != 0) {
      std::erase_if(sockets_,
                    [port](const Socket& one) { return net::local_port(one.fd.get()) == port; });
    }
    peer.link.send("end");
  } else if (text == "pages") {
    peer.has_pages = true;
    send_state(peer);
    changed_();
  } else if (take_word(text, "serve plain ")) {
    keep(std::move(message.fd), text, false);
  } else if (take_word(text, "serve tls ")) {
    keep(std::move(message.fd), text, true);
  } else if (text == "ready") {
    std::erase_if(sockets_, [](const Socket& one) { return !one.is_used; });
  }
}

void Keeper::keep(UniqueFd fd, std::string_view name, bool tls) {
  struct stat what {};
  if (!fd || ::fstat(fd.get(), &what) != 0 || !S_ISSOCK(what.st_mode)) return;
  // A socket keeps its inode for its life, whatever its descriptors' numbers.
  const auto known = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const Socket& one) { return one.inode == what.st_ino; });
  if (known != sockets_.end()) {
    known->tls = tls;
    known->is_used = true;
  } else if (sockets_.size() < limits::development_sockets) {
    sockets_.push_back({std::move(fd), what.st_ino, std::string(name), tls, true});
  } else {
    log::format(log::Level::warning, "run", "only {} sockets are kept over a restart",
                limits::development_sockets);
  }
}

std::vector<UniqueFd> Keeper::plain_sockets() const {
  std::vector<UniqueFd> copies;
  for (const Socket& socket : sockets_) {
    if (!socket.tls) copies.emplace_back(::fcntl(socket.fd.get(), F_DUPFD_CLOEXEC, 3));
  }
  std::erase_if(copies, [](const UniqueFd& one) { return !one; });
  return copies;
}

void Keeper::bind(std::uint16_t port, const std::string& address) {
  for (UniqueFd& fd : net::bind_sockets(port, address)) keep(std::move(fd), "unknown", false);
}

void Keeper::expect_start() noexcept {
  for (Socket& socket : sockets_) socket.is_used = false;
}

void Keeper::set_state(web::PageState state) {
  state_ = std::move(state);
  for (const auto& peer : peers_) {
    if (peer->has_pages) send_state(*peer);
  }
}

void Keeper::send_state(Peer& peer) { peer.link.send(state_.generation + '\n' + state_.error); }

}  // namespace squall::tools
