// SPDX-License-Identifier: Apache-2.0
//
// The floor: what one level-triggered epoll loop must pay the kernel, and as little else as
// possible. It is not a web server: it looks at just enough bytes to know which of the fixed
// answers is due. One receive buffer serves all connections; an idle one holds an array slot.
#include "floor/answers.hpp"
#include "floor/websocket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace floor_epoll {
namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;
constexpr std::size_t repeated_count = 64;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

class Floor {
 public:
  Floor(std::uint16_t port, const std::string& static_dir);
  [[noreturn]] void run();

 private:
  enum class Kind : std::uint8_t { closed, http, echo, room };
  /// Held only while a request or an answer is half done.
  struct Unfinished {
    std::string in;
    std::string out;
    std::size_t file_left = 0;
  };
  struct Slot {
    std::unique_ptr<Unfinished> unfinished;
    std::uint32_t member = 0;  // place in members_, for a room
    Kind kind = Kind::closed;
  };

  void accept_all();
  void on_event(int fd, std::uint32_t events);
  void on_readable(int fd);
  void on_writable(int fd);
  void close_connection(int fd);

  // Each returns the bytes consumed of `data`; the connection may be closed on return.
  std::size_t process(int fd, char* data, std::size_t size);
  std::size_t process_http(int fd, char* data, std::size_t size);
  std::size_t process_frames(int fd, char* data, std::size_t size);
  std::size_t post_echo(int fd, std::string_view head, std::string_view rest);
  void upgrade(int fd, std::string_view head);

  void send_plain(int fd, std::size_t count);
  void send_all(int fd, std::string_view data, int flags = 0);
  void send_static(int fd);
  void keep(int fd, std::string_view unsent, std::size_t file_left);
  void watch(int fd, int operation, std::uint32_t events) const;
  Unfinished& unfinished(int fd);
  bool sending(int fd) const;
  Slot& slot(int fd) { return slots_[static_cast<std::size_t>(fd)]; }

  int epoll_ = -1;
  int listener_ = -1;
  int file_ = -1;
  std::size_t file_size_ = 0;
  std::vector<Slot> slots_;
  std::vector<int> members_;
  std::vector<char> buffer_ = std::vector<char>(buffer_bytes);
  std::string plain_ = answer("text/plain", "Hello, World!");
  std::string plain_closing_ = answer("text/plain", "Hello, World!", true);
  std::string repeated_;  // plain_ many times: pipelined requests cost no copy
  std::string json_ = answer("application/json", R"({"message":"Hello, World!"})");
  std::string static_head_;
};

Floor::Floor(std::uint16_t port, const std::string& static_dir) {
  for (std::size_t i = 0; i < repeated_count; ++i) repeated_ += plain_;
  file_ = ::open((static_dir + "/100k.bin").c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file_ >= 0 && ::fstat(file_, &status) == 0) {
    file_size_ = static_cast<std::size_t>(status.st_size);
  }
  static_head_ = BinaryHead(file_size_).text();

  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit this, so that it costs no call a connection.
  ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("bind");
  }
  if (::listen(listener_, 4096) != 0) die("listen");
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
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
    if (slots_.size() <= static_cast<std::size_t>(fd)) {
      slots_.resize(static_cast<std::size_t>(fd) + 1024);
    }
    slot(fd).kind = Kind::http;
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

std::size_t Floor::process(int fd, char* data, std::size_t size) {
  std::size_t used = 0;
  while (used < size && slot(fd).kind == Kind::http && !sending(fd)) {
    const auto step = process_http(fd, data + used, size - used);
    if (step == 0) return used;
    used += step;
  }
  if (used == size || slot(fd).kind == Kind::closed || slot(fd).kind == Kind::http) return used;
  return used + process_frames(fd, data + used, size - used);
}

