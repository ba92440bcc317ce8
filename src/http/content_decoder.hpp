// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/content_coding.hpp"

#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

namespace squall::http {

/// Why coded content was refused (RFC 9110 §8.4). Each names the status that a server answers.
enum class DecodeError : std::uint8_t {
  bad_data = 1,      ///< 400: not what its coding says, or bytes behind its end
  truncated,         ///< 400: it ended before its coding did
  too_large,         ///< 413: decoded, it has more bytes than the limit
  ratio_too_high,    ///< 413: it grows past the limit on growth; a decompression bomb
  unknown_coding,    ///< 415: no coding that is known here (RFC 9110 §15.5.16)
  too_many_codings,  ///< 415: more than limits::content_coding_layers on top of each other
  window_too_large,  ///< 415: Zstandard with a window past 8 MiB (RFC 9659 §3)
  no_memory,         ///< 503: a decoder's state found no memory
};
std::error_code make_error_code(DecodeError error) noexcept;
[[nodiscard]] std::uint16_t status_for(DecodeError error) noexcept;

namespace detail {
class DecoderLayer;
}

/// What a decoder lets through.
struct DecoderLimits {
  std::uint64_t max_bytes = limits::buffered_body_bytes;  ///< decoded
  /// Decoded bytes for each byte that came, once limits::decoded_free_bytes are decoded.
  std::uint64_t max_ratio = limits::decoded_ratio;
};

/// Undoes the codings of a message's content as its bytes arrive. Each coding on the way is held
/// to the limits, so that no layer can hide a bomb from the next. gzip may have several members,
/// zstd several frames.
class ContentDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< bytes of `in` that are done with
    std::string_view data;     ///< decoded; valid until the next call
  };

  /// For content with that Content-Encoding: a list, in the order in which the codings were put
  /// on (several fields are one list, joined by commas). identity counts as none.
  static Result<ContentDecoder> create(std::string_view content_encoding,
                                       const DecoderLimits& limits = {});
  /// For the content of a request, by all its Content-Encoding fields.
  static Result<ContentDecoder> create(const RequestHead& head, const DecoderLimits& limits = {});

  ContentDecoder(ContentDecoder&& other) noexcept;
  ContentDecoder& operator=(ContentDecoder&& other) noexcept;
  ~ContentDecoder();

  /// Whether there is nothing to undo: next() hands through what it gets then.
  [[nodiscard]] bool is_identity() const noexcept { return layer_count_ == 0; }

  /// Decodes a piece. Call it with what is left of `in` until it gives no data (then
  /// consumed == in.size()). After an error it is not to be called again. What comes out does not
  /// depend on how the bytes were cut.
  Result<Step> next(std::string_view in);
  /// To be asked after the last byte: whether the content was complete. None at all is.
  [[nodiscard]] Result<void> finish() const noexcept;

 private:
  ContentDecoder() noexcept;
  Result<void> add(std::string_view list, const DecoderLimits& limits);
  Result<std::string_view> pull(std::size_t layer, std::string_view& in);

  // The first undoes the coding that was put on last.
  std::array<std::unique_ptr<detail::DecoderLayer>, limits::content_coding_layers> layers_;
  std::array<std::string_view, limits::content_coding_layers> unread_;  // in the room before it
  std::size_t layer_count_ = 0;
  std::uint64_t max_bytes_ = 0;
  std::uint64_t passed_ = 0;  // without a layer
};

}  // namespace squall::http

template <>
struct std::is_error_code_enum<squall::http::DecodeError> : std::true_type {};
