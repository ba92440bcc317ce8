// SPDX-License-Identifier: Apache-2.0
#include "http/stop_index.hpp"

#include "http/ascii.hpp"

#include <array>
#include <atomic>
#include <cstdlib>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define SQUALL_HTTP_X86 1
#endif

namespace squall::http {
namespace {

#if defined(SQUALL_HTTP_X86)

// A byte's class is looked up in two halves: the entry of its low half has a bit for each high half
// below 8. Bytes from 0x80 on find a zero, as the shuffle instruction has it.
constexpr std::array<std::uint8_t, 16> low_halves(ascii::Class wanted, bool member) {
  std::array<std::uint8_t, 16> table{};
  for (unsigned code = 0; code < 128; ++code) {
    if (ascii::is(static_cast<char>(code), wanted) == member) {
      table[code % 16] = static_cast<std::uint8_t>(table[code % 16] | 1U << code / 16);
    }
  }
  return table;
}
alignas(16) constexpr std::array<std::uint8_t, 16> in_name = low_halves(ascii::token, true);
alignas(16) constexpr std::array<std::uint8_t, 16> not_in_value = low_halves(ascii::value, false);
alignas(16) constexpr std::array<std::uint8_t, 16> high_bit = {1, 2, 4, 8, 16, 32, 64, 128};

const __m128i* vector_of(const std::array<std::uint8_t, 16>& table) noexcept {
  return reinterpret_cast<const __m128i*>(table.data());
}

[[gnu::target("sse4.2")]] inline Stops window_16(const char* at) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i high = _mm_shuffle_epi8(_mm_load_si128(vector_of(high_bit)),
                                        _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15)));
  const __m128i name = _mm_shuffle_epi8(_mm_load_si128(vector_of(in_name)), bytes);
  const __m128i value = _mm_shuffle_epi8(_mm_load_si128(vector_of(not_in_value)), bytes);
  const __m128i zero = _mm_setzero_si128();
  const auto mask = [](int bits) { return static_cast<std::uint32_t>(bits); };
  return {mask(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(name, high), zero))),
          mask(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(value, high), zero))) ^ 0xffffU};
}

/// Fewer than 64 bytes.
[[gnu::target("sse4.2")]] void index_rest(const char* at, std::size_t size, std::size_t before,
                                          Stops* out) noexcept {
  Stops all{};
  std::size_t done = 0;
  const auto add = [&all](Stops stops, std::size_t offset) {
    all.name |= stops.name << offset;
    all.value |= stops.value << offset;
  };
  for (; size - done >= 16; done += 16) add(window_16(at + done), done);
  const std::size_t rest = size - done;
  if (rest != 0 && before + done >= 16) {
    // The last 16 bytes, of which some are known already.
    const Stops stops = window_16(at + size - 16);
    add({stops.name >> (16 - rest), stops.value >> (16 - rest)}, done);
  } else {
    for (; done != size; ++done) {
      add({!ascii::is(at[done], ascii::token), !ascii::is(at[done], ascii::value)}, done);
    }
  }
  *out = all;
}

[[gnu::target("sse4.2")]] void index_sse4(const char* at, std::size_t size, std::size_t before,
                                          Stops* out) noexcept {
  for (; size >= 64; size -= 64, at += 64, before += 64, ++out) {
    const Stops a = window_16(at), b = window_16(at + 16);
    const Stops c = window_16(at + 32), d = window_16(at + 48);
    *out = {a.name | b.name << 16 | c.name << 32 | d.name << 48,
            a.value | b.value << 16 | c.value << 32 | d.value << 48};
  }
  if (size != 0) index_rest(at, size, before, out);
}

[[gnu::target("avx2")]] inline __m256i twice(const std::array<std::uint8_t, 16>& table) noexcept {
  return _mm256_broadcastsi128_si256(_mm_load_si128(vector_of(table)));
}

