// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/scan.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Looks at whole blocks of a head at once, with vectors where the CPU has them, and notes for each
/// byte in one bit whether a field name or a field value would stop there.
namespace squall::http {

/// Of 64 bytes, the first in the lowest bit.
struct Stops {
  std::uint64_t name;   ///< bytes that are in no token (RFC 9110 §5.6.2)
  std::uint64_t value;  ///< bytes that are in no field value (RFC 9110 §5.5)
};

/// Fills one Stops for each 64 bytes of [at, at + size), the last one with zeros at its end.
/// `before` bytes in front of `at` may be read too; nothing else is.
using IndexStops = void(const char* at, std::size_t size, std::size_t before, Stops* out) noexcept;

/// The ways to look at a head. All of them refuse the same.
enum class VectorLevel : std::uint8_t {
  none,  ///< byte by byte, with a table
  sse4,  ///< 16 bytes at a time
  avx2,  ///< 32 bytes at a time
};

/// Why its name: `off`, `sse4`, `avx2`.
[[nodiscard]] std::string_view to_string(VectorLevel level) noexcept;
/// The best level of this CPU, or a lower one that the environment asks for with
/// `SQUALL_SIMD=off`, `sse4` or `avx2`; decided when a head is first parsed.
[[nodiscard]] VectorLevel vector_level() noexcept;
/// For tests: uses `level` from now on; false, and nothing changes, where the CPU lacks it.
bool set_vector_level(VectorLevel level) noexcept;

/// The indexer of vector_level(), or null where it is none.
[[nodiscard]] IndexStops* stop_indexer() noexcept;

/// Finds stops from left to right, in an index that is made piece by piece as it is needed.
class IndexedStops {
 public:
  /// Finds in [at, end), where `begin` is the first byte that may be read.
  IndexedStops(IndexStops* indexer, const char* begin, const char* at, const char* end) noexcept
      : indexer_(indexer), begin_(begin), base_(at), indexed_(at), end_(end) {}

  /// The first byte from `at` on that is in no token, or the end. `at` is not before the last
  /// byte found by name().
  const char* name(const char* at) noexcept { return find(at, &Stops::name); }
  /// The first byte from `at` on that is in no value, or the end. `from` is where the name began:
  /// there is none between, and looking from there need not wait for what name() found.
  const char* value(const char* from, const char* /*at*/) noexcept {
    return find(std::max(from, base_), &Stops::value);
  }

  /// Whether a host is surely one; it lies in a head, so that there are bytes in front of it.
  static bool is_plain_host(std::string_view host) noexcept {
    return scan::is_plain_host(host.data(), host.size());
  }

 private:
  static constexpr std::size_t block = 64;
  static constexpr std::size_t most_blocks = 16;

  const char* find(const char* at, std::uint64_t Stops::*kind) noexcept {
    for (;;) {
      if (at >= indexed_) {
        if (at == end_) return end_;
        fill(at);
      }
      const auto offset = static_cast<std::size_t>(at - base_);
      const std::uint64_t bits = stops_[offset / block].*kind >> (offset % block);
      if (bits != 0) return at + std::countr_zero(bits);
      at = base_ + (offset / block + 1) * block;
      if (at > end_) return end_;
    }
  }

  void fill(const char* at) noexcept {
    base_ = at;
    const std::size_t size = std::min(static_cast<std::size_t>(end_ - at), wanted_);
    indexed_ = at + size;
    // A head is seldom alone in its buffer when it is short: little is looked at in advance.
    wanted_ = std::min(wanted_ * 2, most_blocks * block);
    indexer_(at, size, static_cast<std::size_t>(at - begin_), stops_);
  }

  IndexStops* indexer_;
  const char* begin_;
  const char* base_;     // the byte of the lowest bit of stops_[0]
  const char* indexed_;  // the byte after the last one in stops_
  const char* end_;
  std::size_t wanted_ = 2 * block;
  Stops stops_[most_blocks];
};

}  // namespace squall::http
