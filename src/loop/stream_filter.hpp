// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/output_queue.hpp"

#include <cstddef>
#include <span>

namespace squall::loop {

/// Stands between a Stream's owner and the wire, as TLS does. Owned by its stream; it lives on
/// until the turn in which the stream is closed has ended.
class StreamFilter {
 public:
  StreamFilter() noexcept = default;
  StreamFilter(const StreamFilter&) = delete;
  StreamFilter& operator=(const StreamFilter&) = delete;
  virtual ~StreamFilter() = default;

  /// Bytes arrived; gives what they mean to Stream::deliver() and may write to the wire by asking
  /// for schedule_flush().
  virtual void on_wire_bytes(std::span<char> bytes) = 0;
  /// The peer has ended the connection below the filter.
  virtual void on_wire_eof() = 0;
  /// Whether the owner's bytes can be turned into wire bytes now; a handshake comes first.
  [[nodiscard]] virtual bool is_ready() const noexcept = 0;
  /// Appends to `wire` what the filter itself has to say, and then the owner's bytes, from plain(),
  /// as long as `wire` is shorter than wire_limit_bytes.
  virtual void seal(OutputQueue& wire) = 0;
  /// Appends what tells the peer that no more will come (TLS: close_notify).
  virtual void seal_end(OutputQueue& wire) = 0;

  /// What the owner has written and is not sealed yet.
  [[nodiscard]] OutputQueue& plain() noexcept { return plain_; }

  static constexpr std::size_t wire_limit_bytes = 256 * 1024;

 private:
  OutputQueue plain_;
};

}  // namespace squall::loop