[[gnu::target("avx2")]] inline Stops window_32(const char* at) noexcept {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i high = _mm256_shuffle_epi8(
      twice(high_bit), _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15)));
  const __m256i name = _mm256_shuffle_epi8(twice(in_name), bytes);
  const __m256i value = _mm256_shuffle_epi8(twice(not_in_value), bytes);
  const __m256i zero = _mm256_setzero_si256();
  const auto mask = [](int bits) { return static_cast<std::uint32_t>(bits); };
  return {mask(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(name, high), zero))),
          ~mask(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(value, high), zero)))};
}

[[gnu::target("avx2")]] inline Stops window_64(const char* at) noexcept {
  const Stops low = window_32(at), high = window_32(at + 32);
  return {low.name | high.name << 32, low.value | high.value << 32};
}

[[gnu::target("avx2")]] void index_avx2(const char* at, std::size_t size, std::size_t before,
                                        Stops* out) noexcept {
  for (; size >= 64; size -= 64, at += 64, before += 64, ++out) *out = window_64(at);
  if (size == 0) return;
  Stops stops{};
  if (before + size >= 64) {
    stops = window_64(at + size - 64);
    stops = {stops.name >> (64 - size), stops.value >> (64 - size)};
  } else if (size >= 32) {
    const Stops high = window_32(at + size - 32);
    stops = window_32(at);
    stops = {stops.name | high.name << (size - 32), stops.value | high.value << (size - 32)};
  } else if (before + size >= 32) {
    stops = window_32(at + size - 32);
    stops = {stops.name >> (32 - size), stops.value >> (32 - size)};
  } else {
    index_rest(at, size, before, out);
    return;
  }
  *out = stops;
}

bool has(VectorLevel level) noexcept {
  __builtin_cpu_init();
  switch (level) {
    case VectorLevel::none:
      return true;
    case VectorLevel::sse4:
      return __builtin_cpu_supports("sse4.2") != 0;
    case VectorLevel::avx2:
      return __builtin_cpu_supports("avx2") != 0;
  }
  return false;
}

IndexStops* indexer_of(VectorLevel level) noexcept {
  switch (level) {
    case VectorLevel::none:
      return nullptr;
    case VectorLevel::sse4:
      return index_sse4;
    case VectorLevel::avx2:
      return index_avx2;
  }
  return nullptr;
}

#else

bool has(VectorLevel level) noexcept { return level == VectorLevel::none; }
IndexStops* indexer_of(VectorLevel) noexcept { return nullptr; }

#endif

constexpr VectorLevel all_levels[] = {VectorLevel::none, VectorLevel::sse4, VectorLevel::avx2};

VectorLevel choose() noexcept {
  const char* const asked = std::getenv("SQUALL_SIMD");
  VectorLevel best = VectorLevel::none;
  for (const VectorLevel level : all_levels) {
    if (!has(level)) break;
    best = level;
    if (asked != nullptr && to_string(level) == asked) break;
  }
  return best;
}

// What has been chosen: not yet, or a level and its function. Choosing twice does no harm.
void not_chosen(const char*, std::size_t, std::size_t, Stops*) noexcept {}
std::atomic<IndexStops*> chosen_indexer{not_chosen};
std::atomic<VectorLevel> chosen_level{VectorLevel::none};

}  // namespace

std::string_view to_string(VectorLevel level) noexcept {
  switch (level) {
    case VectorLevel::none:
      return "off";
    case VectorLevel::sse4:
      return "sse4";
    case VectorLevel::avx2:
      return "avx2";
  }
  return "";
}

bool set_vector_level(VectorLevel level) noexcept {
  if (!has(level)) return false;
  chosen_level.store(level, std::memory_order_relaxed);
  chosen_indexer.store(indexer_of(level), std::memory_order_relaxed);
  return true;
}

IndexStops* stop_indexer() noexcept {
  IndexStops* const indexer = chosen_indexer.load(std::memory_order_relaxed);
  if (indexer != not_chosen) [[likely]]
    return indexer;
  set_vector_level(choose());
  return chosen_indexer.load(std::memory_order_relaxed);
}

VectorLevel vector_level() noexcept {
  static_cast<void>(stop_indexer());  // makes the choice
  return chosen_level.load(std::memory_order_relaxed);
}

}  // namespace squall::http
