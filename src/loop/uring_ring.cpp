// SPDX-License-Identifier: Apache-2.0
#include "loop/uring_ring.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace squall::loop {
namespace {

constexpr unsigned submission_entries = 512;
// Each receive may report many times in one wait.
constexpr unsigned completion_entries = 4096;
constexpr std::size_t buffer_ring_bytes = 4096;
static_assert(UringRing::buffer_count * sizeof(io_uring_buf) <= buffer_ring_bytes);

// From the cheapest way to run completions to the one that every kernel has. All but the last need
// IORING_SETUP_CQSIZE; without IORING_SETUP_SUBMIT_ALL a bad entry holds up those behind it.
constexpr unsigned sizes = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;
constexpr unsigned steps[] = {
    sizes | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    sizes | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN,
    sizes | IORING_SETUP_COOP_TASKRUN,
    IORING_SETUP_CQSIZE,
    0,
};

std::atomic<unsigned> forks{0};

void count_forks() noexcept {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { ++forks; });
  static_cast<void>(registered);
}

std::string failure(const char* what, int error) {
  return std::string(what) + ": " + std::strerror(error);
}

}  // namespace

UringRing::Calls UringRing::calls{&io_uring_queue_init_params, &io_uring_register_buf_ring};

std::unique_ptr<UringRing> UringRing::make(std::string& why) {
  count_forks();
  for (const unsigned flags : steps) {
    std::unique_ptr<UringRing> ring(new UringRing());
    why = ring->set_up(flags);
    if (why.empty()) return ring;
  }
  return nullptr;
}

/// Empty, or what failed.
std::string UringRing::set_up(unsigned flags) {
  if (const int error = open(flags)) return failure("no ring", error);
  ::io_uring_ring_dontfork(&ring_);
  if (const char* const missing = missing_operation()) {
    return std::string("the kernel lacks ") + missing;
  }
  if (const int error = add_buffers()) return failure("no provided buffers", error);
  if (const char* const failed = failed_trial()) return std::string("it gives ") + failed;
  ::io_uring_register_ring_fd(&ring_);  // saves a look-up at each call, where there is room
  return {};
}

UringRing::~UringRing() {
  if (open_ && is_ours()) {
    if (buffer_ring_ != nullptr) ::io_uring_unregister_buf_ring(&ring_, buffer_group);
    ::io_uring_queue_exit(&ring_);
  } else if (open_) {
    ::close(ring_.ring_fd);
  }
  if (memory_bytes_ != 0 && is_ours()) ::munmap(buffer_ring_, memory_bytes_);
}

bool UringRing::is_ours() const noexcept { return forks_ == forks.load(std::memory_order_relaxed); }

/// Zero or an errno; liburing returns its negative and leaves errno alone.
int UringRing::open(unsigned flags) noexcept {
  io_uring_params params{};
  params.flags = flags;
  params.cq_entries = completion_entries;
  ring_ = {};
  const int result = calls.init(submission_entries, &ring_, &params);
  if (result < 0) return -result;
  open_ = true;
  forks_ = forks.load();
  return 0;
}

const char* UringRing::missing_operation() noexcept {
  constexpr unsigned features = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |
                                IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP | IORING_FEAT_FAST_POLL;
  if ((ring_.features & features) != features) return "a feature of io_uring";
  io_uring_probe* const probe = ::io_uring_get_probe_ring(&ring_);
  if (probe == nullptr) return "IORING_REGISTER_PROBE";
  const char* missing = nullptr;
  for (const int operation : {IORING_OP_ASYNC_CANCEL, IORING_OP_CLOSE, IORING_OP_POLL_ADD,
                              IORING_OP_READ, IORING_OP_RECV, IORING_OP_SEND, IORING_OP_SENDMSG}) {
    if (!::io_uring_opcode_supported(probe, operation)) missing = "an operation of io_uring";
  }
  ::io_uring_free_probe(probe);
  return missing;
}

int UringRing::add_buffers() noexcept {
  constexpr std::size_t bytes = buffer_ring_bytes + buffer_count * buffer_bytes;
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  memory_bytes_ = bytes;
  buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
  buffers_ = static_cast<char*>(memory) + buffer_ring_bytes;
  // The kernel holds on to these pages; a child of fork() must not make the parent's a copy.
  ::madvise(memory, bytes, MADV_DONTFORK);
  io_uring_buf_reg description{};
  description.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_);
  description.ring_entries = buffer_count;
  description.bgid = buffer_group;
  const int result = calls.register_buffers(&ring_, &description, 0);
  if (result < 0) {
    ::munmap(memory, bytes);
    memory_bytes_ = 0;
    buffer_ring_ = nullptr;
    return -result;
  }
  ::io_uring_buf_ring_init(buffer_ring_);
  for (unsigned id = 0; id < buffer_count; ++id) give_back(id);
  return 0;
}

std::span<char> UringRing::received(unsigned id, std::size_t bytes) noexcept {
  --free_buffers_;
  return {buffers_ + id * buffer_bytes, bytes};
}

void UringRing::give_back(unsigned id) noexcept {
  ::io_uring_buf_ring_add(buffer_ring_, buffers_ + id * buffer_bytes, buffer_bytes,
                          static_cast<unsigned short>(id), ::io_uring_buf_ring_mask(buffer_count),
                          0);
  ::io_uring_buf_ring_advance(buffer_ring_, 1);
  ++free_buffers_;
}

