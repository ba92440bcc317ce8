// SPDX-License-Identifier: Apache-2.0
#include "loop/uring_engine.hpp"

#include "loop/loop_core.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace squall::loop {
namespace {

// A finished send is noticed with the next report; its block is not kept for longer than this.
constexpr int unnoticed_send_ms = 50;

}  // namespace

std::unique_ptr<UringEngine> UringEngine::make(LoopCore& core, std::string& why) {
  // Blocking, because a ring gives up on a non-blocking read instead of waiting for it.
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC));
  if (!wake) {
    why = std::string("no eventfd: ") + std::strerror(errno);
    return nullptr;
  }
  std::unique_ptr<UringRing> ring = UringRing::make(why);
  if (!ring) return nullptr;
  return std::unique_ptr<UringEngine>(new UringEngine(core, std::move(ring), std::move(wake)));
}

UringEngine::UringEngine(LoopCore& core, std::unique_ptr<UringRing> ring, UniqueFd wake)
    : core_(core), ring_(std::move(ring)), wake_(std::move(wake)) {
  await_wake();
}

UringEngine::~UringEngine() { shut_down(); }

// --- Slots
// ----------------------------------------------------------------------------------------

std::uint32_t UringEngine::take_slot(Pollable& owner) {
  if (free_slots_.empty()) {
    slots_.add();
    // So that giving back and unsettling never allocate.
    if (free_slots_.capacity() < slots_.size()) {
      free_slots_.reserve(2 * slots_.size());
      unsettled_.reserve(2 * slots_.size());
    }
    free_slots_.push_back(slots_.size() - 1);
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  slots_[index].owner = &owner;
  return index;
}

void UringEngine::free_if_done(std::uint32_t index) noexcept {
  Slot& slot = slots_[index];
  if (slot.owner != nullptr || slot.receiving || slot.polling || slot.sending) return;
  // It may still be in unsettled_ or starved_: the next owner is found there instead.
  const bool unsettled = slot.unsettled;
  const bool starved = slot.starved;
  const std::uint32_t generation = slot.generation + 1;
  slot = Slot();
  slot.unsettled = unsettled;
  slot.starved = starved;
  slot.generation = generation;
  free_slots_.push_back(index);
}

std::error_code UringEngine::attach(Stream& stream) noexcept {
  if (!stream.is_socket_) {
    // A ring would read them, though nothing tells when they have grown; epoll refuses them too.
    struct stat status {};
    if (::fstat(stream.fd, &status) != 0) return {errno, std::generic_category()};
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
      return std::make_error_code(std::errc::operation_not_permitted);
    }
  }
  try {
    stream.interest_ = take_slot(stream);
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
  unsettle(index_of(stream));
  return {};
}

void UringEngine::update_receiving(Stream& stream) noexcept { unsettle(index_of(stream)); }

// The entries leave in this order: the operations end while the descriptor is open. One that was
// closed under a receive would never be reported, and its connection would stay.
void UringEngine::detach(Stream& stream) noexcept {
  const std::uint32_t index = index_of(stream);
  if (slots_[index].receiving) end_receive(index);
  end_poll(index);
  if (!is_usable()) {
    ::close(stream.fd);
  } else {
    io_uring_sqe& entry = ring_->next_sqe();
    ::io_uring_prep_close(&entry, stream.fd);
    entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
    entry.user_data = 0;
  }
  stream.fd = -1;
  Slot& slot = slots_[index];
  if (slot.sending) {
    slot.closing = true;
    follow_up_ = true;
  } else {
    stream.output_.clear(core_.blocks());
    slot.owner = nullptr;
    free_if_done(index);
    core_.release(stream);
  }
  // No turn will end soon whose submission would carry this.
  if (!core_.is_running()) flush();
}

std::error_code UringEngine::start(Pollable& owner, std::uint32_t& engine_data) noexcept {
  struct stat status {};
  if (::fstat(owner.fd, &status) != 0) return {errno, std::generic_category()};
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
    return std::make_error_code(std::errc::operation_not_permitted);
  }
  try {
    const std::uint32_t index = take_slot(owner);
    engine_data = index + 1;
    unsettle(index);
    return {};
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
}

// Who stops closes the descriptor next, and its port or address is to be free then: the ring's hold
// on it ends here and not with the turn.
void UringEngine::stop(std::uint32_t& engine_data) noexcept {
  if (engine_data == 0) return;
  const std::uint32_t index = std::exchange(engine_data, 0) - 1;
  Slot& slot = slots_[index];
  slot.owner = nullptr;
  const bool busy = slot.polling;
  end_poll(index);
  free_if_done(index);
  if (busy && is_usable()) ring_->submit();
}

std::error_code UringEngine::start_accepting(Acceptor& acceptor) noexcept {
  return start(acceptor, acceptor.engine_data);
}

void UringEngine::stop_accepting(Acceptor& acceptor) noexcept { stop(acceptor.engine_data); }

std::error_code UringEngine::start_watching(Watch& watch) noexcept {
  return start(watch, watch.engine_data);
}

void UringEngine::update_watching(Watch& watch) noexcept {
  if (watch.engine_data != 0) unsettle(watch.engine_data - 1);
}

void UringEngine::stop_watching(Watch& watch) noexcept { stop(watch.engine_data); }

// --- Beginning and ending operations
// --------------------------------------------------------------

void UringEngine::unsettle(std::uint32_t index) noexcept {
  if (slots_[index].unsettled) return;
  slots_[index].unsettled = true;
  unsettled_.push_back(index);
}

// At the end of a turn, so that what was begun and taken back within it costs nothing.
void UringEngine::settle_all() noexcept {
  for (const std::uint32_t index : unsettled_) {
    slots_[index].unsettled = false;
    settle(index);
  }
  unsettled_.clear();
  // A receive without a buffer to go to fails at once: no more of them than there are buffers.
  for (unsigned i = ring_->free_buffers(); i > 0 && !starved_.empty(); --i) {
    const std::uint32_t index = starved_.front();
    starved_.pop_front();
    slots_[index].starved = false;
    settle(index);
  }
}

void UringEngine::settle(std::uint32_t index) noexcept {
  const Slot& slot = slots_[index];
  if (slot.owner == nullptr || slot.closing) return;
  switch (slot.owner->kind) {
    case Pollable::Kind::stream:
      settle_stream(index, static_cast<Stream&>(*slot.owner));
      break;
    case Pollable::Kind::acceptor:
      settle_poll(index, true, {POLLIN, false});
      break;
    case Pollable::Kind::watch: {
      const unsigned wanted = static_cast<const Watch&>(*slot.owner).interest;
      const int events = ((wanted & Watch::readable) != 0 ? POLLIN | POLLRDHUP : 0) |
                         ((wanted & Watch::writable) != 0 ? POLLOUT : 0);
      settle_poll(index, true, {static_cast<std::uint16_t>(events), slot.edge});
      break;
    }
  }
}

void UringEngine::settle_stream(std::uint32_t index, Stream& stream) noexcept {
  const Slot& slot = slots_[index];
  const bool receive = stream.is_socket_ && stream.receiving_;
  if (receive && !slot.receiving && !slot.starved) begin_receive(index, stream.fd);
  // Where a receive is pending it tells all; a paused one goes on until something arrives.
  int events = 0;
  bool needed = stream.blocked_;
  if (stream.blocked_) events |= POLLOUT;
  const bool left = stream.eof_ || stream.peer_left_told_;
  if (!stream.is_socket_) {
    needed = true;
    if (stream.receiving_) events |= POLLIN;
  } else if (!receive && !slot.receiving) {
    needed = true;
    if (!left) events |= POLLRDHUP;
  }
  // Every poll reports a peer that left, asked or not: a plain one would report nothing else.
  const bool edge = left && (stream.is_socket_ || !stream.receiving_);
  settle_poll(index, needed, {static_cast<std::uint16_t>(events), edge});
}

void UringEngine::settle_poll(std::uint32_t index, bool wanted, Interest interest) noexcept {
  const Slot& slot = slots_[index];
  if (!slot.polling) {
    if (wanted) begin_poll(index, slot.owner->fd, interest);
  } else if (!wanted || slot.polled != interest.events || slot.polled_edge != interest.edge) {
    end_poll(index);  // its last report unsettles the slot again
  }
}

void UringEngine::begin_receive(std::uint32_t index, int fd) noexcept {
  io_uring_sqe& entry = ring_->next_sqe();
  ::io_uring_prep_recv_multishot(&entry, fd, nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = UringRing::buffer_group;
  entry.user_data = name_of(Operation::receive, index);
  slots_[index].receiving = true;
  ++in_hand_;
}

void UringEngine::begin_poll(std::uint32_t index, int fd, Interest interest) noexcept {
  io_uring_sqe& entry = ring_->next_sqe();
  if (interest.edge) {
    ::io_uring_prep_poll_multishot(&entry, fd, interest.events);
  } else {
    ::io_uring_prep_poll_add(&entry, fd, interest.events);
  }
  entry.user_data = name_of(Operation::poll, index);
  Slot& slot = slots_[index];
  slot.polling = true;
  slot.polled = interest.events;
  slot.polled_edge = interest.edge;
  ++in_hand_;
}

void UringEngine::end_receive(std::uint32_t index) noexcept {
  if (slots_[index].ending_receive) return;
  slots_[index].ending_receive = true;
  cancel(name_of(Operation::receive, index));
}

void UringEngine::end_poll(std::uint32_t index) noexcept {
  if (!slots_[index].polling || slots_[index].ending_poll) return;
  slots_[index].ending_poll = true;
  cancel(name_of(Operation::poll, index));
}

void UringEngine::cancel(std::uint64_t operation) noexcept {
  if (!is_usable()) return;
  io_uring_sqe& entry = ring_->next_sqe();
  ::io_uring_prep_cancel64(&entry, operation, 0);
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry.user_data = 0;
}

void UringEngine::await_wake() noexcept {
  io_uring_sqe& entry = ring_->next_sqe();
  ::io_uring_prep_read(&entry, wake_.get(), &wake_count_, sizeof wake_count_, 0);
  entry.user_data = static_cast<std::uint64_t>(Operation::wake);
  ++in_hand_;
}

void UringEngine::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

// --- Waiting
// --------------------------------------------------------------------------------------

bool UringEngine::wait(int timeout_ms, void (*woke)(void*), void* context) noexcept {
  settle_all();
  if (follow_up_) {
    timeout_ms = 0;
  } else if (first_send_ < sends_.size() && (timeout_ms < 0 || timeout_ms > unnoticed_send_ms)) {
    timeout_ms = unnoticed_send_ms;
  }
  follow_up_ = false;
  ring_->submit_and_wait(timeout_ms);
  woke(context);
  if (ring_->is_all_consumed()) scratch_used_ = 0;
  finish_sends();
  return handle_all();
}

void UringEngine::flush() noexcept {
  if (!is_usable()) return;
  // What a finished send leads to, a close, is to go out as well.
  for (int i = 0; i < 3; ++i) {
    ring_->submit();
    finish_sends();
    if (ring_->is_all_consumed()) break;
  }
}

void UringEngine::shut_down() noexcept {
  if (ended_) return;
  ended_ = true;
  if (!ring_->is_ours()) return;
  constexpr int attempts = 100;
  for (int i = 0; i < attempts && (in_hand_ > 0 || first_send_ < sends_.size()); ++i) {
    io_uring_sqe& entry = ring_->next_sqe();
    ::io_uring_prep_cancel64(&entry, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    entry.user_data = 0;
    ring_->submit_and_wait(10);
    finish_sends();
    handle_all();
  }
  if (in_hand_ > 0) ring_->abandon_buffers();
}

}  // namespace squall::loop
