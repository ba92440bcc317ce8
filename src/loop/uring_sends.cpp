// SPDX-License-Identifier: Apache-2.0
//
// The part of UringEngine that sends.
#include "loop/loop_core.hpp"
#include "loop/output_sender.hpp"
#include "loop/uring_engine.hpp"

#include <cerrno>
#include <cstring>
#include <new>
#include <sys/socket.h>

namespace squall::loop {
namespace {

constexpr std::size_t gather_limit = 64;
// What is larger gains nothing from waiting for the turn's end: copying is the cost.
constexpr std::size_t queued_send_bytes = 64 * 1024;
constexpr std::size_t scratch_bytes = 16 * 1024;

}  // namespace

void UringEngine::send(Stream& stream) noexcept {
  if (stream.blocked_) return;
  if (slots_[index_of(stream)].sending) {
    expect_follow_up(stream);
  } else if (stream.output_.is_empty()) {
    stream.flushed();
  } else if (!queue_send(stream)) {
    send_directly(stream);
  }
}

/// False where plain calls do better: for pipes, files and much at once.
bool UringEngine::queue_send(Stream& stream) noexcept {
  const OutputQueue& output = stream.output_;
  if (!stream.is_socket_ || output.size() > queued_send_bytes) return false;
  iovec parts[gather_limit];
  const std::size_t count = output.gather(parts, gather_limit);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += parts[i].iov_len;
  if (bytes < output.size() && count < gather_limit) return false;  // a file comes next
  msghdr* message = nullptr;
  if (count > 1) {
    message = static_cast<msghdr*>(scratch(sizeof(msghdr) + count * sizeof(iovec)));
    if (message == nullptr) return false;
    *message = {};
    message->msg_iov = reinterpret_cast<iovec*>(message + 1);
    message->msg_iovlen = count;
    std::memcpy(message->msg_iov, parts, count * sizeof(iovec));
  }
  Send send{index_of(stream), 0, static_cast<std::int32_t>(bytes),
            static_cast<std::int32_t>(bytes)};
  io_uring_sqe* const entry = ring_->try_next_sqe(send.position);
  if (entry == nullptr) return false;
  // Never left waiting in the kernel, so that a second one cannot overtake it; MSG_WAITALL makes it
  // a failure, which is reported, when not all was taken.
  constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
  if (message != nullptr) {
    ::io_uring_prep_sendmsg(entry, stream.fd, message, flags);
  } else {
    ::io_uring_prep_send(entry, stream.fd, parts[0].iov_base, parts[0].iov_len, flags);
  }
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = name_of_next_send();
  slots_[send.slot].sending = true;
  sends_.push_back(send);
  if (bytes < output.size()) follow_up_ = true;
  expect_follow_up(stream);
  return true;
}

/// Memory that lasts until the kernel has taken what is queued now; nullptr when there is none.
void* UringEngine::scratch(std::size_t bytes) {
  const std::size_t chunk = scratch_used_ / scratch_bytes;
  const std::size_t left = scratch_bytes - scratch_used_ % scratch_bytes;
  if (bytes > left) {
    scratch_used_ += left;
    return scratch(bytes);
  }
  if (chunk == scratch_.size()) {
    char* const memory = new (std::nothrow) char[scratch_bytes];
    if (memory == nullptr) return nullptr;
    scratch_.emplace_back(memory);
  }
  void* const place = scratch_[chunk].get() + scratch_used_ % scratch_bytes;
  scratch_used_ += bytes;
  return place;
}

void UringEngine::send_directly(Stream& stream) noexcept {
  std::error_code error;
  switch (send_output(stream, error)) {
    case SendOutcome::all_sent:
      stream.flushed();
      break;
    case SendOutcome::share_used:
      stream.schedule_flush();
      break;
    case SendOutcome::blocked:
      stream.blocked();
      unsettle(index_of(stream));
      break;
    case SendOutcome::reading:
      break;
    case SendOutcome::broken:
      stream.broke(error);
      break;
  }
}

/// Sees to it that the next wait does not sleep where flushed() has something to do.
void UringEngine::expect_follow_up(const Stream& stream) noexcept {
  follow_up_ = follow_up_ || stream.state_ != Stream::State::open || stream.wants_drain_ ||
               stream.shut_wanted_ ||
               (stream.filter_ != nullptr && !stream.filter_->plain().is_empty());
}

/// Looks through the reports for sends before anything else is done with them.
void UringEngine::note_failed_sends() noexcept {
  const io_uring_cq& queue = ring_->raw().cq;
  const unsigned tail = io_uring_smp_load_acquire(queue.ktail);
  for (unsigned head = *queue.khead; head != tail; ++head) {
    io_uring_cqe& report = queue.cqes[head & queue.ring_mask];
    if (Send* const send = send_of(report)) send->result = report.res;
  }
}

void UringEngine::finish_sends() noexcept {
  if (first_send_ == sends_.size()) return;
  // A failure may be among the reports that found no room.
  const bool overflow = ::io_uring_cq_has_overflow(&ring_->raw());
  note_failed_sends();
  if (overflow) {
    follow_up_ = true;
    return;
  }
  while (first_send_ < sends_.size() && ring_->is_consumed(sends_[first_send_].position)) {
    const Send send = sends_[first_send_++];
    finish_send(send);
  }
  if (first_send_ < sends_.size()) {
    follow_up_ = true;
    return;
  }
  finished_sends_ += sends_.size();
  sends_.clear();
  first_send_ = 0;
}

void UringEngine::finish_send(const Send& send) noexcept {
  Slot& slot = slots_[send.slot];
  auto& stream = static_cast<Stream&>(*slot.owner);
  slot.sending = false;
  if (slot.closing) {
    stream.output_.clear(core_.blocks());
    slot.owner = nullptr;
    free_if_done(send.slot);
    core_.release(stream);
    return;
  }
  if (ended_) return;
  if (send.result > 0) {
    stream.output_.consume(core_.blocks(), static_cast<std::size_t>(send.result));
  }
  if (send.result == send.bytes) {
    if (stream.output_.is_empty()) {
      guarded(stream, [&] { stream.flushed(); });
    } else {
      stream.schedule_flush();
    }
  } else if (send.result >= 0 || send.result == -EAGAIN) {
    stream.blocked();
    unsettle(send.slot);
  } else if (send.result == -EINTR) {
    stream.schedule_flush();
  } else {
    stream.broke({-send.result, std::generic_category()});
  }
}

}  // namespace squall::loop
