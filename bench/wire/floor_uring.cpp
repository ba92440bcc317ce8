// SPDX-License-Identifier: Apache-2.0
//
// The floor of io_uring: what one bare ring must pay the kernel for the answers of floor_epoll.
// Multishot accept and receive, provided buffers, deferred task work, and one call a turn: the
// sends of a turn are submitted by the call that waits for the next. A send never waits in the
// kernel and reports only that it could not send all, so that what it sends may go when the call
// returns.
#include "floor/protocol.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <liburing.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace bench_floor {
namespace {

constexpr std::size_t buffer_bytes = 32 * 1024;
constexpr unsigned buffer_count = 64;

class Floor : private FloorProtocol<Floor> {
 public:
  Floor(std::uint16_t port, const std::string& static_dir);
  [[noreturn]] void run();

 private:
  friend FloorProtocol;

  enum class Operation : std::uint8_t { none, accept, receive, send, writable };
  /// A send of this turn, looked at again when the kernel has had it.
  struct Sent {
    std::array<iovec, 2> parts;
    msghdr message;
    int fd;
    int result;
  };

  void open_ring();
  io_uring_sqe& entry(Operation operation, std::size_t what);
  void give_back(unsigned id);

  void handle(const io_uring_cqe& report);
  void finish_sends();
  void on_received(int fd, const io_uring_cqe& report);
  void on_bytes(int fd, char* data, std::size_t size);
  void on_writable(int fd);
  void receive(int fd);
  void close_connection(int fd);

  void send_all(int fd, std::string_view data) { send_both(fd, data, {}); }
  void send_echo(int fd, std::string_view body) {
    send_both(fd, lasting(BinaryHead(body.size()).text()), body);
  }
  void send_both(int fd, std::string_view first, std::string_view second);
  void send_static(int fd);
  void keep(int fd, std::string_view unsent, std::size_t file_left);
  std::string_view lasting(std::string_view text) { return kept_.emplace_back(text); }

  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* buffers_ = nullptr;
  int listener_ = -1;
  std::deque<Sent> sent_;
  std::size_t sent_count_ = 0;
  std::deque<std::string> kept_;    // until the turn's sends are out
  std::vector<unsigned> returned_;  // buffers, the same
};

Floor::Floor(std::uint16_t port, const std::string& static_dir)
    : FloorProtocol(static_dir), listener_(listen_on(port, 0)) {
  open_ring();
  ::io_uring_prep_multishot_accept(&entry(Operation::accept, 0), listener_, nullptr, nullptr,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
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
      open_slot(report.res);
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

}  // namespace
}  // namespace bench_floor

int main(int argc, char** argv) {
  return bench_floor::run_floor<bench_floor::Floor>("bench_floor_uring", argc, argv);
}
