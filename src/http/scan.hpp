// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/ascii.hpp"

#if defined(__SSE2__)
#include <bit>
#include <emmintrin.h>
#endif

/// Finds the end of a run of ordinary bytes, sixteen at a time where the CPU can. Each function
/// returns the first byte in [at, end) that is not of its kind, or `end`, and reads nothing else.
namespace squall::http::scan {

inline const char* skip_class(const char* at, const char* end, ascii::Class wanted) noexcept {
  while (at != end && ascii::is(*at, wanted)) ++at;
  return at;
}

#if defined(__SSE2__)

namespace detail {

inline __m128i load(const char* at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline __m128i all(int byte) noexcept { return _mm_set1_epi8(static_cast<char>(byte)); }
/// Lanes whose unsigned value is at most `most`; SSE2 has no unsigned comparison.
inline __m128i at_most(__m128i lanes, int most) noexcept {
  return _mm_cmpeq_epi8(_mm_min_epu8(lanes, all(most)), lanes);
}
inline __m128i equal(__m128i lanes, int byte) noexcept { return _mm_cmpeq_epi8(lanes, all(byte)); }
inline unsigned mask(__m128i lanes) noexcept {
  return static_cast<unsigned>(_mm_movemask_epi8(lanes));
}

}  // namespace detail

/// Runs `stops` (bytes to a lane mask of those that end the run) over whole blocks.
template <class Stops>
inline const char* skip_blocks(const char* at, const char* end, ascii::Class wanted,
                               Stops stops) noexcept {
  while (end - at >= 16) {
    const unsigned hits = detail::mask(stops(detail::load(at)));
    if (hits != 0) return at + std::countr_zero(hits);
    at += 16;
  }
  return skip_class(at, end, wanted);
}

/// Skips bytes of a field value (RFC 9110 §5.5).
inline const char* skip_value(const char* at, const char* end) noexcept {
  return skip_blocks(at, end, ascii::value, [](__m128i lanes) {
    const __m128i control =
        _mm_andnot_si128(detail::equal(lanes, '\t'), detail::at_most(lanes, 0x1f));
    return _mm_or_si128(control, detail::equal(lanes, 0x7f));
  });
}

/// Skips bytes of a request target up to a space, a control, `#`, `%` or `?`.
inline const char* skip_target(const char* at, const char* end) noexcept {
  return skip_blocks(at, end, ascii::target, [](__m128i lanes) {
    const __m128i blank = detail::at_most(lanes, 0x20);
    const __m128i marks = _mm_or_si128(detail::equal(lanes, '?'), detail::equal(lanes, '%'));
    const __m128i refused = _mm_or_si128(detail::equal(lanes, '#'), detail::equal(lanes, 0x7f));
    return _mm_or_si128(_mm_or_si128(blank, marks), refused);
  });
}

namespace detail {

inline __m128i digits(__m128i lanes) noexcept { return at_most(_mm_sub_epi8(lanes, all('0')), 9); }
/// Letters, digits and `-`.
inline __m128i name_lanes(__m128i lanes) noexcept {
  const __m128i folded = _mm_or_si128(lanes, all(0x20));
  const __m128i letter = at_most(_mm_sub_epi8(folded, all('a')), 25);
  return _mm_or_si128(_mm_or_si128(letter, digits(lanes)), equal(lanes, '-'));
}
inline __m128i host_lanes(__m128i lanes) noexcept {
  return _mm_or_si128(name_lanes(lanes), equal(lanes, '.'));
}

}  // namespace detail

/// Skips bytes of a token (RFC 9110 §5.6.2).
inline const char* skip_token(const char* at, const char* end) noexcept {
  // Blocks know letters, digits and `-`, which is what field names are made of; a rarer byte
  // ends the block and the table decides.
  at = skip_blocks(at, end, ascii::token, [](__m128i lanes) {
    return _mm_xor_si128(detail::name_lanes(lanes), detail::all(0xff));
  });
  return skip_class(at, end, ascii::token);
}

/// Whether [at, at + size) is a host as most are: up to 32 letters, digits, `-` and `.`, and a port
/// of up to four digits or none. The 16 bytes in front of its end can be read, whatever its size.
inline bool is_plain_host(const char* at, std::size_t size) noexcept {
  constexpr unsigned all_lanes = 0xffff;
  if (size > 16) {
    if (size > 32 || detail::mask(detail::host_lanes(detail::load(at))) != all_lanes) return false;
    at += size - 16;
    size = 16;
  }
  const __m128i lanes = detail::load(at + size - 16);
  const unsigned others = (detail::mask(detail::host_lanes(lanes)) ^ all_lanes) >> (16 - size);
  if (others == 0) return size != 0;
  const auto host = static_cast<std::size_t>(std::countr_zero(others));
  if (at[host] != ':' || host == 0 || size - host > 5) return false;
  return (detail::mask(detail::digits(lanes)) ^ all_lanes) >> (16 - size + host + 1) == 0;
}

#else

inline const char* skip_value(const char* at, const char* end) noexcept {
  return skip_class(at, end, ascii::value);
}
inline const char* skip_target(const char* at, const char* end) noexcept {
  return skip_class(at, end, ascii::target);
}
inline const char* skip_token(const char* at, const char* end) noexcept {
  return skip_class(at, end, ascii::token);
}
inline bool is_plain_host(const char*, std::size_t) noexcept { return false; }

#endif

}  // namespace squall::http::scan
