// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace squall {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080U;

// The first byte in [at, end) that is not ASCII, or end.
const char* skip_ascii(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  const auto load = [](const char* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  for (; end - at >= 64; at += 64) {
    const __m128i low = _mm_or_si128(load(at), load(at + 16));
    const __m128i high = _mm_or_si128(load(at + 32), load(at + 48));
    if (_mm_movemask_epi8(_mm_or_si128(low, high)) != 0) break;
  }
  while (end - at >= 16) {
    const __m128i block = load(at);
    const auto high = static_cast<unsigned>(_mm_movemask_epi8(block));
    if (high != 0) return at + std::countr_zero(high);
    at += 16;
  }
#endif
  while (end - at >= 8) {
    std::uint64_t block;
    std::memcpy(&block, at, sizeof block);
    if ((block & high_bits) != 0) break;
    at += 8;
  }
  while (at != end && static_cast<unsigned char>(*at) < 0x80) ++at;
  return at;
}

bool is_tail(const char* at) noexcept { return (static_cast<unsigned char>(*at) & 0xC0U) == 0x80; }

// Goes over whole characters of two and three bytes that are right without a doubt, as letters of
// most scripts are; stops at any other byte.
const char* skip_letters(const char* at, const char* end) noexcept {
  while (end - at >= 3) {
    const unsigned lead = static_cast<unsigned char>(*at);
    if (lead >= 0xE1 && lead <= 0xEC) {  // not E0, ED: their second bytes have other ranges
      if (!is_tail(at + 1) || !is_tail(at + 2)) return at;
      at += 3;
    } else if (lead >= 0xC2 && lead <= 0xDF) {
      if (!is_tail(at + 1)) return at;
      at += 2;
    } else {
      return at;
    }
  }
  return at;
}

}  // namespace

bool Utf8Validator::feed(std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  // Copies, so that the loop keeps them in registers: stores through `this` could alias the text.
  unsigned needed = needed_;
  unsigned lowest = lowest_;
  unsigned highest = highest_;
  bool good = true;
  while (at != end) {
    const unsigned byte = static_cast<unsigned char>(*at);
    if (needed == 0) {
      if (byte < 0x80) {
        at = skip_ascii(at, end);
        continue;
      }
      if (const char* const after = skip_letters(at, end); after != at) {
        at = after;
        continue;
      }
      // The table of RFC 3629 §4: the lead byte narrows the range of the second byte.
      lowest = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;   // overlong forms
      highest = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;  // surrogates, past U+10FFFF
      if (byte >= 0xC2 && byte <= 0xDF) {
        needed = 1;
      } else if (byte >= 0xE0 && byte <= 0xEF) {
        needed = 2;
      } else if (byte >= 0xF0 && byte <= 0xF4) {
        needed = 3;
      } else {
        good = false;
        break;
      }
    } else {
      if (byte < lowest || byte > highest) {
        good = false;
        break;
      }
      lowest = 0x80;
      highest = 0xBF;
      --needed;
    }
    ++at;
  }
  if (!good) {
    needed = 1;
    lowest = 1;
    highest = 0;
  }
  needed_ = static_cast<std::uint8_t>(needed);
  lowest_ = static_cast<std::uint8_t>(lowest);
  highest_ = static_cast<std::uint8_t>(highest);
  return good;
}

bool is_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace squall
