// SPDX-License-Identifier: Apache-2.0
//
// The floor of io_uring: what one bare ring must pay the kernel for the answers of floor_epoll.
// Multishot accept and receive, provided buffers, deferred task work, and one call a turn: the
// sends of a turn are submitted by the call that waits for the next. A send never waits in the
// kernel and reports only that it could not send all, so that what it sends may go when the call
// returns.
#include "floor/answers.hpp"
#include "floor/websocket.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <liburing.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace floor_epoll {
namespace {

constexpr std::size_t buffer_bytes = 32 * 1024;
constexpr unsigned buffer_count = 64;
constexpr std::size_t repeated_count = 64;

[[noreturn]] void die(const char* what, int error) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(error));
  std::exit(1);
}

class Floor {
 public:
  Floor(std::uint16_t port, const std::string& static_dir);
  [[noreturn]] void run();

 private:
  enum class Kind : std::uint8_t { closed, http, echo, room };
  enum class Operation : std::uint8_t { none, accept, receive, send, writable };
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
  /// A send of this turn, looked at again when the kernel has had it.
  struct Sent {
    std::array<iovec, 2> parts;
    msghdr message;
    int fd;
    int result;
  };

  void open_ring();
  void open_listener(std::uint16_t port);
  io_uring_sqe& entry(Operation operation, std::size_t what);
  void give_back(unsigned id);

  void handle(const io_uring_cqe& report);
  void finish_sends();
  void on_received(int fd, const io_uring_cqe& report);
  void on_bytes(int fd, char* data, std::size_t size);
  void on_writable(int fd);
  void receive(int fd);
  void close_connection(int fd);
  void forget(int fd);

  std::size_t process(int fd, char* data, std::size_t size);
  std::size_t process_http(int fd, char* data, std::size_t size);
  std::size_t process_frames(int fd, char* data, std::size_t size);
  std::size_t post_echo(int fd, std::string_view head, std::string_view rest);
  void upgrade(int fd, std::string_view head);

  void send_plain(int fd, std::size_t count);
  void send_all(int fd, std::string_view data) { send_both(fd, data, {}); }
  void send_both(int fd, std::string_view first, std::string_view second);
  void send_static(int fd);
  void keep(int fd, std::string_view unsent, std::size_t file_left);
  std::string_view lasting(std::string_view text) { return kept_.emplace_back(text); }
  Unfinished& unfinished(int fd);
  Slot& slot(int fd) { return slots_[static_cast<std::size_t>(fd)]; }
  bool sending(int fd) {
    const auto& rest = slot(fd).unfinished;
    return rest && (!rest->out.empty() || rest->file_left != 0);
  }

  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* buffers_ = nullptr;
  int listener_ = -1;
  int file_ = -1;
  std::size_t file_size_ = 0;
  std::vector<Slot> slots_;
  std::vector<int> members_;
  std::deque<Sent> sent_;
  std::size_t sent_count_ = 0;
  std::deque<std::string> kept_;    // until the turn's sends are out
  std::vector<unsigned> returned_;  // buffers, the same
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
  open_ring();
  open_listener(port);
}

