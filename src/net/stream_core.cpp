// SPDX-License-Identifier: Apache-2.0
#include "net/stream_core.hpp"

#include "base/logging.hpp"

#include <squall/base/error.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <fcntl.h>

namespace squall::net::detail {
namespace {

std::uint64_t milliseconds_or_none(Duration timeout) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(timeout.milliseconds(), 0));
}

}  // namespace

StreamCore::StreamCore(loop::LoopCore& loop) noexcept
    : ReadyNode([](ReadyNode& node) noexcept { static_cast<StreamCore&>(node).call_back(); }),
      loop_(loop) {}

StreamCore::~StreamCore() = default;

StreamCore* StreamCore::create(loop::LoopCore& loop, UniqueFd fd, Kind kind) {
  auto* const core = new StreamCore(loop);
  try {
    if (kind == Kind::pipe) {
      const int mode = ::fcntl(fd.get(), F_GETFL) & O_ACCMODE;
      core->is_socket_ = false;
      core->readable_ = mode != O_WRONLY;
      core->writable_ = mode != O_RDONLY;
    }
    core->stream_ = &loop::Stream::adopt(loop, std::move(fd), *core, kind);
  } catch (...) {
    core->release();
    throw;
  }
  core->last_activity_ms_ = loop.now_ms();
  return core;
}

StreamCore* StreamCore::take_over(loop::Stream& stream, TLSFilter* tls, std::string_view early) {
  auto* const core = new StreamCore(stream.core());
  stream.set_handler(*core);
  stream.clear_deadline();
  core->stream_ = &stream;
  core->tls_ = tls;
  core->tls_done_ = tls != nullptr;
  core->input_.preload(early);
  core->last_activity_ms_ = stream.core().now_ms();
  return core;
}

void StreamCore::abandon() noexcept {
  close(StreamError::closed);
  close_callback_ = nullptr;
  ReadyNode::unlink();
  release();
}

loop::Stream* StreamCore::hand_over(std::string& early) {
  if (reader_ != nullptr || writer_ != nullptr) {
    throw UsageError("a Stream is handed over while a coroutine waits for it");
  }
  if (stream_ == nullptr || eof_) return nullptr;
  early = input_.take(input_.size());
  loop::Stream* const stream = std::exchange(stream_, nullptr);
  tls_ = nullptr;
  stream->clear_deadline();
  stream->resume_receiving();
  become_over();
  return stream;
}

// Waits.

void StreamCore::begin_wait(StreamWait& wait) {
  StreamWait*& slot = slot_of(wait);
  if (slot != nullptr) {
    throw UsageError(
        "another coroutine waits for this Stream in the same direction: one read and one waiting "
        "write at a time");
  }
  slot = &wait;
  if (&slot == &writer_) {
    stream_->request_drain_notice();
    return;
  }
  stream_->resume_receiving();
  if (read_timeout_ms_ != 0) read_deadline_ms_ = loop_.now_ms() + read_timeout_ms_;
  if (read_timeout_ms_ != 0 || idle_timeout_ms_ != 0) set_timer();
}

void StreamCore::end_wait(StreamWait& wait) noexcept { vacate(slot_of(wait), {}); }

StreamWait& StreamCore::vacate(StreamWait*& slot, std::error_code error) noexcept {
  StreamWait& wait = *std::exchange(slot, nullptr);
  wait.in_slot_ = false;
  wait.StopNode::unlink();
  wait.error_ = error;
  if (wait.slot_ == StreamWait::Slot::reader) {
    static_cast<ReadWait&>(wait).settle();
    if (read_deadline_ms_ != never) {
      read_deadline_ms_ = never;
      set_timer();
    }
  }
  return wait;
}

void StreamCore::finish_now(StreamWait*& slot, std::error_code error) noexcept {
  if (slot != nullptr) vacate(slot, error).resume_.coroutine.resume();
}

void StreamCore::finish_later(StreamWait*& slot, std::error_code error) noexcept {
  if (slot != nullptr) loop_.make_ready(vacate(slot, error).resume_);
}

// What the loop reports. A coroutine that goes on in here may destroy its Stream, which is why each
// holds a reference.

void StreamCore::on_receive(std::span<char> bytes) {
  const Share self(this);
  last_activity_ms_ = loop_.now_ms();
  input_.arrive(bytes);
  if (reader_ != nullptr) {
    auto& read = static_cast<ReadWait&>(*reader_);
    if (try_read(read)) {
      finish_now(reader_, read.error_);
    } else if (read_timeout_ms_ != 0) {
      read_deadline_ms_ = loop_.now_ms() + read_timeout_ms_;
      set_timer();
    }
  }
  input_.keep();
  if (reader_ == nullptr && stream_ != nullptr && input_.size() >= read_ahead_) {
    stream_->pause_receiving();
  }
}

void StreamCore::on_eof() {
  const Share self(this);
  eof_ = true;
  become_over();
  // A pipe has no other direction for which it would have to stay open.
  if (!is_socket_ && !writable_) std::exchange(stream_, nullptr)->close();
  if (reader_ != nullptr) {
    auto& read = static_cast<ReadWait&>(*reader_);
    if (try_read(read)) finish_now(reader_, read.error_);
  }
}

void StreamCore::on_peer_left() { become_over(); }

void StreamCore::on_drained() {
  const Share self(this);
  last_activity_ms_ = loop_.now_ms();
  finish_now(writer_, {});
}