/// Answers the run of plain requests at the front with one send, or one request of another kind.
std::size_t Floor::process_http(int fd, char* data, std::size_t size) {
  std::size_t used = 0;
  std::size_t plain_count = 0;
  while (used < size) {
    const std::string_view left(data + used, size - used);
    const auto end = left.find("\r\n\r\n");
    if (end == std::string_view::npos) break;
    const std::string_view head = left.substr(0, end + 4);
    const char first = head.size() > 5 ? head[5] : '\0';
    if (head[0] == 'G' && first != 'j' && first != 's' && first != 'w') {
      used += head.size();
      if (head.ends_with("close\r\n\r\n")) {
        send_plain(fd, plain_count);
        send_all(fd, plain_closing_);
        close_connection(fd);
        return used;
      }
      ++plain_count;
      continue;
    }
    if (plain_count != 0) break;
    if (head[0] == 'P') return post_echo(fd, head, left.substr(head.size()));
    if (first == 'j') send_all(fd, json_);
    if (first == 's') send_static(fd);
    if (first == 'w') upgrade(fd, head);
    return head.size();
  }
  send_plain(fd, plain_count);
  return used;
}

std::size_t Floor::post_echo(int fd, std::string_view head, std::string_view rest) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  std::size_t length = 0;
  if (at != std::string_view::npos) {
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
  }
  if (rest.size() < length) return 0;
  const BinaryHead built(length);
  const std::string_view answer_head = built.text();
  const std::array<iovec, 2> parts = {
      iovec{const_cast<char*>(answer_head.data()), answer_head.size()},
      iovec{const_cast<char*>(rest.data()), length},
  };
  const auto sent = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
  if (sent < 0 && errno != EAGAIN) {
    close_connection(fd);
    return head.size() + length;
  }
  const std::size_t done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (done < answer_head.size() + length) {
    const std::string whole = std::string(answer_head).append(rest.substr(0, length));
    keep(fd, std::string_view(whole).substr(done), 0);
  }
  return head.size() + length;
}

void Floor::upgrade(int fd, std::string_view head) {
  const std::string text = upgrade_answer(head);
  if (text.empty()) return close_connection(fd);
  send_all(fd, text);
  if (head.substr(0, 13) == "GET /ws/room ") {
    slot(fd).kind = Kind::room;
    slot(fd).member = static_cast<std::uint32_t>(members_.size());
    members_.push_back(fd);
  } else {
    slot(fd).kind = Kind::echo;
  }
}

std::size_t Floor::process_frames(int fd, char* data, std::size_t size) {
  const Turned turned = turn_frames(data, size);
  if (turned.out == nullptr) return 0;
  const std::string_view frames(turned.out, turned.out_size);
  if (slot(fd).kind == Kind::room && !turned.closing) {
    // What one read brought goes to each member in one send.
    for (std::size_t i = 0; i < members_.size(); ++i) send_all(members_[i], frames);
  } else {
    send_all(fd, frames);
  }
  if (turned.closing) close_connection(fd);
  return turned.consumed;
}

void Floor::send_plain(int fd, std::size_t count) {
  while (count != 0) {
    const std::size_t batch = count < repeated_count ? count : repeated_count;
    send_all(fd, std::string_view(repeated_).substr(0, batch * plain_.size()));
    count -= batch;
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
  Slot& closing = slot(fd);
  if (closing.kind == Kind::room) {
    members_[closing.member] = members_.back();
    slot(members_.back()).member = closing.member;
    members_.pop_back();
  }
  closing.kind = Kind::closed;
  closing.unfinished.reset();
  ::close(fd);
}

void Floor::watch(int fd, int operation, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_, operation, fd, &event) != 0) die("epoll_ctl");
}

bool Floor::sending(int fd) const {
  const auto& rest = slots_[static_cast<std::size_t>(fd)].unfinished;
  return rest && (!rest->out.empty() || rest->file_left != 0);
}

Floor::Unfinished& Floor::unfinished(int fd) {
  if (!slot(fd).unfinished) slot(fd).unfinished = std::make_unique<Unfinished>();
  return *slot(fd).unfinished;
}

}  // namespace
}  // namespace floor_epoll

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::string static_dir = ".";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--port") port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    if (name == "--static") static_dir = argv[i + 1];
  }
  if (port == 0) {
    std::fputs("usage: bench_floor_epoll --port N --static DIR\n", stderr);
    return 2;
  }
  floor_epoll::Floor(port, static_dir).run();
}
