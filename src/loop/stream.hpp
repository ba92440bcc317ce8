// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/output_queue.hpp"
#include "loop/stream_filter.hpp"

#include <squall/base/duration.hpp>
#include <squall/base/pool.hpp>
#include <squall/coro/detail/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace squall::loop {

class LoopCore;
class ReadAhead;
class Stream;

/// What an engine watches; it tells them apart by the kind when an event comes.
struct Pollable {
  enum class Kind : std::uint8_t { stream, acceptor, watch };
  Pollable(Kind what, int descriptor) noexcept : fd(descriptor), kind(what) {}
  int fd;
  Kind kind;
};

/// Receives the events of a Stream. Every call comes from the loop, never from within a call that
/// the owner makes to its stream.
class StreamHandler {
 public:
  /// Bytes arrived. They lie in the loop's buffer, may be changed in place, and are gone when this
  /// returns.
  virtual void on_receive(std::span<char> bytes) = 0;
  /// The peer will send no more; it may still read.
  virtual void on_eof() = 0;
  /// The peer will send no more, but what it sent is not read yet, because receiving is paused.
  /// Told once; on_eof() still comes when all has been read.
  virtual void on_peer_left() {}
  /// The kernel has taken all output, after request_drain_notice().
  virtual void on_drained() {}
  /// The deadline has passed.
  virtual void on_timeout() = 0;
  /// The connection broke: reset, write error. The stream is closed; this is its last call.
  virtual void on_broken(std::error_code error) = 0;

  /// How many bytes a second the peer has to take while output waits for it, on average over a
  /// write timeout; 0 for any. The stream asks when it comes to that, and as it is closed, for the
  /// rest of its output.
  [[nodiscard]] virtual std::uint32_t min_write_rate() const noexcept { return 0; }

 protected:
  ~StreamHandler() = default;
};

/// A connected stream socket or an end of a pipe, with corked output; lives on one loop and is
/// never shared.
///
/// Made by adopt(); its owner ends it with close() or abort() and must not touch it
/// afterwards. What is written in a turn of the loop leaves in one system call at the turn's end.
/// An idle stream owns no buffer.
class Stream final : private Pollable {
 public:
  enum class Kind : std::uint8_t {
    socket,
    pipe,  // an end of a pipe, a terminal: what is read and written rather than sent
  };
  /// Takes over a connected, non-blocking descriptor and begins to receive. Throws
  /// std::system_error when the loop cannot watch it, as with regular files.
  static Stream& adopt(LoopCore& core, UniqueFd fd, StreamHandler& handler,
                       Kind kind = Kind::socket);

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void set_handler(StreamHandler& handler) noexcept { handler_ = &handler; }
  [[nodiscard]] LoopCore& core() const noexcept { return core_; }
  [[nodiscard]] int native_handle() const noexcept { return fd; }
  /// Puts a filter, TLS, between the owner and the wire; once. What was written before leaves as it
  /// is, what is written or arrives from now on goes through the filter.
  void set_filter(std::unique_ptr<StreamFilter> filter) noexcept { filter_ = std::move(filter); }

  // Output. Nothing is sent before the end of the turn.
  /// Contiguous space of at most 16 KiB, to be filled and then committed.
  char* prepare(std::size_t bytes);
  void commit(std::size_t bytes) noexcept;
  void write(std::string_view bytes);
  void write_owned(std::string&& bytes);
  void write_shared(SharedBytes bytes);
  /// Pages of the file that are not in memory are read on the Executor before they are sent.
  void write_file(SharedFile file, off_t offset, std::size_t bytes);
  /// Bytes that the kernel has not taken yet.
  [[nodiscard]] std::size_t pending_bytes() const noexcept {
    return output_.size() + (filter_ ? filter_->plain().size() : 0);
  }
  /// Calls on_drained() once all output is with the kernel; soon when it already is.
  void request_drain_notice() noexcept;
  /// After this long without the peer taking a byte, or so many as the owner's min_write_rate()
  /// asks for, the connection is broken (ETIMEDOUT).
  void set_write_timeout(Duration timeout) noexcept;

  /// Tells the peer, after what is pending, that nothing more will come; receiving goes on.
  void shutdown_write() noexcept;

  // Input.
  /// No on_receive() and no on_eof() come until resume_receiving(); on_peer_left() may.
  void pause_receiving() noexcept;
  void resume_receiving() noexcept;
  [[nodiscard]] bool is_receiving() const noexcept { return receiving_; }

  /// Calls on_timeout() once `delay` has passed. Moving a deadline later is a plain store.
  void set_deadline(Duration delay) noexcept;
  void clear_deadline() noexcept {
    if (busy_ != nullptr) busy_->deadline_ms = no_deadline;
  }
  /// Gives back what an idle stream without a deadline does not need; for owners that wait for long
  /// without one.
  void trim() noexcept;

  enum class Linger : std::uint8_t { no, yes, peer_first };
  /// Sends what is pending, then closes. With Linger::yes it then reads for a while what the peer
  /// still sends, so that the kernel does not reset the connection under the last answer
  /// (RFC 9112 §9.6). With Linger::peer_first it also leaves it to the peer to end the connection,
  /// for the same while, so that TIME_WAIT is on the peer's side.
  void close(Linger linger = Linger::no) noexcept;
  /// Drops what is pending and resets the connection, so that the peer sees the break.
  void abort() noexcept;

