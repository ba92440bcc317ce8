// SPDX-License-Identifier: Apache-2.0
// A preloaded library that makes system calls of sockets, pipes and epoll fail or do less than
// asked, as a kernel may. Which and how often comes from the environment:
//
//   FAULTY_KINDS   of: short, again, interrupt (a correct program is not disturbed by these),
//                  reset, memory, descriptors (these break connections)
//   FAULTY_RATE    one call in so many; 5 by default
//   FAULTY_SEED    for the same choices again; 1 by default
//   FAULTY_REPORT  a file to append "kind count" lines to at exit
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef SQUALL_FAULTY_URING
#include <liburing.h>
#endif

namespace {

enum Kind : unsigned { short_count, again, interrupt, reset, memory, descriptors, kind_count };
constexpr const char* names[] = {"short", "again", "interrupt", "reset", "memory", "descriptors"};

struct State {
  State() {
    if (const char* text = std::getenv("FAULTY_RATE")) rate = std::strtoul(text, nullptr, 10);
    if (const char* text = std::getenv("FAULTY_SEED")) seed = std::strtoull(text, nullptr, 10);
    if (const char* text = std::getenv("FAULTY_KINDS")) {
      for (unsigned kind = 0; kind < kind_count; ++kind) {
        wanted[kind] = std::strstr(text, names[kind]) != nullptr;
      }
    }
  }
  ~State() {
    const char* const path = std::getenv("FAULTY_REPORT");
    if (path == nullptr) return;
    FILE* const file = std::fopen(path, "a");
    if (file == nullptr) return;
    for (unsigned kind = 0; kind < kind_count; ++kind) {
      std::fprintf(file, "%s %u\n", names[kind], counts[kind].load());
    }
    std::fclose(file);
  }

  std::atomic<std::uint64_t> seed{1};
  unsigned long rate = 5;
  bool wanted[kind_count] = {};
  std::atomic<unsigned> counts[kind_count] = {};
};

State& state() {
  static State one;
  return one;
}

std::uint64_t next_random() {
  std::uint64_t x = state().seed.fetch_add(0x9e3779b97f4a7c15ULL) + 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;  // splitmix64
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Whether this call is to suffer, and then from which of `allowed`; kind_count when from none.
Kind choose(std::initializer_list<Kind> allowed) {
  State& now = state();
  if (now.rate == 0 || next_random() % now.rate != 0) return kind_count;
  Kind possible[kind_count];
  std::size_t count = 0;
  for (const Kind kind : allowed) {
    if (now.wanted[kind]) possible[count++] = kind;
  }
  if (count == 0) return kind_count;
  const Kind chosen = possible[next_random() % count];
  ++now.counts[chosen];
  return chosen;
}

/// Sets errno for those that are failures.
bool fails(Kind kind) {
  switch (kind) {
    case again:
      errno = EAGAIN;
      return true;
    case interrupt:
      errno = EINTR;
      return true;
    case reset:
      errno = ECONNRESET;
      return true;
    case memory:
      errno = ENOMEM;
      return true;
    case descriptors:
      errno = EMFILE;
      return true;
    default:
      return false;
  }
}

// Socket pairs are left alone: with those an engine tries out whether io_uring works.
bool is_stream(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return false;
  if (S_ISFIFO(info.st_mode)) return true;
  if (!S_ISSOCK(info.st_mode)) return false;
  int type = 0;
  int domain = AF_UNIX;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
         ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

std::size_t fewer(std::size_t bytes) {
  return bytes <= 1 ? bytes : 1 + next_random() % (bytes - 1);
}

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}
#define REAL(name) static const auto real_##name = real<decltype(&::name)>(#name)

/// As many of the parts as make up `bytes`; the last one is cut.
int cut(const iovec* parts, int count, std::size_t bytes, iovec* out) {
  int used = 0;
  for (; used < count && bytes > 0; ++used) {
    out[used] = parts[used];
    if (out[used].iov_len > bytes) out[used].iov_len = bytes;
    bytes -= out[used].iov_len;
  }
  return used;
}

std::size_t total(const iovec* parts, std::size_t count) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += parts[i].iov_len;
  return bytes;
}

}  // namespace

extern "C" {

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  REAL(recv);
  if (!is_stream(fd)) return real_recv(fd, buffer, size, flags);
  const Kind kind = choose({short_count, again, interrupt, reset, memory});
  if (fails(kind)) return -1;
  return real_recv(fd, buffer, kind == short_count ? fewer(size < 64 ? size : 64) : size, flags);
}

