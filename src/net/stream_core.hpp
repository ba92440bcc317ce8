// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/stream.hpp"
#include "net/share.hpp"
#include "net/stream_input.hpp"
#include "net/tls_filter.hpp"

#include <squall/base/function.hpp>
#include <squall/base/pool.hpp>
#include <squall/net/stream.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace squall::net::detail {

/// What stands behind a Stream: the buffer of input, who waits, and how it ended. Counted: a wait
/// holds it too.
class StreamCore final : public squall::detail::Pooled,
                         public Counted<StreamCore>,
                         private loop::StreamHandler,
                         private TLSFilter::Observer,
                         private squall::detail::ReadyNode {
 public:
  using Kind = loop::Stream::Kind;

  /// Owned by one reference. Throws std::system_error when the loop cannot watch the descriptor.
  static StreamCore* create(loop::LoopCore& loop, UniqueFd fd, Kind kind);
  /// Of a connection that something else has served so far: with what it received too much, and its
  /// TLS, if any.
  static StreamCore* take_over(loop::Stream& stream, TLSFilter* tls, std::string_view early);
  /// The Stream is gone.
  void abandon() noexcept;
  /// The other way round: gives the connection to something else that will drive it, which sets its
  /// handler before it returns to the loop, and what has come and was not read. The Stream is
  /// closed then. Null when there is nothing to give: it is closed, or its peer has ended its side.
  [[nodiscard]] loop::Stream* hand_over(std::string& early);

  // For the awaiters.
  /// Whether the read need not wait: it has what it wants or will never have it.
  bool try_read(ReadWait& read);
  /// A read has taken what it wanted.
  void read_on() noexcept;
  void begin_wait(StreamWait& wait);
  void end_wait(StreamWait& wait) noexcept;
  [[nodiscard]] StreamInput& input() noexcept { return input_; }
  void make_ready(squall::detail::ReadyNode& node) noexcept { loop_.make_ready(node); }
  [[nodiscard]] bool is_over() const noexcept { return over_; }
  [[nodiscard]] squall::detail::WaitList& over_waits() noexcept { return over_waits_; }

  // For Stream.
  [[nodiscard]] bool is_open() const noexcept { return stream_ != nullptr; }
  [[nodiscard]] std::error_code reason() const noexcept { return reason_; }
  /// Why nothing can be written; no error when something can. Throws UsageError.
  std::error_code refusal();
  /// Why it is closed; no error while it is open.
  [[nodiscard]] std::error_code closed_error() const noexcept;
  [[nodiscard]] loop::Stream* stream() noexcept { return stream_; }
  [[nodiscard]] std::size_t pending_bytes() const noexcept {
    return stream_ != nullptr ? stream_->pending_bytes() : 0;
  }
  [[nodiscard]] std::size_t write_limit() const noexcept { return write_limit_; }
  void set_write_limit(std::size_t bytes) noexcept { write_limit_ = bytes; }
  void wrote() noexcept { last_activity_ms_ = loop_.now_ms(); }
  void start_tls(const TLSContext& context, const StartTLSOptions& options);
  /// Null before the handshake is done and when the stream is closed.
  [[nodiscard]] const TLSFilter* tls() const noexcept {
    return stream_ != nullptr && tls_done_ ? tls_ : nullptr;
  }
  void shutdown_write();
  /// Orderly for StreamError::closed; any other reason is remembered.
  void close(std::error_code why) noexcept;
  void abort() noexcept;
  void set_close_callback(MoveOnlyFunction<void(std::error_code)> callback);
  void set_read_timeout(Duration timeout) noexcept;
  void set_idle_timeout(Duration timeout) noexcept;
  void set_read_ahead(std::size_t bytes) noexcept;

 private:
  friend Counted<StreamCore>;
  explicit StreamCore(loop::LoopCore& loop) noexcept;
  ~StreamCore();

  void on_receive(std::span<char> bytes) override;
  void on_eof() override;
  void on_peer_left() override;
  void on_drained() override;
  void on_timeout() override;
  void on_broken(std::error_code error) override;
  void on_handshake_done() override;

  StreamWait*& slot_of(const StreamWait& wait) noexcept {
    return wait.slot_ == StreamWait::Slot::reader ? reader_ : writer_;
  }
  /// Takes the wait out of its place, with what became of it.
  StreamWait& vacate(StreamWait*& slot, std::error_code error) noexcept;
  /// Has the wait, if any, go on: now, when the loop has called; later, when somebody else has.
  void finish_now(StreamWait*& slot, std::error_code error) noexcept;
  void finish_later(StreamWait*& slot, std::error_code error) noexcept;
  [[nodiscard]] bool has_ended() const noexcept { return eof_ || stream_ == nullptr; }
  [[nodiscard]] std::error_code end_error() const noexcept;
  bool has_enough(ReadWait& read);
  bool has_line(ReadWait& read);
  bool has_delimiter(ReadWait& read);
  bool has_match(ReadWait& read);
  bool exceeded(ReadWait& read) noexcept;
  bool found(ReadWait& read, std::size_t bytes, std::size_t skipped = 0);
  bool refuse(ReadWait& read, std::error_code error) noexcept;
  const re2::RE2& compiled(const std::string& pattern);
  void become_over() noexcept;
  void call_back() noexcept;
  void set_timer() noexcept;

  loop::LoopCore& loop_;
  loop::Stream* stream_ = nullptr;  // null once it is closed or broken
  StreamInput input_;
  StreamWait* reader_ = nullptr;
  StreamWait* writer_ = nullptr;
  std::error_code reason_{};
  std::unique_ptr<re2::RE2> regex_;  // the last one
  squall::detail::WaitList over_waits_;
  MoveOnlyFunction<void(std::error_code)> close_callback_;
  std::size_t read_ahead_ = limits::stream_read_ahead_bytes;
  std::size_t write_limit_ = limits::write_buffer_bytes;
  std::uint64_t read_deadline_ms_ = never;
  std::uint64_t last_activity_ms_ = 0;
  std::uint64_t read_timeout_ms_ = 0;  // none
  std::uint64_t idle_timeout_ms_ = 0;  // none
  TLSFilter* tls_ = nullptr;           // its stream's, and gone with it
  bool tls_done_ = false;
  bool eof_ = false;
  bool over_ = false;
  bool shut_ = false;
  bool is_socket_ = true;
  bool readable_ = true;  // pipes have one direction
  bool writable_ = true;

  static constexpr std::uint64_t never = ~std::uint64_t{0};
};

/// A Stream on this loop.
[[nodiscard]] inline Stream make_stream(loop::LoopCore& loop, UniqueFd fd,
                                        StreamCore::Kind kind = StreamCore::Kind::socket) {
  return Stream(StreamCore::create(loop, std::move(fd), kind));
}

[[nodiscard]] inline Stream make_stream(loop::Stream& stream, TLSFilter* tls,
                                        std::string_view early) {
  return Stream(StreamCore::take_over(stream, tls, early));
}

/// What is behind `stream`, as StreamCore::hand_over().
[[nodiscard]] inline loop::Stream* take_stream(Stream& stream, std::string& early) {
  return stream.core() != nullptr ? stream.core()->hand_over(early) : nullptr;
}

}  // namespace squall::net::detail
