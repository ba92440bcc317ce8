// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "base/number.hpp"
#include "net/inheritance.hpp"
#include "net/run_link.hpp"

#include <squall/net/inherited_sockets.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace squall::net {
namespace {

constexpr int first_fd = 3;  // SD_LISTEN_FDS_START
constexpr int max_sockets = 4096;

std::string_view variable(const char* name) noexcept {
  const char* const value = std::getenv(name);  // NOLINT: before the program changes it
  return value != nullptr ? std::string_view(value) : std::string_view();
}

int option_of(int fd, int level, int option) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : 0;
}

struct Entry {
  UniqueFd fd;  // empty once it is given
  std::string name;
  ino_t inode;
};

/// What this process has inherited, read once.
class Inheritance {
 public:
  static Inheritance& of_process() {
    static Inheritance one;
    return one;
  }

  std::mutex mutex;
  std::vector<Entry> entries;
  UniqueFd ready_pipe;
  bool keeps = false;  // the sockets are `squall run --watch`'s, which keeps copies

 private:
  Inheritance() {
    read_sockets();
    read_ready_pipe();
    if (entries.empty()) read_kept();
  }

  void read_sockets() {
    pid_t owner = 0;
    int count = 0;
    // Not ours: it was started by a process that had them.
    if (!read_number(variable("LISTEN_PID"), owner) || owner != ::getpid()) return;
    if (!read_number(variable("LISTEN_FDS"), count) || count <= 0 || count > max_sockets) return;
    std::string_view names = variable("LISTEN_FDNAMES");
    for (int fd = first_fd; fd < first_fd + count; ++fd) {
      const std::size_t colon = names.find(':');
      const std::string_view name = names.substr(0, colon);
      names = colon == std::string_view::npos ? std::string_view() : names.substr(colon + 1);
      const int flags = ::fcntl(fd, F_GETFD);
      struct stat what {};
      if (flags < 0 || ::fstat(fd, &what) != 0) continue;
      ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
      // Others, datagram sockets and pipes, are for those who know that they get them.
      if (!S_ISSOCK(what.st_mode) || option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 0) continue;
      ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
      entries.push_back(
          {UniqueFd(fd), name.empty() ? std::string("unknown") : std::string(name), what.st_ino});
    }
  }

  void read_kept() {
    for (auto& [fd, name] : kept_sockets()) {
      struct stat what {};
      if (::fstat(fd.get(), &what) != 0) continue;
      entries.push_back({std::move(fd), std::move(name), what.st_ino});
    }
    keeps = !entries.empty();
  }

  void read_ready_pipe() {
    const std::string_view text = variable(std::string(ready_variable).c_str());
    const std::size_t colon = text.find(':');
    pid_t owner = 0;
    int fd = -1;
    if (colon == std::string_view::npos || !read_number(text.substr(0, colon), fd) ||
        !read_number(text.substr(colon + 1), owner) || owner != ::getpid()) {
      return;
    }
    struct stat what {};
    if (fd < first_fd || ::fstat(fd, &what) != 0 || !S_ISFIFO(what.st_mode)) return;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ready_pipe.reset(fd);
  }
};

struct Bound {
  sockaddr_storage address{};
  socklen_t size = sizeof address;

  explicit Bound(int fd) noexcept {
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      address.ss_family = AF_UNSPEC;
    }
  }
  [[nodiscard]] SocketAddress inet() const noexcept {
    const bool is_inet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
    return is_inet ? SocketAddress::from_native(&address, size) : SocketAddress();
  }
};

bool is_any(const SocketAddress& address, SocketAddress::Family family) noexcept {
  return address.family() == family &&
         address.with_port(0) ==
             SocketAddress::parse(family == SocketAddress::Family::ipv4 ? "0.0.0.0" : "::", 0);
}

// Whether connections to `wanted` arrive at a socket that is bound to `bound`.
bool serves(int fd, const SocketAddress& bound, const SocketAddress& wanted) noexcept {
  using Family = SocketAddress::Family;
  if (bound == wanted) return true;
  return bound.port() == wanted.port() && is_any(wanted, Family::ipv4) &&
         is_any(bound, Family::ipv6) && option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
}

void make_ready(int fd) noexcept {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // as bind_sockets() does
}

// The port that port 0 had in the predecessor; 0 when there is none for this address.
std::uint16_t port_for_any(const std::vector<Entry>& entries,
                           const SocketAddress& wanted) noexcept {
  for (const Entry& entry : entries) {
    if (!entry.fd || entry.name != any_port_name) continue;
    const SocketAddress bound = Bound(entry.fd.get()).inet();
    if (bound.with_port(0) == wanted.with_port(0)) return bound.port();
  }
  return 0;
}

