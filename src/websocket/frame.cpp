// SPDX-License-Identifier: Apache-2.0
#include "websocket/frame.hpp"

#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace squall::websocket {
namespace {

template <class Word>
Word xor_word(char* at, Word mask) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  word ^= mask;
  std::memcpy(at, &word, sizeof word);
  return word;
}

#if defined(__SSE2__)
__m128i xor_block(char* at, __m128i mask) noexcept {
  auto* const block = reinterpret_cast<__m128i*>(at);
  const __m128i bytes = _mm_xor_si128(_mm_loadu_si128(block), mask);
  _mm_storeu_si128(block, bytes);
  return bytes;
}
#endif

// The key turned so that its first byte meets the payload's first.
std::uint32_t turned(MaskKey key, std::uint64_t offset) noexcept {
  std::uint32_t mask;
  std::memcpy(&mask, key.data(), sizeof mask);
  const int bits = static_cast<int>(offset & 3) * 8;
  return std::endian::native == std::endian::little ? std::rotr(mask, bits) : std::rotl(mask, bits);
}

// Applies the mask; with `Look` it says whether every byte is ASCII then. Each step takes a
// multiple of four bytes, so that the key stays in its place.
template <bool Look>
bool apply(char* at, std::size_t left, std::uint32_t mask4) noexcept {
  const std::uint64_t mask8 = std::uint64_t{mask4} << 32 | mask4;
  std::uint64_t seen = 0;
#if defined(__SSE2__)
  if (left >= 16) {
    const __m128i mask16 = _mm_set1_epi32(static_cast<int>(mask4));
    __m128i all = _mm_setzero_si128();
    for (; left >= 64; left -= 64, at += 64) {
      const __m128i a = xor_block(at, mask16);
      const __m128i b = xor_block(at + 16, mask16);
      const __m128i c = xor_block(at + 32, mask16);
      const __m128i d = xor_block(at + 48, mask16);
      if constexpr (Look) {
        all = _mm_or_si128(all, _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
      }
    }
    for (; left >= 16; left -= 16, at += 16) {
      const __m128i block = xor_block(at, mask16);
      if constexpr (Look) all = _mm_or_si128(all, block);
    }
    if constexpr (Look) {
      if (_mm_movemask_epi8(all) != 0) seen = 0x80;
    }
  }
#endif
  for (; left >= 8; left -= 8, at += 8) seen |= xor_word(at, mask8);
  if (left >= 4) {
    seen |= xor_word(at, mask4);
    left -= 4;
    at += 4;
  }
  if (left != 0) {
    std::array<unsigned char, 4> key;
    std::memcpy(key.data(), &mask4, sizeof mask4);
    for (std::size_t i = 0; i < left; ++i) {
      const auto byte = static_cast<unsigned char>(static_cast<unsigned char>(at[i]) ^ key[i]);
      at[i] = static_cast<char>(byte);
      seen |= byte;
    }
  }
  return (seen & 0x8080808080808080U) == 0;
}

}  // namespace

void apply_mask(std::span<char> payload, MaskKey key, std::uint64_t offset) noexcept {
  apply<false>(payload.data(), payload.size(), turned(key, offset));
}

bool unmask_ascii(std::span<char> payload, MaskKey key) noexcept {
  return apply<true>(payload.data(), payload.size(), turned(key, 0));
}

}  // namespace squall::websocket
