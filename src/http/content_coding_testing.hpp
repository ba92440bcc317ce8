// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/content_decoder.hpp"
#include "http/content_encoder.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What the tests of content codings share.
namespace squall::http {

inline constexpr ContentCoding real_codings[] = {ContentCoding::gzip, ContentCoding::br,
                                                 ContentCoding::zstd, ContentCoding::deflate};

/// Text that is neither noise nor one letter: words in an order that does not repeat.
inline std::string some_text(std::size_t size) {
  static constexpr std::string_view words[] = {"loop ", "event ",  "stream ", "of ",  "the ",
                                               "a ",    "socket ", "reads ",  "and ", "writes "};
  std::string text;
  unsigned state = 12345;
  while (text.size() < size) {
    state = state * 1664525U + 1013904223U;
    text += words[(state >> 16) % 10];
    if (state >> 28 == 0) text += std::to_string(state);
  }
  text.resize(size);
  return text;
}

inline std::string encoded(ContentCoding coding, std::string_view text,
                           int level = ContentEncoder::default_level) {
  ContentEncoder encoder(coding, level);
  std::string coded;
  encoder.write(text, coded);
  encoder.finish(coded);
  return coded;
}

/// What one piece gives; "error: ..." when it is refused.
inline std::string decode_piece(ContentDecoder& decoder, std::string_view piece) {
  std::string text;
  for (;;) {
    const auto step = decoder.next(piece);
    if (!step) return "error: " + step.error().message();
    piece.remove_prefix(step->consumed);
    text += step->data;
    if (step->data.empty()) return text;
  }
}

/// What `coded` gives, fed in pieces of `piece` bytes after a first one of `first`.
inline std::string decode_in_pieces(std::string_view coding, std::string_view coded,
                                    std::size_t first, std::size_t piece,
                                    const DecoderLimits& limits = {}) {
  Result<ContentDecoder> decoder = ContentDecoder::create(coding, limits);
  if (!decoder) return "error: " + decoder.error().message();
  std::string text;
  std::size_t size = first;
  for (std::size_t at = 0; at < coded.size(); at += size, size = piece) {
    const std::vector<char> exact(
        coded.begin() + static_cast<std::ptrdiff_t>(at),
        coded.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, coded.size())));
    const std::string more = decode_piece(*decoder, {exact.data(), exact.size()});
    if (more.starts_with("error: ")) return more;
    text += more;
  }
  const auto end = decoder->finish();
  if (!end) return "error: " + end.error().message();
  return text;
}

inline std::string decoded(ContentCoding coding, std::string_view coded) {
  return decode_in_pieces(to_string(coding), coded, coded.size(), 1);
}

}  // namespace squall::http