// The port was kept for another address, and could not be bound.
void give_up_port(Inheritance& all, std::uint16_t port) {
  bool was_there = false;
  for (Entry& entry : all.entries) {
    if (!entry.fd || Bound(entry.fd.get()).inet().port() != port) continue;
    entry.fd.reset();
    was_there = true;
  }
  if (was_there) release_kept_port(port);
}

}  // namespace

std::vector<InheritedSocket> inherited_sockets(std::string_view name) {
  Inheritance& all = Inheritance::of_process();
  const std::scoped_lock lock(all.mutex);
  std::vector<InheritedSocket> given;
  for (Entry& entry : all.entries) {
    if (!entry.fd || (!name.empty() && entry.name != name)) continue;
    given.push_back({std::move(entry.fd), entry.name});
  }
  return given;
}

std::vector<UniqueFd> take_inherited(std::span<const SocketAddress> addresses) {
  Inheritance& all = Inheritance::of_process();
  const std::scoped_lock lock(all.mutex);
  std::vector<UniqueFd> taken;
  std::vector<SocketAddress> bound;
  std::uint16_t any_port = 0;
  for (SocketAddress wanted : addresses) {
    if (wanted.port() == 0) {
      if (any_port == 0) any_port = port_for_any(all.entries, wanted);
      if (any_port == 0) continue;
      wanted = wanted.with_port(any_port);
    }
    const bool is_served = std::any_of(taken.begin(), taken.end(), [&](const UniqueFd& fd) {
      return serves(fd.get(), Bound(fd.get()).inet(), wanted);
    });
    if (is_served) continue;
    for (Entry& entry : all.entries) {
      if (!entry.fd || option_of(entry.fd.get(), SOL_SOCKET, SO_TYPE) != SOCK_STREAM) continue;
      if (!serves(entry.fd.get(), Bound(entry.fd.get()).inet(), wanted)) continue;
      make_ready(entry.fd.get());
      taken.push_back(std::move(entry.fd));
      break;
    }
  }
  if (all.keeps && taken.empty()) {
    for (const SocketAddress& wanted : addresses) {
      if (wanted.port() != 0) give_up_port(all, wanted.port());
    }
  }
  return taken;
}

UniqueFd take_inherited_unix(std::string_view path) {
  Inheritance& all = Inheritance::of_process();
  const std::scoped_lock lock(all.mutex);
  for (Entry& entry : all.entries) {
    if (!entry.fd || option_of(entry.fd.get(), SOL_SOCKET, SO_TYPE) != SOCK_STREAM) continue;
    const Bound bound(entry.fd.get());
    if (bound.address.ss_family != AF_UNIX) continue;
    sockaddr_un name{};
    std::memcpy(&name, &bound.address, std::min<std::size_t>(sizeof name, bound.size));
    const std::size_t size = bound.size - offsetof(sockaddr_un, sun_path);
    std::string text(name.sun_path, std::min(size, sizeof name.sun_path));
    if (!text.empty() && text.front() == '\0') {
      text.front() = '@';
    } else {
      text.resize(::strnlen(text.data(), text.size()));
    }
    if (text == path) return std::move(entry.fd);
  }
  return UniqueFd();
}

std::string inherited_name(int fd) {
  struct stat what {};
  if (::fstat(fd, &what) != 0) return {};
  Inheritance& all = Inheritance::of_process();
  const std::scoped_lock lock(all.mutex);
  for (const Entry& entry : all.entries) {
    // A socket keeps its inode for its life, whatever number it has.
    if (!entry.fd && entry.inode == what.st_ino) return entry.name;
  }
  return {};
}

bool has_predecessor() { return static_cast<bool>(Inheritance::of_process().ready_pipe); }

void tell_predecessor() noexcept {
  Inheritance& all = Inheritance::of_process();
  const std::scoped_lock lock(all.mutex);
  if (!all.ready_pipe && !all.keeps) return;
  for (Entry& entry : all.entries) {
    if (!entry.fd) continue;
    log::format(log::Level::info, "process", "nothing listens on {} any more",
                Bound(entry.fd.get()).inet().to_string());
    entry.fd.reset();
  }
  if (!all.ready_pipe) return;
  [[maybe_unused]] const ssize_t written = ::write(all.ready_pipe.get(), "r", 1);
  all.ready_pipe.reset();
}

}  // namespace squall::net
