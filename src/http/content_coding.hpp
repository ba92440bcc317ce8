// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/request_head.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace squall::http {

/// How the bytes of a representation are coded (RFC 9110 §8.4.1).
enum class ContentCoding : std::uint8_t {
  identity,  ///< not at all
  gzip,      ///< RFC 1952; also called x-gzip
  br,        ///< Brotli, RFC 7932
  zstd,      ///< Zstandard, RFC 8878, with windows of at most 8 MiB (RFC 9659)
  deflate,   ///< the zlib format, RFC 1950
};
inline constexpr std::size_t content_coding_count = 5;

/// The name that Content-Encoding and Accept-Encoding use.
[[nodiscard]] std::string_view to_string(ContentCoding coding) noexcept;
/// The coding of that name, in any case; x-gzip is gzip (RFC 9110 §8.4.1.3).
[[nodiscard]] std::optional<ContentCoding> content_coding(std::string_view name) noexcept;

/// Whether content of that media type (a Content-Type with or without parameters) is worth coding:
/// text in every form, and formats that are not compressed already.
[[nodiscard]] bool is_compressible(std::string_view content_type) noexcept;

/// What a client takes, from all its Accept-Encoding fields (RFC 9110 §12.5.3).
///
/// Members that are malformed, or whose coding is not known, are passed over; of one coding that
/// is named twice the last word counts. Linear, no allocation.
class AcceptEncoding {
 public:
  AcceptEncoding() noexcept { weights_.fill(unnamed); }
  explicit AcceptEncoding(const RequestHead& head) noexcept;

  /// Takes in one more field's value.
  void add(std::string_view field) noexcept;

  /// Whether the client takes `coding`. Without a field it takes all; identity is refused only by
  /// `identity;q=0`, or by `*;q=0` where identity is not named.
  [[nodiscard]] bool accepts(ContentCoding coding) const noexcept { return weight(coding) != 0; }

  /// Some codings, best first.
  struct Ranking {
    std::array<ContentCoding, content_coding_count> codings;
    std::size_t count = 0;
    [[nodiscard]] const ContentCoding* begin() const noexcept { return codings.data(); }
    [[nodiscard]] const ContentCoding* end() const noexcept { return codings.data() + count; }
  };
  /// Those of `available` that the client takes, by its weights; among equals in the order of
  /// `available`, which is the server's preference. identity counts only when it is among them:
  /// named by the client with its weight, else behind all others. Without a field it comes first,
  /// since a client that says nothing often decodes nothing. Empty: none is acceptable.
  [[nodiscard]] Ranking rank(std::span<const ContentCoding> available) const noexcept;
  /// The first of rank().
  [[nodiscard]] std::optional<ContentCoding> choose(
      std::span<const ContentCoding> available) const noexcept;

 private:
  static constexpr std::uint16_t unnamed = 0xffff;
  [[nodiscard]] unsigned weight(ContentCoding coding) const noexcept;

  std::array<std::uint16_t, content_coding_count> weights_;  // thousandths, or unnamed
  std::uint16_t others_ = unnamed;                           // of `*`
  bool present_ = false;
};

}  // namespace squall::http