void StreamCore::on_timeout() {
  const Share self(this);
  const std::uint64_t now = loop_.now_ms();
  if (now >= read_deadline_ms_) finish_now(reader_, StreamError::read_timed_out);
  if (idle_timeout_ms_ != 0 && stream_ != nullptr) {
    if (stream_->pending_bytes() > 0) last_activity_ms_ = now;  // set_write_timeout() sees to that
    if (now >= last_activity_ms_ + idle_timeout_ms_) close(StreamError::idle_timed_out);
  }
  set_timer();
}

void StreamCore::on_broken(std::error_code error) {
  const Share self(this);
  stream_ = nullptr;
  reason_ = error;
  become_over();
  finish_now(writer_, error);
  if (reader_ != nullptr) {
    auto& read = static_cast<ReadWait&>(*reader_);
    if (try_read(read)) finish_now(reader_, read.error_);
  }
}

void StreamCore::become_over() noexcept {
  if (over_) return;
  over_ = true;
  over_waits_.grant_all();
  if (close_callback_) loop_.make_ready(*this);
}

void StreamCore::call_back() noexcept {
  const Share self(this);
  MoveOnlyFunction<void(std::error_code)> callback = std::move(close_callback_);
  if (!callback) return;
  try {
    callback(reason_);
  } catch (const std::exception& error) {
    log::format(log::Level::error, "net", "a close callback threw: {}", error.what());
  } catch (...) {
    log::write(log::Level::error, "net", "a close callback threw something unknown");
  }
}

void StreamCore::set_close_callback(MoveOnlyFunction<void(std::error_code)> callback) {
  close_callback_ = std::move(callback);
  if (over_ && close_callback_) loop_.make_ready(*this);
}

// TLS.

void StreamCore::start_tls(const TLSContext& context, const StartTLSOptions& options) {
  if (tls_ != nullptr) throw UsageError("start_tls(): this Stream has TLS already");
  if (reader_ != nullptr || writer_ != nullptr) {
    throw UsageError("start_tls() while another coroutine reads or waits to write");
  }
  if (!is_socket_) throw UsageError("start_tls() needs a socket, not a pipe");
  if (stream_ == nullptr) return;
  // It would be taken for a part of the encrypted conversation.
  if (input_.size() > 0) {
    close(StreamError::input_before_tls);
  } else if (context.is_server()) {
    tls_ = &TLSFilter::start_server(*stream_, context, this);
  } else {
    tls_ = &TLSFilter::start_client(
        *stream_, context, {.server_name = options.server_name, .alpn = options.alpn}, this);
  }
}

void StreamCore::on_handshake_done() {
  const Share self(this);
  tls_done_ = true;
  if (reader_ != nullptr && static_cast<ReadWait&>(*reader_).kind_ == ReadKind::handshake) {
    finish_now(reader_, {});
  }
}

// Closing.

std::error_code StreamCore::closed_error() const noexcept {
  if (stream_ != nullptr) return {};
  return reason_ ? reason_ : make_error_code(StreamError::closed);
}

std::error_code StreamCore::refusal() {
  if (stream_ == nullptr) return closed_error();
  if (shut_) {
    throw UsageError("write() after shutdown_write(): the peer was told that nothing more comes");
  }
  if (!writable_) return std::make_error_code(std::errc::bad_file_descriptor);
  if (stream_->pending_bytes() >= limits::stream_output_bytes) return StreamError::output_full;
  return {};
}

void StreamCore::shutdown_write() {
  if (stream_ == nullptr || std::exchange(shut_, true)) return;
  stream_->shutdown_write();
}

void StreamCore::close(std::error_code why) noexcept {
  if (stream_ == nullptr) return;
  loop::Stream& stream = *std::exchange(stream_, nullptr);
  if (why != StreamError::closed) reason_ = why;
  // An input that the kernel holds unread would reset the connection under the last bytes.
  const bool lingers = is_socket_ && stream.pending_bytes() > 0;
  stream.close(lingers ? loop::Stream::Linger::yes : loop::Stream::Linger::no);
  finish_later(reader_, why);
  finish_later(writer_, why);
  become_over();
}

void StreamCore::abort() noexcept {
  if (stream_ == nullptr) return;
  std::exchange(stream_, nullptr)->abort();
  finish_later(reader_, StreamError::closed);
  finish_later(writer_, StreamError::closed);
  become_over();
}

// Limits.

void StreamCore::set_read_timeout(Duration timeout) noexcept {
  read_timeout_ms_ = milliseconds_or_none(timeout);
  read_deadline_ms_ =
      read_timeout_ms_ != 0 && reader_ != nullptr ? loop_.now_ms() + read_timeout_ms_ : never;
  set_timer();
}

void StreamCore::set_idle_timeout(Duration timeout) noexcept {
  idle_timeout_ms_ = milliseconds_or_none(timeout);
  last_activity_ms_ = loop_.now_ms();
  set_timer();
}

void StreamCore::set_timer() noexcept {
  if (stream_ == nullptr) return;
  const std::uint64_t idle_at =
      idle_timeout_ms_ != 0 ? last_activity_ms_ + idle_timeout_ms_ : never;
  const std::uint64_t nearest = std::min(read_deadline_ms_, idle_at);
  if (nearest == never) {
    stream_->clear_deadline();
  } else {
    const std::uint64_t now = loop_.now_ms();
    stream_->set_deadline(
        Duration::from_milliseconds(static_cast<std::int64_t>(nearest > now ? nearest - now : 0)));
  }
}

void StreamCore::set_read_ahead(std::size_t bytes) noexcept {
  read_ahead_ = std::max<std::size_t>(bytes, 1);
  read_on();
}

}  // namespace squall::net::detail