  // For filters.
  /// Hands bytes to the owner, or keeps a copy while receiving is paused.
  void deliver(std::span<char> bytes);
  void deliver_eof();
  /// The connection can go no further, as after a bad record: sends what is on the wire queue, then
  /// closes; the owner hears on_broken(error).
  void fail(std::error_code error);
  /// Where a filter appends what it has to say itself; schedule_flush() sends it.
  [[nodiscard]] OutputQueue& wire() noexcept { return output_; }
  /// Whether there is somebody to deliver to: false once the owner has closed the stream.
  [[nodiscard]] bool has_owner() const noexcept { return handler_ != nullptr; }
  /// Has the filter's seal() called at the end of the turn.
  void schedule_flush() noexcept;
  /// How many bytes at the front of `file`, `wanted` at most, can be sent without waiting for the
  /// disk. With 0 they are being read, and the stream is flushed again when they are there.
  [[nodiscard]] std::size_t ready_bytes(FileSegment& file, std::size_t wanted) noexcept;
  [[nodiscard]] bool is_socket() const noexcept { return is_socket_; }
  /// Whether the stream has ended inside a call to its owner.
  [[nodiscard]] bool is_closed() const noexcept { return state_ == State::closed; }

 private:
  friend class LoopCore;
  friend class ReadAhead;
  friend class EpollEngine;
  friend class UringEngine;

  static constexpr std::uint64_t no_deadline = ~std::uint64_t{0};
  enum class State : std::uint8_t { open, flushing, lingering, closed };

  using Held = std::deque<std::vector<char>>;  // in pieces: they come and go without being moved

  /// What a stream has only while it has a deadline, is blocked, holds input, or lingers.
  struct Busy final : detail::TimerNode, detail::Pooled {
    explicit Busy(Stream& of) noexcept : TimerNode(&fire_timer), stream(of) {}
    Stream& stream;
    std::unique_ptr<Held> held;               // input that came while receiving was paused
    ReadAhead* reading = nullptr;             // while output waits for the disk
    std::uint64_t deadline_ms = no_deadline;  // the owner's, or the end of lingering
    std::uint64_t stall_ms = no_deadline;     // when blocked: the end of the kernel's patience
    std::uint32_t discarded = 0;              // bytes read while lingering
    std::uint32_t unread = 0;    // when blocked: bytes the peer has not taken, as last looked at
    std::uint32_t min_rate = 0;  // the owner's min_write_rate(), when it has closed the stream
  };

  Stream(LoopCore& core, int descriptor, StreamHandler& handler) noexcept;
  ~Stream() { delete busy_; }

  // For the engine.
  void received(std::span<char> bytes) {
    if (filter_ == nullptr || handler_ == nullptr) {
      deliver(bytes);
    } else {
      filter_->on_wire_bytes(bytes);
    }
  }
  void received_eof();
  void peer_left();
  void blocked() noexcept;
  bool peer_took_something() noexcept;
  void unblocked() noexcept;
  void flushed();
  void broke(std::error_code error);

  [[nodiscard]] OutputQueue& output() noexcept { return filter_ ? filter_->plain() : output_; }
  /// What is to be done at the end of a turn before sending: input that was held, the filter.
  void before_send();
  void deliver_held();
  void finish_close() noexcept;
  static void fire_timer(detail::TimerNode& node) noexcept;
  void timer_fired() noexcept;
  void arm_timer(std::uint64_t at_ms) noexcept;
  Busy& busy() {
    if (busy_ == nullptr) busy_ = new Busy(*this);
    return *busy_;
  }
  [[nodiscard]] bool holds_input() const noexcept { return busy_ != nullptr && busy_->held; }
  [[nodiscard]] bool is_reading() const noexcept {
    return busy_ != nullptr && busy_->reading != nullptr;
  }

  // These lie in the room that the base leaves.
  State state_ = State::open;
  bool receiving_ : 1 = true;
  bool eof_ : 1 = false;
  bool blocked_ : 1 = false;  // the kernel's buffer is full; the engine tells when it is not
  bool flush_scheduled_ : 1 = false;
  bool wants_drain_ : 1 = false;
  bool linger_ : 1 = false;
  bool peer_first_ : 1 = false;  // when lingering: no FIN before the peer's
  bool peer_left_told_ : 1 = false;
  bool is_socket_ : 1 = true;
  bool eof_held_ : 1 = false;     // it came while receiving was paused
  bool shut_wanted_ : 1 = false;  // shutdown_write()
  bool end_sealed_ : 1 = false;   // the filter has said that no more comes

  LoopCore& core_;
  StreamHandler* handler_;
  OutputQueue output_;  // what goes on the wire
  std::unique_ptr<StreamFilter> filter_;
  Busy* busy_ = nullptr;
  Stream* next_flush_ = nullptr;  // in the loop's list of those with output; also of the closed
  std::uint32_t write_timeout_ms_ = 60'000;
  std::uint32_t interest_ = 0;  // the engine's
};

}  // namespace squall::loop