io_uring_sqe* UringRing::try_next_sqe(std::uint32_t& position) noexcept {
  if (!backlog_.empty()) return nullptr;
  io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
  if (entry == nullptr) {
    ::io_uring_submit(&ring_);
    entry = ::io_uring_get_sqe(&ring_);
  }
  position = ring_.sq.sqe_tail - 1;
  return entry;
}

io_uring_sqe& UringRing::next_sqe() noexcept {
  std::uint32_t position = 0;
  if (io_uring_sqe* const entry = try_next_sqe(position)) return *entry;
  return backlog_.emplace_back();
}

void UringRing::submit_backlog() noexcept {
  while (!backlog_.empty()) {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
      ::io_uring_submit(&ring_);
      entry = ::io_uring_get_sqe(&ring_);
      if (entry == nullptr) return;
    }
    *entry = backlog_.front();
    backlog_.pop_front();
  }
}

bool UringRing::is_consumed(std::uint32_t position) const noexcept {
  const std::uint32_t head = io_uring_smp_load_acquire(ring_.sq.khead);
  return static_cast<std::int32_t>(head - position) > 0;
}

bool UringRing::is_all_consumed() const noexcept {
  return backlog_.empty() && is_consumed(ring_.sq.sqe_tail - 1);
}

void UringRing::submit() noexcept {
  submit_backlog();
  ::io_uring_submit_and_get_events(&ring_);
}

// An error here (the time is up, a signal, no memory) leaves the entries for the next call.
void UringRing::submit_and_wait(int timeout_ms) noexcept {
  if (timeout_ms == 0) return submit();
  // Without a limit liburing would go on waiting by itself after a signal that came just as it
  // submitted; ThreadSanitizer runs the signal's handler only outside of it.
  constexpr int for_long_ms = 3'600'000;
  if (timeout_ms < 0) timeout_ms = for_long_ms;
  submit_backlog();
  __kernel_timespec span{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000LL};
  io_uring_cqe* first = nullptr;
  ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &span, nullptr);
}

// --- The trial
// ------------------------------------------------------------------------------------

bool UringRing::next_report(io_uring_cqe& report, int timeout_ms) noexcept {
  submit_and_wait(timeout_ms);
  io_uring_cqe* first = nullptr;
  if (::io_uring_peek_cqe(&ring_, &first) != 0) return false;
  report = *first;
  ::io_uring_cqe_seen(&ring_, first);
  return true;
}

// Version numbers tell little: distributions carry fixes back, sandboxes refuse single calls.
const char* UringRing::failed_trial() noexcept {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return "no sockets";
  }
  const UniqueFd end(ends[0]);
  const UniqueFd peer(ends[1]);
  if (const char* const failed = failed_receiving(end, peer)) return failed;
  return failed_sending(end, peer);
}

const char* UringRing::failed_receiving(const UniqueFd& end, const UniqueFd& peer) noexcept {
  constexpr int patience_ms = 1000;
  constexpr std::uint64_t receive = 1;
  io_uring_sqe& entry = next_sqe();
  ::io_uring_prep_recv_multishot(&entry, end.get(), nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = buffer_group;
  entry.user_data = receive;
  submit();
  io_uring_cqe report{};
  for (int i = 0; i < 2; ++i) {
    if (::write(peer.get(), "x", 1) != 1) return "no write";
    if (!next_report(report, patience_ms)) return "a receive that never ends";
    constexpr unsigned expected = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
    if (report.res != 1 || (report.flags & expected) != expected) return "no multishot receive";
    const unsigned id = report.flags >> IORING_CQE_BUFFER_SHIFT;
    const bool right = received(id, 1)[0] == 'x';
    give_back(id);
    if (!right) return "a receive into another buffer";
  }
  io_uring_sqe& cancel = next_sqe();
  ::io_uring_prep_cancel64(&cancel, receive, 0);
  cancel.flags |= IOSQE_CQE_SKIP_SUCCESS;
  if (!next_report(report, patience_ms)) return "a receive that cannot be cancelled";
  return report.res == -ECANCELED && (report.flags & IORING_CQE_F_MORE) == 0
             ? nullptr
             : "a receive that goes on when cancelled";
}

// The engine counts a send as done when the kernel has taken it and reports no failure.
const char* UringRing::failed_sending(const UniqueFd& end, const UniqueFd& peer) noexcept {
  char byte = 'y';
  const auto send = [&](io_uring_cqe& report) noexcept {
    io_uring_sqe& entry = next_sqe();
    ::io_uring_prep_send(&entry, end.get(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
    entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
    return next_report(report, 0);
  };
  io_uring_cqe report{};
  if (send(report)) return "a report of a send that asked for none";
  char got = 0;
  if (::read(peer.get(), &got, 1) != 1 || got != 'y') return "a send that was not done at once";
  char block[4096] = {};
  while (::send(end.get(), block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) continue;
  while (::send(end.get(), block, 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) continue;
  return send(report) && report.res == -EAGAIN ? nullptr : "a send that waits";
}

}  // namespace squall::loop
