// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::realtime {

/// A place in the stream of a channel: the number of its last publication, within an epoch.
///
/// Offsets count the publications of a channel without holes, from 1; 0 is before the first. The
/// epoch names one life of the stream: it changes whenever continuity cannot be proven, so that two
/// positions of the same epoch can be compared and others cannot. A small value, freely copied.
class Position {
 public:
  /// Bytes of an epoch at most; its characters are letters, digits, `-` and `_`.
  static constexpr std::size_t max_epoch_bytes = 23;

  /// No position: "from nowhere in particular".
  constexpr Position() noexcept = default;
  /// A UsageError when `epoch` is empty, too long, or has other characters.
  Position(std::string_view epoch, std::uint64_t offset);

  [[nodiscard]] std::string_view epoch() const noexcept { return {epoch_, epoch_bytes_}; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] bool is_empty() const noexcept { return epoch_bytes_ == 0; }
  [[nodiscard]] bool has_epoch_of(const Position& other) const noexcept {
    return epoch() == other.epoch();
  }
  /// The same epoch, another offset.
  [[nodiscard]] Position at(std::uint64_t offset) const noexcept {
    Position other = *this;
    other.offset_ = offset;
    return other;
  }

  /// `epoch:offset`, fit for an SSE id, a URL and JSON; an empty text for no position.
  [[nodiscard]] std::string to_string() const;
  /// Reads what to_string() wrote; nothing when it is something else, so also for an empty text.
  [[nodiscard]] static std::optional<Position> parse(std::string_view text) noexcept;

  friend bool operator==(const Position& a, const Position& b) noexcept {
    return a.offset_ == b.offset_ && a.epoch() == b.epoch();
  }

 private:
  std::uint64_t offset_ = 0;
  char epoch_[max_epoch_bytes] = {};
  unsigned char epoch_bytes_ = 0;
};

}  // namespace squall::realtime