void Floor::open_ring() {
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                 IORING_SETUP_DEFER_TASKRUN;
  params.cq_entries = 4096;
  if (const int result = ::io_uring_queue_init_params(512, &ring_, &params); result < 0) {
    die("io_uring", -result);
  }
  ::io_uring_register_ring_fd(&ring_);
  void* const memory = ::mmap(nullptr, 4096 + buffer_count * buffer_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die("mmap", errno);
  buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
  buffers_ = static_cast<char*>(memory) + 4096;
  io_uring_buf_reg description{};
  description.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  description.ring_entries = buffer_count;
  if (const int result = ::io_uring_register_buf_ring(&ring_, &description, 0); result < 0) {
    die("provided buffers", -result);
  }
  ::io_uring_buf_ring_init(buffer_ring_);
  for (unsigned id = 0; id < buffer_count; ++id) give_back(id);
}

void Floor::open_listener(std::uint16_t port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit this, so that it costs no call a connection.
  ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("bind", errno);
  }
  if (::listen(listener_, 4096) != 0) die("listen", errno);
  ::io_uring_prep_multishot_accept(&entry(Operation::accept, 0), listener_, nullptr, nullptr,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// To be prepared by the caller; preparing leaves the user data alone in liburing 2.3.
io_uring_sqe& Floor::entry(Operation operation, std::size_t what) {
  io_uring_sqe* next = ::io_uring_get_sqe(&ring_);
  if (next == nullptr) {
    ::io_uring_submit(&ring_);
    next = ::io_uring_get_sqe(&ring_);
    if (next == nullptr) die("no submission entry", ENOMEM);
  }
  next->user_data = static_cast<std::uint64_t>(operation) | std::uint64_t{what} << 8U;
  return *next;
}

void Floor::give_back(unsigned id) {
  ::io_uring_buf_ring_add(buffer_ring_, buffers_ + id * buffer_bytes, buffer_bytes,
                          static_cast<unsigned short>(id), ::io_uring_buf_ring_mask(buffer_count),
                          0);
  ::io_uring_buf_ring_advance(buffer_ring_, 1);
}

void Floor::run() {
  for (;;) {
    const int result = ::io_uring_submit_and_wait(&ring_, 1);
    if (result < 0 && result != -EINTR) die("io_uring_enter", -result);
    finish_sends();
    io_uring_cqe* report = nullptr;
    while (::io_uring_peek_cqe(&ring_, &report) == 0) {
      const io_uring_cqe copy = {
          .user_data = report->user_data, .res = report->res, .flags = report->flags};
      ::io_uring_cqe_seen(&ring_, report);
      handle(copy);
    }
  }
}

void Floor::handle(const io_uring_cqe& report) {
  const auto what = static_cast<int>(report.user_data >> 8U);
  switch (static_cast<Operation>(report.user_data & 0xffU)) {
    case Operation::accept:
      if (report.res < 0) die("accept", -report.res);
      if (slots_.size() <= static_cast<std::size_t>(report.res)) {
        slots_.resize(static_cast<std::size_t>(report.res) + 1024);
      }
      slot(report.res).kind = Kind::http;
      receive(report.res);
      break;
    case Operation::receive:
      on_received(what, report);
      break;
    case Operation::writable:
      if (slot(what).kind != Kind::closed) on_writable(what);
      break;
    case Operation::send:
    case Operation::none:
      break;
  }
}

void Floor::receive(int fd) {
  io_uring_sqe& next = entry(Operation::receive, static_cast<std::size_t>(fd));
  ::io_uring_prep_recv_multishot(&next, fd, nullptr, 0, 0);
  next.flags |= IOSQE_BUFFER_SELECT;
  next.buf_group = 0;
}

/// The reports of sends that failed come first; the others went out whole.
void Floor::finish_sends() {
  if (sent_count_ != 0) {
    unsigned head;
    io_uring_cqe* report;
    io_uring_for_each_cqe(&ring_, head, report) {
      if ((report->user_data & 0xffU) != static_cast<unsigned>(Operation::send)) continue;
      sent_[report->user_data >> 8U].result = report->res;
    }
    for (std::size_t i = 0; i < sent_count_; ++i) {
      const Sent& one = sent_[i];
      if (one.result == 0 || slot(one.fd).kind == Kind::closed) continue;
      if (one.result < 0 && one.result != -EAGAIN) continue;  // noticed when it is read
      auto done = static_cast<std::size_t>(one.result < 0 ? 0 : one.result);
      for (std::size_t part = 0; part < one.message.msg_iovlen; ++part) {
        const std::string_view text(static_cast<const char*>(one.parts[part].iov_base),
                                    one.parts[part].iov_len);
        keep(one.fd, text.substr(std::min(done, text.size())), 0);
        done -= std::min(done, text.size());
      }
    }
    sent_count_ = 0;
  }
  for (const unsigned id : returned_) give_back(id);
  returned_.clear();
  kept_.clear();
}

void Floor::on_received(int fd, const io_uring_cqe& report) {
  if ((report.flags & IORING_CQE_F_BUFFER) != 0) {
    const unsigned id = report.flags >> IORING_CQE_BUFFER_SHIFT;
    if (report.res > 0 && slot(fd).kind != Kind::closed) {
      on_bytes(fd, buffers_ + id * buffer_bytes, static_cast<std::size_t>(report.res));
    }
    returned_.push_back(id);
  }
  if ((report.flags & IORING_CQE_F_MORE) != 0) return;
  if (slot(fd).kind == Kind::closed) {
    ::close(fd);
  } else if (report.res > 0 || report.res == -ENOBUFS) {
    receive(fd);
  } else {
    forget(fd);
    ::close(fd);
  }
}

void Floor::on_bytes(int fd, char* data, std::size_t size) {
  if (!slot(fd).unfinished) {
    const std::size_t used = process(fd, data, size);
    if (used < size && slot(fd).kind != Kind::closed) {
      unfinished(fd).in.assign(data + used, size - used);
    }
    return;
  }
  if (sending(fd)) {
    unfinished(fd).in.append(data, size);
    return;
  }
  std::string& joined = kept_.emplace_back(std::move(slot(fd).unfinished->in));
  slot(fd).unfinished.reset();
  joined.append(data, size);
  const std::size_t used = process(fd, joined.data(), joined.size());
  if (used < joined.size() && slot(fd).kind != Kind::closed) {
    unfinished(fd).in.assign(joined, used);
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
  send_both(fd, lasting(BinaryHead(length).text()), rest.substr(0, length));
  return head.size() + length;
}

void Floor::upgrade(int fd, std::string_view head) {
  const std::string text = upgrade_answer(head);
  if (text.empty()) return close_connection(fd);
  send_all(fd, lasting(text));
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

void Floor::send_both(int fd, std::string_view first, std::string_view second) {
  if (slot(fd).kind == Kind::closed) return;
  if (sending(fd)) {
    unfinished(fd).out.append(first).append(second);
    return;
  }
  if (sent_count_ == sent_.size()) sent_.emplace_back();
  Sent& one = sent_[sent_count_];
  one.fd = fd;
  one.result = 0;
  one.parts = {iovec{const_cast<char*>(first.data()), first.size()},
               iovec{const_cast<char*>(second.data()), second.size()}};
  one.message = {};
  one.message.msg_iov = one.parts.data();
  one.message.msg_iovlen = second.empty() ? 1 : 2;
  io_uring_sqe& next = entry(Operation::send, sent_count_++);
  constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
  if (second.empty()) {
    ::io_uring_prep_send(&next, fd, first.data(), first.size(), flags);
  } else {
    ::io_uring_prep_sendmsg(&next, fd, &one.message, flags);
  }
  next.flags |= IOSQE_CQE_SKIP_SUCCESS;
}

// sendfile(2) by itself: a ring has nothing that spares the copy.
void Floor::send_static(int fd) {
  if (sending(fd)) {
    unfinished(fd).out.append(static_head_);
    unfinished(fd).file_left = file_size_;
    return;
  }
  const auto sent = ::send(fd, static_head_.data(), static_head_.size(), MSG_NOSIGNAL | MSG_MORE);
  if (sent != static_cast<ssize_t>(static_head_.size())) return close_connection(fd);
  off_t offset = 0;
  if (::sendfile(fd, file_, &offset, file_size_) < 0 && errno != EAGAIN) {
    return close_connection(fd);
  }
  const auto left = file_size_ - static_cast<std::size_t>(offset);
  if (left != 0) keep(fd, {}, left);
}

void Floor::keep(int fd, std::string_view unsent, std::size_t file_left) {
  if (!sending(fd)) {
    ::io_uring_prep_poll_add(&entry(Operation::writable, static_cast<std::size_t>(fd)), fd,
                             POLLOUT);
  }
  unfinished(fd).out.append(unsent);
  unfinished(fd).file_left = file_left;
}

void Floor::on_writable(int fd) {
  Unfinished& rest = unfinished(fd);
  if (!rest.out.empty()) {
    const auto sent = ::send(fd, rest.out.data(), rest.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return close_connection(fd);
    rest.out.erase(0, static_cast<std::size_t>(sent < 0 ? 0 : sent));
  }
  if (rest.out.empty() && rest.file_left != 0) {
    auto offset = static_cast<off_t>(file_size_ - rest.file_left);
    if (::sendfile(fd, file_, &offset, rest.file_left) < 0 && errno != EAGAIN) {
      return close_connection(fd);
    }
    rest.file_left = file_size_ - static_cast<std::size_t>(offset);
  }
  if (sending(fd)) {
    ::io_uring_prep_poll_add(&entry(Operation::writable, static_cast<std::size_t>(fd)), fd,
                             POLLOUT);
    return;
  }
  std::string& in = kept_.emplace_back(std::move(rest.in));
  slot(fd).unfinished.reset();
  const std::size_t used = process(fd, in.data(), in.size());
  if (used < in.size() && slot(fd).kind != Kind::closed) unfinished(fd).in.append(in, used);
}

/// Its receive ends by this, and that closes the descriptor.
void Floor::close_connection(int fd) {
  if (slot(fd).kind == Kind::closed) return;
  forget(fd);
  ::io_uring_prep_shutdown(&entry(Operation::none, 0), fd, SHUT_RDWR);
}

void Floor::forget(int fd) {
  Slot& closing = slot(fd);
  if (closing.kind == Kind::room) {
    members_[closing.member] = members_.back();
    slot(members_.back()).member = closing.member;
    members_.pop_back();
  }
  closing.kind = Kind::closed;
  closing.unfinished.reset();
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
    std::fputs("usage: bench_floor_uring --port N --static DIR\n", stderr);
    return 2;
  }
  floor_epoll::Floor(port, static_dir).run();
}
