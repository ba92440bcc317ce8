// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/content_coding.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace squall::http {

namespace detail {
class EncoderState;
}

/// Codes a stream of bytes with gzip, Brotli, Zstandard or deflate.
///
/// States are large (gzip 256 KiB, the others up to about 2 MiB): each thread keeps
/// limits::idle_content_encoders of each coding for the next encoder. Windows are at most 512 KiB,
/// so what comes out can be decoded anywhere (RFC 9659). Throws std::bad_alloc, nothing else.
class ContentEncoder {
 public:
  static constexpr int default_level = std::numeric_limits<int>::min();
  static constexpr std::uint64_t unknown_size = std::numeric_limits<std::uint64_t>::max();

  /// An encoder that is empty; only a move to it makes it useful.
  ContentEncoder() noexcept = default;
  /// `level` is the coding's own: gzip and deflate 1 to 9, br 0 to 11, zstd 1 to 19; others are
  /// brought within, and the defaults (6, 4, 3) suit content that is made on the way. `size` is
  /// that of all that will be written, where it is known: a small one costs less then. Empty for
  /// identity.
  explicit ContentEncoder(ContentCoding coding, int level = default_level,
                          std::uint64_t size = unknown_size);
  ContentEncoder(ContentEncoder&& other) noexcept;
  ContentEncoder& operator=(ContentEncoder&& other) noexcept;
  ~ContentEncoder();

  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// Takes `in`; appends to `out` what is ready.
  void write(std::string_view in, std::string& out);
  /// Appends what makes everything written so far decodable. Costs a few bytes, and compression.
  void flush(std::string& out);
  /// Appends the end. The state goes back, the encoder is empty then.
  void finish(std::string& out);

 private:
  void release() noexcept;
  detail::EncoderState* state_ = nullptr;
};

/// Encoders that this thread has in use.
[[nodiscard]] std::size_t content_encoders_in_use() noexcept;

}  // namespace squall::http
