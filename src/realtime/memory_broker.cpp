// SPDX-License-Identifier: Apache-2.0
#include "realtime/memory_broker.hpp"

#include "loop/clock.hpp"

#include <squall/base/error.hpp>
#include <squall/realtime/error.hpp>

#include <algorithm>
#include <random>

namespace squall::realtime {

Broker::~Broker() = default;

BrokerPtr memory_broker(const MemoryBrokerOptions& options) {
  return BrokerPtr(new detail::MemoryBroker(options));
}

namespace detail {

MemoryBroker::MemoryBroker(const MemoryBrokerOptions& options, Clock clock)
    : max_channels_(options.max_channels), max_bytes_(options.max_history_bytes), clock_(clock) {
  if (max_channels_ == 0) throw UsageError("a memory broker needs room for one channel");
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> any(0, letters.size() - 1);
  for (int i = 0; i < 8; ++i) epoch_prefix_ += letters[any(random)];
}

std::uint64_t MemoryBroker::now_ms() { return loop::monotonic_ns() / 1'000'000; }

void MemoryBroker::start(BrokerListener& listener) { listener_ = &listener; }

// Takes each lock once, so that nobody is in the listener when it returns.
void MemoryBroker::stop() noexcept {
  listener_ = nullptr;
  for (Shard& shard : shards_) const std::scoped_lock lock(shard.mutex);
}

MemoryBroker::Shard& MemoryBroker::shard_of(std::string_view channel) noexcept {
  return shards_[TextHash()(channel) / 7 % shard_count];
}

// A channel that was forgotten begins a new life of its stream, which nobody takes for the old one.
std::string MemoryBroker::new_epoch() {
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string text = epoch_prefix_ + '-';
  for (std::uint64_t n = ++epochs_; n > 0; n /= letters.size()) text += letters[n % letters.size()];
  return text;
}

// With the lock held; nullptr when there is no room.
MemoryBroker::Channel* MemoryBroker::open(Shard& shard, std::string_view name) {
  const auto found = shard.channels.find(name);
  if (found != shard.channels.end()) {
    Channel& channel = found->second;
    if (!channel.subscribed) shard.idle.splice(shard.idle.end(), shard.idle, channel.idle);
    return &channel;
  }
  if (!make_room(shard)) return nullptr;
  const auto [place, added] = shard.channels.try_emplace(std::string(name));
  Channel& channel = place->second;
  channel.name = place->first;
  channel.top = Position(new_epoch(), 0);
  channel.idle = shard.idle.insert(shard.idle.end(), &channel);
  ++channels_;
  return &channel;
}

bool MemoryBroker::make_room(Shard& shard) {
  if (channels_.load(std::memory_order_relaxed) < max_channels_ || forget_oldest(shard)) {
    return true;
  }
  // The others' locks are only tried: someone may hold one and try this one.
  for (Shard& other : shards_) {
    if (&other == &shard) continue;
    const std::unique_lock lock(other.mutex, std::try_to_lock);
    if (lock.owns_lock() && forget_oldest(other)) return true;
  }
  return false;
}

bool MemoryBroker::forget_oldest(Shard& shard) {
  if (shard.idle.empty()) return false;
  Channel& oldest = *shard.idle.front();
  drop_all(shard, oldest);
  shard.idle.pop_front();
  shard.channels.erase(shard.channels.find(oldest.name));
  --channels_;
  return true;
}

void MemoryBroker::publish(PublicationRef publication, const HistoryLimits& limits,
                           Completion<Position> done) {
  Shard& shard = shard_of(publication->channel());
  Position position;
  {
    const std::scoped_lock lock(shard.mutex);
    BrokerListener* const listener = listener_.load(std::memory_order_relaxed);
    if (listener == nullptr) {
      position = Position();
    } else if (publication->kind() != PublicationKind::message) {
      const auto found = shard.channels.find(publication->channel());
      if (found != shard.channels.end()) {
        position = found->second.top;
        if (found->second.subscribed) listener->on_publication(std::move(publication));
      }
    } else if (Channel* const channel = open(shard, publication->channel()); channel != nullptr) {
      position = channel->top = channel->top.at(channel->top.offset() + 1);
      publication->set_position(position);
      keep(shard, *channel, publication, limits);
      if (channel->subscribed) listener->on_publication(std::move(publication));
    }
  }
  if (!position.is_empty()) return done(position);
  done(listener_.load() == nullptr ? RealtimeError::closed : RealtimeError::hub_full);
}

void MemoryBroker::subscribe(std::string_view name, Completion<Position> done) {
  Shard& shard = shard_of(name);
  Position position;
  {
    const std::scoped_lock lock(shard.mutex);
    Channel* const channel = listener_.load() == nullptr ? nullptr : open(shard, name);
    if (channel != nullptr) {
      if (!std::exchange(channel->subscribed, true)) shard.idle.erase(channel->idle);
      position = channel->top;
    }
  }
  if (!position.is_empty()) return done(position);
  done(listener_.load() == nullptr ? RealtimeError::closed : RealtimeError::hub_full);
}

void MemoryBroker::unsubscribe(std::string_view name, Completion<void> done) {
  Shard& shard = shard_of(name);
  {
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.channels.find(name);
    if (found != shard.channels.end() && std::exchange(found->second.subscribed, false)) {
      Channel& channel = found->second;
      channel.idle = shard.idle.insert(shard.idle.end(), &channel);
    }
  }
  done({});
}

void MemoryBroker::history(std::string_view name, const HistoryQuery& query,
                           Completion<HistoryPage> done) {
  Shard& shard = shard_of(name);
  HistoryPage page;
  bool stopped = false;
  {
    const std::scoped_lock lock(shard.mutex);
    stopped = listener_.load() == nullptr;
    // Also one that is not there yet gets its epoch, so that its position can be a cursor.
    if (Channel* const channel = stopped ? nullptr : open(shard, name); channel != nullptr) {
      expire(shard, *channel, clock_());
      page = page_of(*channel, query);
    }
  }
  if (stopped) return done(RealtimeError::closed);
  if (page.position.is_empty()) return done(RealtimeError::hub_full);
  done(std::move(page));
}

void MemoryBroker::remove(std::string_view name, Completion<void> done) {
  Shard& shard = shard_of(name);
  {
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.channels.find(name);
    if (found != shard.channels.end()) drop_all(shard, found->second);
  }
  done({});
}

void MemoryBroker::keep(Shard& shard, Channel& channel, const PublicationRef& publication,
                        const HistoryLimits& limits) {
  const std::uint64_t now = clock_();
  // One other channel each time, so that what has expired goes also where nobody looks.
  if (!shard.historic.empty()) expire(shard, *shard.historic.front(), now);
  if (limits.size == 0) return drop_all(shard, channel);  // what is kept has no holes
  expire(shard, channel, now);
  const std::size_t bytes = publication->memory_bytes();
  if (channel.history.empty()) {
    channel.historic = shard.historic.insert(shard.historic.end(), &channel);
  } else {
    shard.historic.splice(shard.historic.end(), shard.historic, channel.historic);
  }
  const auto ttl = static_cast<std::uint64_t>(limits.ttl.milliseconds());
  channel.history.push_back(Kept{publication, now + ttl});
  channel.bytes += bytes;
  bytes_ += bytes;
  while (!channel.history.empty() &&
         (channel.history.size() > limits.size || channel.bytes > limits.bytes)) {
    drop_oldest(shard, channel);
  }
  // Twice what came is enough to stay below the limit, and leaves the others in this part theirs.
  std::size_t freed = 0;
  while (bytes_.load(std::memory_order_relaxed) > max_bytes_ && freed < 2 * bytes &&
         !shard.historic.empty()) {
    freed += drop_oldest(shard, *shard.historic.front());
  }
}

std::size_t MemoryBroker::drop_oldest(Shard& shard, Channel& channel) noexcept {
  const std::size_t bytes = channel.history.front().publication->memory_bytes();
  channel.bytes -= bytes;
  bytes_ -= bytes;
  channel.history.pop_front();
  if (channel.history.empty()) shard.historic.erase(channel.historic);
  return bytes;
}

void MemoryBroker::drop_all(Shard& shard, Channel& channel) noexcept {
  while (!channel.history.empty()) drop_oldest(shard, channel);
}

void MemoryBroker::expire(Shard& shard, Channel& channel, std::uint64_t now) noexcept {
  while (!channel.history.empty() && channel.history.front().expires_ms <= now) {
    drop_oldest(shard, channel);
  }
}

HistoryPage MemoryBroker::page_of(const Channel& channel, const HistoryQuery& query) {
  HistoryPage page;
  page.position = channel.top;
  const auto& history = channel.history;
  if (query.limit == 0 || history.empty()) return page;
  const bool from_start = query.since.is_empty();
  if (!from_start && !query.since.has_epoch_of(channel.top)) return page;
  // The offsets are consecutive, so a place is found by counting.
  const std::uint64_t first = history.front().publication->position().offset();
  const std::uint64_t past = channel.top.offset() + 1;
  const std::uint64_t since = query.since.offset();
  if (query.reverse) {
    std::uint64_t end = from_start ? past : std::clamp(since, first, past);
    while (end > first && page.publications.size() < query.limit) {
      page.publications.push_back(history[--end - first].publication);
    }
  } else {
    std::uint64_t next = from_start ? first : std::clamp(since, first - 1, past - 1) + 1;
    page.publications.reserve(std::min<std::size_t>(query.limit, past - next));
    while (next < past && page.publications.size() < query.limit) {
      page.publications.push_back(history[next++ - first].publication);
    }
  }
  return page;
}

}  // namespace detail
}  // namespace squall::realtime
