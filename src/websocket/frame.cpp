// SPDX-License-Identifier: Apache-2.0
#include "websocket/frame.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace squall::websocket {
namespace {

template <class Word>
void xor_word(char* at, Word mask) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  word ^= mask;
  std::memcpy(at, &word, sizeof word);
}

#if defined(__SSE2__)
void xor_block(char* at, __m128i mask) noexcept {
  auto* const block = reinterpret_cast<__m128i*>(at);
  _mm_storeu_si128(block, _mm_xor_si128(_mm_loadu_si128(block), mask));
}
#endif

}  // namespace

void apply_mask(std::span<char> payload, MaskKey key, std::uint64_t offset) noexcept {
  // The key turned so that its first byte meets the payload's first; every step below takes a
  // multiple of four bytes, so that it stays in place. memcpy keeps it free of byte order.
  const MaskKey turned = {key[offset & 3], key[(offset + 1) & 3], key[(offset + 2) & 3],
                          key[(offset + 3) & 3]};
  std::uint32_t mask4;
  std::memcpy(&mask4, turned.data(), sizeof mask4);
  const std::uint64_t mask8 = std::uint64_t{mask4} << 32 | mask4;

  char* at = payload.data();
  std::size_t left = payload.size();
#if defined(__SSE2__)
  const __m128i mask16 = _mm_set1_epi32(static_cast<int>(mask4));
  for (; left >= 64; left -= 64, at += 64) {
    xor_block(at, mask16);
    xor_block(at + 16, mask16);
    xor_block(at + 32, mask16);
    xor_block(at + 48, mask16);
  }
  for (; left >= 16; left -= 16, at += 16) xor_block(at, mask16);
#endif
  for (; left >= 8; left -= 8, at += 8) xor_word(at, mask8);
  if (left >= 4) {
    xor_word(at, mask4);
    left -= 4;
    at += 4;
  }
  for (std::size_t i = 0; i < left; ++i) {
    at[i] = static_cast<char>(static_cast<unsigned char>(at[i]) ^ turned[i]);
  }
}

}  // namespace squall::websocket
