// SPDX-License-Identifier: Apache-2.0
//
// The floor: what one level-triggered epoll loop must pay the kernel, and as little else as
// possible. It is not a web server: it looks at just enough bytes to know which of the fixed
// answers is due. One receive buffer serves all connections; an idle one holds an array slot.
#include "floor/protocol.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace bench_floor {
namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;

class Floor : private FloorProtocol<Floor> {
 public:
  Floor(std::uint16_t port, const std::string& static_dir);
  [[noreturn]] void run();

 private:
  friend FloorProtocol;

  void accept_all();
  void on_event(int fd, std::uint32_t events);
  void on_readable(int fd);
  void on_writable(int fd);
  void close_connection(int fd);

  void send_all(int fd, std::string_view data, int flags = 0);
  static std::string_view lasting(std::string_view text) { return text; }
  void send_echo(int fd, std::string_view body);
  void send_static(int fd);
  void keep(int fd, std::string_view unsent, std::size_t file_left);
  void watch(int fd, int operation, std::uint32_t events) const;

  int epoll_ = -1;
  int listener_ = -1;
  std::vector<char> buffer_ = std::vector<char>(buffer_bytes);
};

Floor::Floor(std::uint16_t port, const std::string& static_dir)
    : FloorProtocol(static_dir),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      listener_(listen_on(port, SOCK_NONBLOCK)) {
  watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
}

void Floor::run() {
  std::array<epoll_event, 1024> events;
  for (;;) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == listener_) {
        accept_all();
      } else {
        on_event(event.data.fd, event.events);
      }
    }
  }
}

void Floor::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    open_slot(fd);
    watch(fd, EPOLL_CTL_ADD, EPOLLIN);
  }
}

void Floor::on_event(int fd, std::uint32_t events) {
  if (slot(fd).kind == Kind::closed) return;
  if (!sending(fd)) {
    on_readable(fd);
  } else if ((events & EPOLLOUT) != 0) {
    on_writable(fd);
  }
}

void Floor::on_readable(int fd) {
  const auto got = ::recv(fd, buffer_.data(), buffer_.size(), 0);
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) close_connection(fd);
    return;
  }
  char* data = buffer_.data();
  auto size = static_cast<std::size_t>(got);
  std::string joined;
  if (slot(fd).unfinished) {
    joined = std::move(slot(fd).unfinished->in);
    slot(fd).unfinished.reset();
    joined.append(data, size);
    data = joined.data();
    size = joined.size();
  }
  const std::size_t used = process(fd, data, size);
  if (used < size && slot(fd).kind != Kind::closed) {
    unfinished(fd).in.assign(data + used, size - used);
  }
}

void Floor::send_all(int fd, std::string_view data, int flags) {
  if (slot(fd).kind == Kind::closed) return;
  if (sending(fd)) {
    unfinished(fd).out.append(data);
    return;
  }
  const auto sent = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL | flags);
  if (sent == static_cast<ssize_t>(data.size())) return;
  // A dead peer is noticed when it is read.
  if (sent < 0 && errno != EAGAIN) return;
  keep(fd, data.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent)), 0);
}

void Floor::send_echo(int fd, std::string_view body) {
  const BinaryHead built(body.size());
  const std::string_view answer_head = built.text();
  const std::array<iovec, 2> parts = {
      iovec{const_cast<char*>(answer_head.data()), answer_head.size()},
      iovec{const_cast<char*>(body.data()), body.size()},
  };
  const auto sent = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
  if (sent < 0 && errno != EAGAIN) {
    close_connection(fd);
    return;
  }
  const std::size_t done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (done < answer_head.size() + body.size()) {
    const std::string whole = std::string(answer_head).append(body);
    keep(fd, std::string_view(whole).substr(done), 0);
  }
}

void Floor::send_static(int fd) {
  send_all(fd, static_head_, MSG_MORE);
  if (sending(fd)) {
    unfinished(fd).file_left = file_size_;
    return;
  }
  off_t offset = 0;
  const auto sent = ::sendfile(fd, file_, &offset, file_size_);
  if (sent == static_cast<ssize_t>(file_size_)) return;
  if (sent < 0 && errno != EAGAIN) return close_connection(fd);
  keep(fd, {}, file_size_ - static_cast<std::size_t>(offset));
}

void Floor::keep(int fd, std::string_view unsent, std::size_t file_left) {
  unfinished(fd).out.append(unsent);
  unfinished(fd).file_left = file_left;
  watch(fd, EPOLL_CTL_MOD, EPOLLOUT);
}

void Floor::on_writable(int fd) {
  Unfinished& rest = unfinished(fd);
  if (!rest.out.empty()) {
    const auto sent = ::send(fd, rest.out.data(), rest.out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN ? void() : close_connection(fd);
    rest.out.erase(0, static_cast<std::size_t>(sent));
    if (!rest.out.empty()) return;
  }
  if (rest.file_left != 0) {
    auto offset = static_cast<off_t>(file_size_ - rest.file_left);
    if (::sendfile(fd, file_, &offset, rest.file_left) < 0) {
      return errno == EAGAIN ? void() : close_connection(fd);
    }
    rest.file_left = file_size_ - static_cast<std::size_t>(offset);
    if (rest.file_left != 0) return;
  }
  std::string in = std::move(rest.in);
  slot(fd).unfinished.reset();
  watch(fd, EPOLL_CTL_MOD, EPOLLIN);
  const std::size_t used = process(fd, in.data(), in.size());
  if (used < in.size() && slot(fd).kind != Kind::closed) unfinished(fd).in.append(in, used);
}

void Floor::close_connection(int fd) {
  forget(fd);
  ::close(fd);
}

void Floor::watch(int fd, int operation, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_, operation, fd, &event) != 0) die("epoll_ctl");
}

}  // namespace
}  // namespace bench_floor

int main(int argc, char** argv) {
  return bench_floor::run_floor<bench_floor::Floor>("bench_floor_epoll", argc, argv);
}
