// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/function.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>
#include <squall/net/address.hpp>
#include <squall/net/detail/stream_awaiters.hpp>
#include <squall/net/stream_error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace squall::net {

class TLSContext;
struct TLSInfo;

/// For the client's side of Stream::start_tls(); servers need none.
struct StartTLSOptions {
  /// Whom the certificate must be for: a host name, which is also sent (SNI), or an IP address.
  std::string_view server_name = {};
  std::string_view alpn = {};  ///< protocols to offer, in place of the context's
};
static_assert(std::is_trivially_destructible_v<StartTLSOptions>);

/// A connection of bytes: TCP, a unix socket, or an end of a pipe, with or without TLS.
///
/// It is a move-only handle and belongs to the loop on which it was made. Let the coroutine that
/// serves a connection own it by value; destroying it is close(). One read and one waiting write
/// may be under way at a time, of one coroutine or of two; a second one is a UsageError.
///
/// Failures are values: StreamError, or what the operating system says (`is_disconnect(error)`
/// tells the everyday ones). A wait ends with CancelledError when its task is asked to stop; a
/// cancelled read, also one of with_timeout(), has taken no byte. Waits allocate nothing. A read
/// whose bytes are there already and a write below the limit do not suspend.
///
/// It reads ahead of its reader, 64 KiB at most; then the kernel's buffer fills and the peer has to
/// wait. What has come can still be read after the peer has closed, or this side. An idle stream
/// owns no buffer.
class Stream {
 public:
  /// One that is closed.
  Stream() noexcept = default;
  Stream(Stream&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  /// As close(); what still waits for it ends with StreamError::closed.
  ~Stream();

  /// Takes over a connected stream socket and makes it non-blocking. Throws std::system_error when
  /// the loop cannot watch it; the descriptor is closed then.
  [[nodiscard]] static Stream adopt_socket(int fd);
  /// Takes over one end of a pipe, a FIFO or a terminal. A pipe works in one direction: reading
  /// from the end that is for writing fails with EBADF, and the other way round. A terminal that is
  /// shared with other processes becomes non-blocking for them too.
  [[nodiscard]] static Stream adopt_pipe(int fd);

  // Reading.

  /// Waits until there are bytes and copies as many as there are, `target.size()` at most, which
  /// must stay alive until the wait has ended. Zero is the end of the stream. An empty target gives
  /// zero at once.
  [[nodiscard]] detail::ReadCountAwaiter read_some(std::span<char> target) noexcept {
    return {core_, detail::ReadKind::some, target};
  }
  /// Fills `target`, which must stay alive until the wait has ended, and gives its size. Without a
  /// detour through another buffer. StreamError::end_of_stream when the peer ends too soon.
  [[nodiscard]] detail::ReadCountAwaiter read_into(std::span<char> target) noexcept {
    return {core_, detail::ReadKind::into, target};
  }
  /// Waits for exactly `bytes`; zero gives "" at once. StreamError::end_of_stream when the peer
  /// ends too soon, limit_exceeded when `bytes` is more than limits::stream_read_bytes.
  [[nodiscard]] detail::ReadStringAwaiter read_exactly(std::size_t bytes) {
    return {core_, detail::ReadKind::exactly, bytes};
  }
  /// Everything through the first `delimiter`, which must not be empty. When the result would be
  /// longer than `max_bytes`: StreamError::limit_exceeded, and the stream is closed.
  [[nodiscard]] detail::ReadStringAwaiter read_until(
      std::string_view delimiter, std::size_t max_bytes = limits::stream_line_bytes) {
    return {core_, detail::ReadKind::until, max_bytes, delimiter};
  }
  /// One line without its end, which is "\n" or "\r\n"; also what stands between the last line end
  /// and the end of the stream, if anything. Limited as read_until().
  [[nodiscard]] detail::ReadStringAwaiter read_line(
      std::size_t max_bytes = limits::stream_line_bytes) {
    return {core_, detail::ReadKind::line, max_bytes};
  }
  /// Everything through the first match of `pattern`, an RE2 expression (linear time; "." also
  /// matches what is no UTF-8). It is tried whenever bytes have come, so a pattern that can match
  /// more than has come so far, "a+", matches early. The stream keeps its last pattern compiled. A
  /// UsageError when it is none. Limited as read_until().
  [[nodiscard]] detail::ReadStringAwaiter read_until_regex(
      std::string_view pattern, std::size_t max_bytes = limits::stream_line_bytes) {
    return {core_, detail::ReadKind::regex, max_bytes, pattern};
  }
  /// Everything until the peer ends its side; limited as read_until(). A connection that breaks
  /// instead gives its error, so that a part is not taken for the whole.
  [[nodiscard]] detail::ReadStringAwaiter read_until_close(
      std::size_t max_bytes = limits::stream_read_bytes) {
    return {core_, detail::ReadKind::until_close, max_bytes};
  }

  // Writing.

  /// Copies `bytes` behind what waits already, when it is called, not when it is awaited. What a
  /// turn of the loop writes leaves together at its end. The await is the back-pressure: it is over
  /// at once while at most set_write_limit() bytes wait, else when the kernel has taken all. Many
  /// writes may be made without awaiting each; from limits::stream_output_bytes on they are refused
  /// with output_full. After shutdown_write() it is a UsageError.
  detail::WriteAwaiter write(std::string_view bytes);
  /// The same; takes the string over instead of copying it.
  detail::WriteAwaiter write_owned(std::string bytes);
  /// Waits until the kernel has taken all that was written; not until the peer has.
  [[nodiscard]] detail::WriteAwaiter flush() noexcept;

  // TLS.

  /// Begins TLS (<squall/net/tls.hpp>), as server or client after the kind of the context, and
  /// waits until the handshake is done. What was written before leaves as it is, what is written
  /// from now on is encrypted. Nobody may read or wait meanwhile, and nothing may have come that is
  /// not read: StreamError::input_before_tls. Other failures are TLSError; the stream is closed
  /// then. When the wait is cancelled the handshake goes on. A UsageError when TLS is on already.
  [[nodiscard]] detail::HandshakeAwaiter start_tls(const TLSContext& context,
                                                   const StartTLSOptions& options = {});
  /// Whether the handshake is done and the connection open.
  [[nodiscard]] bool is_tls() const noexcept;
  /// What was agreed on; empty unless is_tls().
  [[nodiscard]] TLSInfo tls_info() const;

  // Closing.

  /// Tells the peer, after what was written, that nothing more comes (FIN; with TLS close_notify).
  /// Reading goes on.
  void shutdown_write();
  /// Sends what was written, then closes; does not wait. What has come already can still be read.
  void close() noexcept;
  /// Drops what was written and resets the connection, so that the peer sees the break.
  void abort() noexcept;
  /// Whether neither close() nor a failure has ended it. It stays open when the peer ends its side.
  [[nodiscard]] bool is_open() const noexcept;
  /// Why the connection broke; no error while it is open and after an orderly end.
  [[nodiscard]] std::error_code close_reason() const noexcept;
  /// Waits until the connection is over: the peer has ended its side or gone, it broke, or it was
  /// closed here. Gives close_reason(). It listens also while nobody reads, and does not wait for
  /// what came before to be read. Any number may wait.
  [[nodiscard]] detail::ClosedAwaiter closed() noexcept { return detail::ClosedAwaiter(core_); }
  /// Has `callback` called once, in a turn of the loop, when closed() would end; soon when it is
  /// over already. It is dropped when the Stream is destroyed first.
  void set_close_callback(MoveOnlyFunction<void(std::error_code)> callback);

  // Limits. Times of zero or less mean none.

  /// A read that waits this long without a byte arriving gives StreamError::read_timed_out. None by
  /// default; with_timeout() limits a call as a whole.
  void set_read_timeout(Duration timeout) noexcept;
  /// Output that waits this long without the peer taking a byte breaks the connection (ETIMEDOUT);
  /// 60 s by default.
  void set_write_timeout(Duration timeout) noexcept;
  /// After this long without a byte either way the stream is closed and what waits for it gets
  /// StreamError::idle_timed_out. None by default.
  void set_idle_timeout(Duration timeout) noexcept;
  /// How many bytes may wait to be sent before write() makes its caller wait.
  void set_write_limit(std::size_t bytes) noexcept;
  /// How many bytes may wait to be read before the stream stops receiving.
  void set_read_ahead(std::size_t bytes) noexcept;

  // What it is.

  /// Whether small writes leave at once (TCP_NODELAY); on for sockets of TCPServer and TCPClient.
  void set_nodelay(bool on) noexcept;
  /// None for pipes.
  [[nodiscard]] SocketAddress local_address() const noexcept;
  [[nodiscard]] SocketAddress peer_address() const noexcept;
  /// The descriptor, -1 when it is closed. It stays the stream's.
  [[nodiscard]] int native_handle() const noexcept;
  /// Bytes that have come and are not read; bytes that the kernel has not taken.
  [[nodiscard]] std::size_t buffered_bytes() const noexcept;
  [[nodiscard]] std::size_t pending_bytes() const noexcept;

  /// For the library.
  explicit Stream(detail::StreamCore* core) noexcept : core_(core) {}
  [[nodiscard]] detail::StreamCore* core() const noexcept { return core_; }

 private:
  detail::StreamCore* core_ = nullptr;
};

}  // namespace squall::net
