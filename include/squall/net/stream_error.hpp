// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <system_error>

namespace squall::net {

/// Why an operation of a Stream gave nothing, where the operating system has no word for it.
/// What the system reports (ECONNRESET, EPIPE, ETIMEDOUT, ...) comes in std::generic_category().
enum class StreamError : std::uint8_t {
  /// This side has closed it: close(), abort(), the Stream was destroyed or moved from.
  closed = 1,
  /// The peer ended its side before all that was asked for had come. What did come stays readable.
  end_of_stream,
  /// More bytes came than the read allowed without its end among them; the stream is closed.
  limit_exceeded,
  /// No byte came within set_read_timeout(); the stream is open and nothing is lost.
  read_timed_out,
  /// Nothing came or went within set_idle_timeout(); the stream is closed.
  idle_timed_out,
  /// limits::stream_output_bytes wait already, so nothing was taken: await the writes.
  output_full,
  /// The peer sent bytes before TLS began which belong to no message: start_tls() refuses them, for
  /// a stranger on the line may have put them there. The stream is closed.
  input_before_tls,
};

/// The category of StreamError, "stream".
[[nodiscard]] const std::error_category& stream_category() noexcept;
[[nodiscard]] std::error_code make_error_code(StreamError error) noexcept;

/// Whether `error` only says that the connection is over: closed by either side, reset, or its peer
/// out of reach. Servers hear that all the time and do not log it.
[[nodiscard]] bool is_disconnect(std::error_code error) noexcept;

}  // namespace squall::net

template <>
struct std::is_error_code_enum<squall::net::StreamError> : std::true_type {};
