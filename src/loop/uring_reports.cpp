// SPDX-License-Identifier: Apache-2.0
//
// The part of UringEngine that reads what the kernel reports.
#include "base/logging.hpp"
#include "loop/loop_core.hpp"
#include "loop/uring_engine.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace squall::loop {
namespace {

bool goes_on(const io_uring_cqe& report) noexcept {
  return (report.flags & IORING_CQE_F_MORE) != 0;
}

}  // namespace

void UringEngine::drop(Stream& stream, const std::exception& error) noexcept {
  log::format(log::Level::error, "loop", "a connection is dropped: {}", error.what());
  stream.broke(std::make_error_code(std::errc::io_error));
}

/// What was there at the start: what comes meanwhile, the next wait() reports. False when there was
/// nothing.
bool UringEngine::handle_all() noexcept {
  const io_uring_cq& queue = ring_->raw().cq;
  unsigned head = *queue.khead;
  const unsigned tail = io_uring_smp_load_acquire(queue.ktail);
  const bool is_any = head != tail;
  while (head != tail) {
    const io_uring_cqe& place = queue.cqes[head & queue.ring_mask];
    io_uring_cqe report{};
    report.user_data = place.user_data;
    report.res = place.res;
    report.flags = place.flags;
    // Its place is free before it is handled, which may submit and so bring new ones.
    io_uring_smp_store_release(queue.khead, ++head);
    handle(report);
  }
  return is_any;
}

void UringEngine::handle(const io_uring_cqe& report) noexcept {
  const std::uint32_t index = slot_of(report);
  switch (operation_of(report)) {
    case Operation::receive:
      if (is_current(report)) received(index, report);
      break;
    case Operation::poll:
      if (is_current(report)) polled(index, report);
      break;
    case Operation::wake:
      --in_hand_;
      if (!ended_) await_wake();
      break;
    case Operation::none:  // a cancellation that came too late
    case Operation::send:  // seen by note_failed_sends()
      break;
  }
}

void UringEngine::received(std::uint32_t index, const io_uring_cqe& report) noexcept {
  const bool more = goes_on(report);
  Slot& slot = slots_[index];
  if (!more) {
    --in_hand_;
    slot.receiving = false;
    slot.ending_receive = false;
    if (slot.owner != nullptr) unsettle(index);
  }
  auto* const stream = slot.owner != nullptr && !slot.closing && !ended_
                           ? static_cast<Stream*>(slot.owner)
                           : nullptr;
  const bool paused = stream != nullptr && !stream->receiving_;
  if ((report.flags & IORING_CQE_F_BUFFER) != 0) {
    const unsigned id = report.flags >> IORING_CQE_BUFFER_SHIFT;
    const std::span<char> bytes =
        ring_->received(id, report.res > 0 ? static_cast<std::size_t>(report.res) : 0);
    if (stream != nullptr && !bytes.empty()) {
      guarded(*stream, [&] { stream->received(bytes); });
    }
    ring_->give_back(id);
  }
  if (stream == nullptr) {
    free_if_done(index);
    return;
  }
  if (report.res > 0) {
    // A paused stream keeps what came, in memory: it must not become much.
    if (paused && more && !stream->is_closed()) end_receive(index);
  } else if (report.res == 0) {
    if (paused) stream->peer_left();
    if (!stream->is_closed()) guarded(*stream, [&] { stream->received_eof(); });
  } else {
    receive_failed(index, *stream, -report.res);
  }
}

void UringEngine::receive_failed(std::uint32_t index, Stream& stream, int error) noexcept {
  switch (error) {
    case ENOBUFS:
      // Trying again at once would fail at once, for as long as there is no buffer.
      if (!slots_[index].starved) {
        slots_[index].starved = true;
        starved_.push_back(index);
      }
      break;
    case ECANCELED:
    case EINTR:
    case EAGAIN:
      break;  // begun again where it is still wanted
    default:
      stream.broke({error, std::generic_category()});
  }
}

void UringEngine::polled(std::uint32_t index, const io_uring_cqe& report) noexcept {
  Slot& slot = slots_[index];
  if (!goes_on(report)) {
    --in_hand_;
    slot.polling = false;
    slot.ending_poll = false;
    if (slot.owner != nullptr) unsettle(index);
  }
  if (slot.owner == nullptr || slot.closing || ended_) {
    free_if_done(index);
    return;
  }
  if (slot.owner->kind != Pollable::Kind::stream) {
    if (report.res <= 0) return;
    if (slot.owner->kind == Pollable::Kind::acceptor) {
      accept(static_cast<Acceptor&>(*slot.owner));
    } else {
      watch_ready(index, static_cast<Watch&>(*slot.owner), static_cast<unsigned>(report.res));
    }
    return;
  }
  auto& stream = static_cast<Stream&>(*slot.owner);
  if (report.res > 0) {
    guarded(stream, [&] { stream_ready(stream, static_cast<unsigned>(report.res)); });
  } else if (report.res != -ECANCELED && report.res != 0) {
    stream.broke({-report.res, std::generic_category()});
  }
}

void UringEngine::accept(Acceptor& acceptor) noexcept {
  if (const std::error_code error = acceptor.accept_waiting()) {
    stop_accepting(acceptor);
    acceptor.on_accept_failed(error);
  }
}

void UringEngine::stream_ready(Stream& stream, unsigned events) {
  // A pipe whose writer is gone hangs up, and a read tells that as its end.
  const bool readable = (events & (POLLIN | POLLHUP)) != 0;
  if (stream.receiving_) {  // a socket's pending receive tells more than a poll
    if (!stream.is_socket_ && readable) {
      read_pipe(stream);
    } else if (!stream.is_socket_ && (events & POLLERR) != 0) {
      stream.broke(std::make_error_code(std::errc::broken_pipe));
    }
  } else if ((events & (POLLERR | POLLHUP)) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    if (stream.is_socket_) ::getsockopt(stream.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0 || (events & POLLERR) != 0) {
      if (error == 0) error = stream.is_socket_ ? ECONNRESET : EPIPE;
      stream.broke({error, std::generic_category()});
    } else if (!stream.eof_) {  // ended in order, though there may be input left in the kernel
      stream.peer_left();
    }
  } else if ((events & POLLRDHUP) != 0) {
    stream.peer_left();
  }
  if (!stream.is_closed() && (events & POLLOUT) != 0 && stream.blocked_) {
    stream.unblocked();
    unsettle(index_of(stream));
    send(stream);
  }
}

void UringEngine::read_pipe(Stream& stream) {
  const std::span<char> buffer = core_.receive_buffer();
  ssize_t got;
  do {
    got = ::read(stream.fd, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    stream.received(buffer.first(static_cast<std::size_t>(got)));
  } else if (got == 0) {
    stream.received_eof();
  } else if (errno != EAGAIN) {
    stream.broke({errno, std::generic_category()});
  }
}

void UringEngine::watch_ready(std::uint32_t index, Watch& watch, unsigned events) noexcept {
  const bool broken = (events & (POLLERR | POLLHUP)) != 0;
  const unsigned ready = (broken || (events & (POLLIN | POLLRDHUP)) != 0 ? Watch::readable : 0U) |
                         (broken || (events & POLLOUT) != 0 ? Watch::writable : 0U);
  Slot& slot = slots_[index];
  if (!broken && (ready & watch.interest) == 0) {
    // A peer that left is always reported: from now on only changes are.
    slot.edge = true;
    return;
  }
  // As long as it is ready it is to be told again: an edge poll has to begin anew for that.
  if (slot.polling) end_poll(index);
  watch.on_ready(ready);
}

}  // namespace squall::loop
