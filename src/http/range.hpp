// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace squall::http {

/// Bytes `first` to `first + size - 1` of a representation.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;

  [[nodiscard]] std::uint64_t end() const noexcept { return first + size; }
};

/// What a Range field asks of a representation.
class RangeSet {
 public:
  enum class Outcome : std::uint8_t {
    whole,          ///< the field does not count, or asks for everything: 200
    partial,        ///< ranges() are to be sent: 206 (RFC 9110 §15.3.7)
    unsatisfiable,  ///< nothing of what it asks for is there: 416 (RFC 9110 §15.5.17)
  };

  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
  /// One or more, in the order in which they were asked for; none overlaps or touches another.
  [[nodiscard]] std::span<const ByteRange> ranges() const noexcept {
    return {ranges_.data(), count_};
  }

 private:
  friend RangeSet select_ranges(std::string_view field, std::uint64_t size) noexcept;
  void add(ByteRange range) noexcept;

  std::array<ByteRange, limits::range_count> ranges_;
  std::size_t count_ = 0;
  Outcome outcome_ = Outcome::whole;
};

/// Reads the value of a Range field (RFC 9110 §14.2) for a representation of `size` bytes.
///
/// Only bytes are known, the unit's name in any case; other units and what is malformed do not
/// count. Ends are clipped to the size. 416 is for a range that is the wrong way round, and when
/// none of those asked for is there; but of nothing (`size` 0) any range is all, so that clients
/// which send the field with every request can read an empty file. Ranges that together are the
/// whole, and more than limits::range_count of them, give the whole.
///
/// Those that overlap, or whose gap is smaller than a part's head, become one (RFC 9110 §15.3.7.2):
/// no request makes the answer longer than the representation and a head for each part.
[[nodiscard]] RangeSet select_ranges(std::string_view field, std::uint64_t size) noexcept;

/// `bytes 0-4/10`, or with no range, for 416, `bytes */10` (RFC 9110 §14.4).
[[nodiscard]] std::string content_range(ByteRange range, std::uint64_t size);
[[nodiscard]] std::string unsatisfied_range(std::uint64_t size);

/// Frames several ranges as multipart/byteranges (RFC 9110 §14.6), without holding their bytes.
///
/// For each range: head(i), then its bytes; at the end tail(). The views it was made from must
/// outlive it.
class MultipartRanges {
 public:
  /// `boundary` is up to 70 characters of a token (RFC 2046 §5.1.1) that occur nowhere in the
  /// representation; random ones, so that nobody can have put them there.
  MultipartRanges(std::span<const ByteRange> ranges, std::uint64_t size,
                  std::string_view content_type, std::string_view boundary) noexcept
      : ranges_(ranges), size_(size), content_type_(content_type), boundary_(boundary) {}

  /// The value of the response's Content-Type.
  [[nodiscard]] std::string content_type() const;
  [[nodiscard]] std::string head(std::size_t index) const;
  [[nodiscard]] std::string tail() const;
  /// Bytes of all heads, ranges and the tail.
  [[nodiscard]] std::uint64_t content_length() const;

 private:
  std::span<const ByteRange> ranges_;
  std::uint64_t size_;
  std::string_view content_type_;
  std::string_view boundary_;
};

}  // namespace squall::http