ssize_t read(int fd, void* buffer, size_t size) {
  REAL(read);
  const int before = errno;
  if (!is_stream(fd)) {
    errno = before;
    return real_read(fd, buffer, size);
  }
  const Kind kind = choose({short_count, again, interrupt});
  if (fails(kind)) return -1;
  return real_read(fd, buffer, kind == short_count ? fewer(size < 64 ? size : 64) : size);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  REAL(send);
  if (!is_stream(fd)) return real_send(fd, bytes, size, flags);
  const Kind kind = choose({short_count, again, interrupt, reset, memory});
  if (fails(kind)) return -1;
  return real_send(fd, bytes, kind == short_count ? fewer(size) : size, flags);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  REAL(write);
  // Standard output and error and the loops' wake-ups are not connections.
  if (fd <= 2 || size <= 8 || !is_stream(fd)) return real_write(fd, bytes, size);
  const Kind kind = choose({short_count, again, interrupt});
  if (fails(kind)) return -1;
  return real_write(fd, bytes, kind == short_count ? fewer(size) : size);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  REAL(sendmsg);
  if (!is_stream(fd)) return real_sendmsg(fd, message, flags);
  const Kind kind = choose({short_count, again, interrupt, reset, memory});
  if (fails(kind)) return -1;
  if (kind != short_count || message->msg_iovlen > 64) return real_sendmsg(fd, message, flags);
  iovec parts[64];
  msghdr less = *message;
  less.msg_iov = parts;
  less.msg_iovlen =
      static_cast<std::size_t>(cut(message->msg_iov, static_cast<int>(message->msg_iovlen),
                                   fewer(total(message->msg_iov, message->msg_iovlen)), parts));
  return real_sendmsg(fd, &less, flags);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  REAL(writev);
  if (fd <= 2 || count > 64 || !is_stream(fd)) return real_writev(fd, parts, count);
  const Kind kind = choose({short_count, again, interrupt});
  if (fails(kind)) return -1;
  if (kind != short_count) return real_writev(fd, parts, count);
  iovec less[64];
  const int used = cut(parts, count, fewer(total(parts, static_cast<std::size_t>(count))), less);
  return real_writev(fd, less, used);
}

ssize_t sendfile(int to, int from, off_t* offset, size_t size) {
  REAL(sendfile);
  const Kind kind = choose({short_count, again, interrupt, reset, memory});
  if (fails(kind)) return -1;
  return real_sendfile(to, from, offset, kind == short_count ? fewer(size) : size);
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  REAL(accept4);
  if (fails(choose({again, interrupt, memory, descriptors}))) return -1;
  return real_accept4(fd, address, size, flags);
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  REAL(connect);
  if (fails(choose({reset}))) return -1;
  return real_connect(fd, address, size);
}

int epoll_wait(int fd, epoll_event* events, int count, int timeout) {
  REAL(epoll_wait);
  const Kind kind = choose({short_count, interrupt});
  if (fails(kind)) return -1;
  return real_epoll_wait(fd, events, kind == short_count ? 1 : count, timeout);
}

int epoll_ctl(int fd, int operation, int target, epoll_event* event) {
  REAL(epoll_ctl);
  if (operation == EPOLL_CTL_ADD && is_stream(target) && fails(choose({memory}))) return -1;
  return real_epoll_ctl(fd, operation, target, event);
}

#ifdef SQUALL_FAULTY_URING
// Completions cannot be forged, but operations can be made smaller before they are submitted.
static void shorten_sends(io_uring* ring) {
  const unsigned mask = *ring->sq.kring_mask;
  for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; ++i) {
    io_uring_sqe& operation = ring->sq.sqes[i & mask];
    if (operation.opcode != IORING_OP_SEND || operation.len < 2) continue;
    if (choose({short_count}) == short_count) {
      operation.len = static_cast<__u32>(fewer(operation.len));
      // The kernel reports a send that MSG_WAITALL could not finish, whatever was asked for.
      operation.msg_flags &= ~static_cast<__u32>(MSG_WAITALL);
      operation.flags &= static_cast<__u8>(~IOSQE_CQE_SKIP_SUCCESS);
    }
  }
}

int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** completion, unsigned count,
                                     __kernel_timespec* timeout, sigset_t* mask) {
  REAL(io_uring_submit_and_wait_timeout);
  shorten_sends(ring);
  if (choose({interrupt}) == interrupt) return -EINTR;
  return real_io_uring_submit_and_wait_timeout(ring, completion, count, timeout, mask);
}

int io_uring_submit(io_uring* ring) {
  REAL(io_uring_submit);
  shorten_sends(ring);
  return real_io_uring_submit(ring);
}
#endif

}  // extern "C"
