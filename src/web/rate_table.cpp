// SPDX-License-Identifier: Apache-2.0
#include "web/rate_table.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace squall::web {
namespace {

// Entries that are looked at to find one to forget.
constexpr std::size_t candidates = 8;

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

std::uint64_t mix(std::uint64_t x) noexcept {  // of splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace

// Seeded, so that nobody can choose addresses that share a bucket of the map.
std::size_t RateTable::Hash::operator()(const Key& key) const noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, key.data(), sizeof halves);
  return static_cast<std::size_t>(mix(mix(halves[0] ^ seed) ^ halves[1]));
}

RateTable::RateTable(std::int64_t interval_ns, std::size_t burst, std::size_t max_keys)
    : interval_ns_(interval_ns),
      tolerance_ns_(interval_ns * static_cast<std::int64_t>(burst)),
      max_keys_(max_keys),
      full_at_(0, Hash{random_seed()}) {}

RateTable::State RateTable::state_of(std::int64_t full_at, std::int64_t now_ns) const noexcept {
  State state;
  state.full_ns = std::max<std::int64_t>(full_at - now_ns, 0);
  state.remaining = static_cast<std::size_t>((tolerance_ns_ - state.full_ns) / interval_ns_);
  state.next_ns = std::max<std::int64_t>(state.full_ns + interval_ns_ - tolerance_ns_, 0);
  return state;
}

RateTable::State RateTable::take(const Key& key, std::int64_t now_ns) {
  const std::scoped_lock lock(mutex_);
  auto at = full_at_.find(key);
  const std::int64_t known = at != full_at_.end() ? std::max(at->second, now_ns) : now_ns;
  if (known + interval_ns_ - now_ns > tolerance_ns_) return state_of(known, now_ns);
  if (at == full_at_.end()) {
    if (full_at_.size() >= max_keys_) make_room(now_ns);
    at = full_at_.try_emplace(key).first;
  }
  at->second = known + interval_ns_;
  State state = state_of(at->second, now_ns);
  state.taken = true;
  return state;
}

RateTable::State RateTable::look(const Key& key, std::int64_t now_ns) const {
  const std::scoped_lock lock(mutex_);
  const auto at = full_at_.find(key);
  return state_of(at != full_at_.end() ? at->second : now_ns, now_ns);
}

std::size_t RateTable::size() const {
  const std::scoped_lock lock(mutex_);
  return full_at_.size();
}

// Forgets the fullest of a few, or all of these that are full. They are looked at in turn.
void RateTable::make_room(std::int64_t now_ns) {
  Key fullest{};
  Key full[candidates];
  std::size_t full_count = 0;
  std::int64_t earliest = 0;
  const std::size_t buckets = full_at_.bucket_count();
  std::size_t seen = 0;
  for (std::size_t steps = 0; steps < buckets && seen < candidates; ++steps) {
    const std::size_t bucket = hand_++ % buckets;
    for (auto at = full_at_.begin(bucket); at != full_at_.end(bucket); ++at) {
      if (seen == candidates) break;
      if (seen == 0 || at->second < earliest) {
        earliest = at->second;
        fullest = at->first;
      }
      ++seen;
      if (at->second <= now_ns) full[full_count++] = at->first;
    }
  }
  if (full_count == 0) full[full_count++] = fullest;
  for (std::size_t i = 0; i < full_count; ++i) full_at_.erase(full[i]);
}

}  // namespace squall::web
