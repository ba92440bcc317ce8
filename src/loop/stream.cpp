// SPDX-License-Identifier: Apache-2.0
#include "loop/stream.hpp"

#include "loop/engine.hpp"
#include "loop/loop_core.hpp"
#include "loop/read_ahead.hpp"

#include <algorithm>
#include <fcntl.h>
#include <linux/sockios.h>
#include <new>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace squall::loop {
namespace {

// After the last answer: how long and how much is still read from a peer that goes on sending.
constexpr std::int64_t linger_ms = 5'000;
constexpr std::uint32_t linger_bytes = 64 * 1024 * 1024;
// Small pieces of held input are put together up to this.
constexpr std::size_t held_piece_bytes = 32 * 1024;
// A file whose first pages were in memory is not asked again for so long.
constexpr std::uint64_t residency_memory_ms = 1'000;

}  // namespace

Stream::Stream(LoopCore& core, int descriptor, StreamHandler& handler) noexcept
    : Pollable(Pollable::Kind::stream, descriptor), core_(core), handler_(&handler) {}

static_assert(sizeof(Stream) <= 72, "every connection has one, idle or not");

Stream& Stream::adopt(LoopCore& core, UniqueFd fd, StreamHandler& handler, Kind kind) {
  auto* const stream =
      ::new (detail::pool_allocate(sizeof(Stream))) Stream(core, fd.get(), handler);
  if (kind == Kind::pipe) {
    stream->is_socket_ = false;
    stream->receiving_ = (::fcntl(fd.get(), F_GETFL) & O_ACCMODE) != O_WRONLY;
  }
  if (const std::error_code error = core.engine().attach(*stream)) {
    stream->~Stream();
    detail::pool_deallocate(stream, sizeof(Stream));
    throw std::system_error(error, "cannot watch a connection");
  }
  static_cast<void>(fd.release());
  core.opened();
  return *stream;
}

char* Stream::prepare(std::size_t bytes) { return output().prepare(core_.blocks(), bytes); }

void Stream::commit(std::size_t bytes) noexcept {
  output().commit(bytes);
  schedule_flush();
}

void Stream::write(std::string_view bytes) {
  output().write(core_.blocks(), bytes);
  schedule_flush();
}

void Stream::write_owned(std::string&& bytes) {
  output().write_owned(std::move(bytes));
  schedule_flush();
}

void Stream::write_shared(SharedBytes bytes) {
  output().write_shared(std::move(bytes));
  schedule_flush();
}

void Stream::write_file(SharedFile file, off_t offset, std::size_t bytes) {
  output().write_file(std::move(file), offset, bytes);
  schedule_flush();
}

void Stream::request_drain_notice() noexcept {
  wants_drain_ = true;
  schedule_flush();
}

