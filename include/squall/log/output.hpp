// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

/// Where the log of the process goes: files that rotate, JSON lines, standard error.
namespace squall::log {

enum class Format : std::uint8_t {
  text,  ///< `[I 260102 03:04:05 channel] message name=value`
  /// One object a line (RFC 8259): time (RFC 3339, UTC, microseconds), level, channel, message,
  /// and each field; a field that has one of these names gets a `_` in front. Bytes that are not
  /// UTF-8 become U+FFFD.
  json,
};

enum class Colours : std::uint8_t { automatic, always, never };

/// When a file is put aside and a new one begun.
enum class Rotation : std::uint8_t { never, by_size, by_time };

/// Where lines go and how, written by name.
struct OutputOptions {
  std::string_view file = {};  ///< appended to; "" is no file
  bool to_stderr = false;      ///< also there; without a file always there
  Format format = Format::text;
  Colours colours = Colours::automatic;  ///< of text on standard error
  Rotation rotation = Rotation::by_size;
  /// A file that would grow past it is put aside as FILE.1, and that as FILE.2, ...
  std::uint64_t max_file_bytes = 100'000'000;
  /// Old files that are kept; 0 keeps none.
  unsigned backups = 10;
  /// For by_time: `S`, `M`, `H`, `D` (that long after the file was last written), `midnight`, or
  /// `W0` to `W6` (the midnight that ends this day, Monday is 0), in local time. Old files are
  /// FILE.2026-01-31, with the time of day for S, M and H.
  std::string_view rotate_when = "midnight";
  unsigned rotate_interval = 1;  ///< of those; at least 1
  /// Bytes that wait for a slow disk, for each of both ways.
  std::size_t queue_bytes = limits::log_queue_bytes;
  /// SIGHUP reopens the file unless the program has a handler of its own for it.
  bool reopen_on_hangup = true;
};
static_assert(std::is_trivially_destructible_v<OutputOptions>);

/// Sends the log of this process there from now on, instead of wherever it went. Call it at start.
///
/// Until the process has an event loop a line is written before write() returns. From then on a
/// thread writes, and those who log never wait for it: what does not fit into the queue is dropped,
/// and a line tells how much. Lines reach the file whole; several processes may share it, rotation
/// included. A file that was moved or removed is made anew within a second, without a signal.
/// The end of the process, by exit() or return from main(), writes what waits.
///
/// Throws std::system_error for a file that cannot be opened, UsageError for options that make no
/// sense.
void configure(const OutputOptions& options);

/// Back to standard error without a thread, after writing what waits.
void reset();

/// Writes what waits, on this thread; returns when it is in the kernel.
void flush() noexcept;

/// Opens the file anew before the next line: for whoever moves it. May be called in a signal
/// handler.
void reopen() noexcept;

/// Lines that were lost since configure(), for want of room or because writing failed.
[[nodiscard]] std::uint64_t dropped_lines() noexcept;

}  // namespace squall::log
