// SPDX-License-Identifier: Apache-2.0
#include "realtime/nats_history.hpp"

#include <utility>

namespace squall::realtime {

void NatsHistory::begin_epoch() {
  forget();
  top_ = Position(new_epoch(), 0);
}

void NatsHistory::count(Publication& publication) noexcept {
  top_ = top_.at(top_.offset() + 1);
  publication.set_position(top_);
}

void NatsHistory::keep(const PublicationRef& publication, const HistoryLimits& limits,
                       TimePoint now) {
  if (limits.size == 0) return;
  kept_.push_back({publication, now + limits.ttl, limits.ttl > Duration()});
  bytes_ += publication->memory_bytes();
  while (kept_.size() > limits.size || (bytes_ > limits.bytes && !kept_.empty())) drop_oldest();
  drop_expired(now);
}

void NatsHistory::forget() noexcept {
  kept_.clear();
  bytes_ = 0;
}

HistoryPage NatsHistory::page(const HistoryQuery& query, TimePoint now) {
  drop_expired(now);
  HistoryPage page;
  page.position = top_;
  if (!query.since.is_empty() && !query.since.has_epoch_of(top_)) return page;
  const auto take = [&](const Kept& kept) {
    const std::uint64_t offset = kept.publication->position().offset();
    const bool is_asked = query.since.is_empty() || (query.reverse ? offset < query.since.offset()
                                                                   : offset > query.since.offset());
    if (is_asked) page.publications.push_back(kept.publication);
  };
  const std::size_t limit = query.limit;
  if (query.reverse) {
    for (auto it = kept_.rbegin(); it != kept_.rend() && page.publications.size() < limit; ++it) {
      take(*it);
    }
  } else {
    for (auto it = kept_.begin(); it != kept_.end() && page.publications.size() < limit; ++it) {
      take(*it);
    }
  }
  return page;
}

/// From the old end only: what is kept stays without holes, as in the other brokers.
void NatsHistory::drop_expired(TimePoint now) noexcept {
  while (!kept_.empty() && kept_.front().expires && kept_.front().until <= now) drop_oldest();
}

void NatsHistory::drop_oldest() noexcept {
  bytes_ -= kept_.front().publication->memory_bytes();
  kept_.pop_front();
}

}  // namespace squall::realtime