void Stream::set_write_timeout(Duration timeout) noexcept {
  write_timeout_ms_ =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(timeout.milliseconds(), 1, 0xffff'ffff));
}

void Stream::pause_receiving() noexcept {
  if (!receiving_) return;
  receiving_ = false;
  if (state_ != State::closed) core_.engine().update_receiving(*this);
}

void Stream::resume_receiving() noexcept {
  if (receiving_ || eof_) return;
  receiving_ = true;
  if (state_ == State::closed) return;
  if (holds_input() || eof_held_) {
    schedule_flush();  // hands it out, then goes on receiving
  } else {
    core_.engine().update_receiving(*this);
  }
}

void Stream::set_deadline(Duration delay) noexcept {
  Busy& busy = this->busy();
  busy.deadline_ms =
      core_.now_ms() + static_cast<std::uint64_t>(std::max<std::int64_t>(delay.milliseconds(), 0));
  arm_timer(busy.deadline_ms);
}

// A timer that is due earlier looks again by itself.
void Stream::arm_timer(std::uint64_t at_ms) noexcept {
  Busy& busy = *busy_;
  if (busy.is_armed()) {
    if (busy.due_ms <= at_ms) return;
    core_.wheel().stop(busy);
  }
  busy.due_ms = at_ms;
  core_.wheel().start(busy);
}

void Stream::fire_timer(detail::TimerNode& node) noexcept {
  static_cast<Busy&>(node).stream.timer_fired();
}

void Stream::timer_fired() noexcept {
  Busy& busy = *busy_;
  const std::uint64_t now = core_.now_ms();
  if (now >= busy.stall_ms && !peer_took_something()) {
    broke(std::make_error_code(std::errc::timed_out));
    return;
  }
  if (now >= busy.deadline_ms) {
    busy.deadline_ms = no_deadline;
    if (handler_ == nullptr) {
      finish_close();
      return;
    }
    handler_->on_timeout();
    if (state_ == State::closed) return;
  }
  if (busy_ == nullptr) return;
  const std::uint64_t nearest = std::min(busy_->deadline_ms, busy_->stall_ms);
  if (nearest != no_deadline) {
    arm_timer(nearest);
  } else {
    trim();
  }
}

void Stream::trim() noexcept {
  if (busy_ == nullptr || state_ != State::open || blocked_) return;
  const bool has_deadline = std::min(busy_->deadline_ms, busy_->stall_ms) != no_deadline;
  if (has_deadline || holds_input() || is_reading()) return;
  if (busy_->is_armed()) core_.wheel().stop(*busy_);
  delete std::exchange(busy_, nullptr);
}

void Stream::schedule_flush() noexcept {
  if (flush_scheduled_ || state_ == State::closed) return;
  flush_scheduled_ = true;
  core_.flush_later(*this);
}

void Stream::close(Linger linger) noexcept {
  if (state_ != State::open) return;
  if (const std::uint32_t rate = handler_->min_write_rate()) busy().min_rate = rate;
  handler_ = nullptr;
  wants_drain_ = false;
  state_ = State::flushing;
  linger_ = linger != Linger::no && !eof_;
  peer_first_ = linger == Linger::peer_first;
  clear_deadline();
  if (linger_) {
    resume_receiving();
  } else {
    pause_receiving();
  }
  // The last answer has not been sent yet, even if nothing is pending now: the turn is not over.
  schedule_flush();
}

void Stream::abort() noexcept {
  if (state_ == State::closed) return;
  const ::linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  finish_close();
}

void Stream::deliver(std::span<char> bytes) {
  if (handler_ == nullptr) {
    busy().discarded += static_cast<std::uint32_t>(bytes.size());
    if (busy_->discarded > linger_bytes) finish_close();
  } else if (receiving_ && !holds_input()) [[likely]] {
    handler_->on_receive(bytes);
  } else {
    // With io_uring all receive buffers of the loop may be full of one peer's bytes.
    std::unique_ptr<Held>& held = busy().held;
    if (!held) held = std::make_unique<Held>();
    if (held->empty() || held->back().size() + bytes.size() > held_piece_bytes) {
      held->emplace_back(bytes.begin(), bytes.end());
    } else {
      held->back().insert(held->back().end(), bytes.begin(), bytes.end());
    }
  }
}

void Stream::received_eof() {
  if (filter_ == nullptr || handler_ == nullptr) {
    deliver_eof();
  } else {
    filter_->on_wire_eof();
  }
}

void Stream::deliver_eof() {
  if (eof_) return;
  if (handler_ != nullptr && (!receiving_ || holds_input())) {
    eof_held_ = true;
    return;
  }
  eof_ = true;
  pause_receiving();
  if (handler_ != nullptr) {
    handler_->on_eof();
  } else if (state_ == State::lingering) {
    finish_close();
  }
}

// A piece at a time, so that an owner who pauses again need not copy what it does not want yet.
void Stream::deliver_held() {
  while (holds_input()) {
    std::unique_ptr<Held>& held = busy_->held;
    std::vector<char> piece = std::move(held->front());
    held->pop_front();
    if (held->empty()) held.reset();
    if (!held || handler_ == nullptr) {
      deliver(piece);  // as if it came from the wire
    } else {
      handler_->on_receive(piece);
    }
    if (state_ == State::closed || !receiving_) return;
  }
  if (eof_held_) {
    eof_held_ = false;
    deliver_eof();
  } else {
    core_.engine().update_receiving(*this);
  }
}

void Stream::before_send() {
  if (receiving_ && (eof_held_ || holds_input())) {
    deliver_held();
    if (state_ == State::closed) return;
  }
  if (filter_) filter_->seal(output_);
}

void Stream::shutdown_write() noexcept {
  shut_wanted_ = true;
  schedule_flush();
}

void Stream::fail(std::error_code error) {
  if (state_ != State::open) return;
  StreamHandler* const handler = handler_;
  if (filter_) filter_->plain().clear(core_.blocks());
  end_sealed_ = true;
  close(Linger::yes);
  if (handler != nullptr) handler->on_broken(error);
}

// The kernel says that there is room only when a good part of its buffer is free. A peer that reads
// slowly but steadily is told from one that does not read by what is left in there.
bool Stream::peer_took_something() noexcept {
  int unread = 0;
  if (::ioctl(fd, is_socket_ ? SIOCOUTQ : FIONREAD, &unread) != 0) return false;
  const auto left = static_cast<std::uint32_t>(unread);
  Busy& busy = *busy_;
  if (left >= busy.unread) return false;
  const std::uint64_t rate = handler_ != nullptr ? handler_->min_write_rate() : busy.min_rate;
  // The last bytes of all may be fewer than what is asked for.
  if (left != 0 && busy.unread - left < rate * write_timeout_ms_ / 1000) return false;
  busy.unread = left;
  busy.stall_ms = core_.now_ms() + write_timeout_ms_;
  return true;
}

void Stream::peer_left() {
  if (peer_left_told_) return;
  peer_left_told_ = true;
  core_.engine().update_receiving(*this);
  if (handler_ != nullptr) handler_->on_peer_left();
}

void Stream::blocked() noexcept {
  blocked_ = true;
  int unread = 0;
  Busy& busy = this->busy();
  busy.unread = ::ioctl(fd, is_socket_ ? SIOCOUTQ : FIONREAD, &unread) == 0
                    ? static_cast<std::uint32_t>(unread)
                    : 0;
  busy.stall_ms = core_.now_ms() + write_timeout_ms_;
  arm_timer(busy.stall_ms);
}

void Stream::unblocked() noexcept {
  blocked_ = false;
  if (busy_ != nullptr) busy_->stall_ms = no_deadline;
}

void Stream::flushed() {
  if (filter_) {
    const bool more = !filter_->plain().is_empty();
    if (more && is_reading()) return;  // flushed again when the file is in memory
    if (more && filter_->is_ready()) {
      schedule_flush();
      return;
    }
    if (more && state_ == State::open) return;  // the handshake comes first
    if ((shut_wanted_ || state_ == State::flushing) && !end_sealed_) {
      end_sealed_ = true;
      if (filter_->is_ready()) filter_->seal_end(output_);
      schedule_flush();
      return;
    }
  }
  if (state_ == State::flushing) {
    if (!linger_ || eof_) {
      finish_close();
      return;
    }
    state_ = State::lingering;
    core_.began_to_linger();
    if (!peer_first_) ::shutdown(fd, SHUT_WR);
    set_deadline(Duration::from_milliseconds(linger_ms));
    return;
  }
  if (shut_wanted_) {
    shut_wanted_ = false;
    ::shutdown(fd, SHUT_WR);
  }
  if (wants_drain_) {
    wants_drain_ = false;
    handler_->on_drained();
  }
}

std::size_t Stream::ready_bytes(FileSegment& file, std::size_t wanted) noexcept {
  if (file.offset < file.ready_end) {
    return std::min(wanted, static_cast<std::size_t>(file.ready_end - file.offset));
  }
  if (is_reading()) return 0;
  const auto end = static_cast<std::size_t>(file.offset) + wanted;
  if (end <= file.file.known_resident(core_.now_ms())) return wanted;
  const std::size_t window = std::min(file.size, read_ahead_bytes);
  const std::size_t there = resident_bytes(file.file.get(), file.offset, window);
  if (there > 0) {
    file.ready_end = file.offset + static_cast<off_t>(there);
    if (file.offset == 0 && there == window) {
      file.file.note_resident(there, core_.now_ms() + residency_memory_ms);
    }
    return std::min(wanted, there);
  }
  try {
    ReadAhead::begin(*this, file.file.get(), file.offset, window);
    return 0;
  } catch (const std::exception&) {  // no memory for it; then the disk is waited for here
    file.ready_end = file.offset + static_cast<off_t>(window);
    return wanted;
  }
}

void Stream::broke(std::error_code error) {
  StreamHandler* const handler = handler_;
  finish_close();
  if (handler != nullptr) handler->on_broken(error);
}

void Stream::finish_close() noexcept {
  if (state_ == State::closed) return;
  if (state_ == State::lingering) core_.ended_to_linger();
  state_ = State::closed;
  handler_ = nullptr;
  if (is_reading()) std::exchange(busy_->reading, nullptr)->forget_stream();
  if (filter_) filter_->plain().clear(core_.blocks());
  if (busy_ != nullptr && busy_->is_armed()) core_.wheel().stop(*busy_);
  core_.engine().detach(*this);
}

}  // namespace squall::loop
