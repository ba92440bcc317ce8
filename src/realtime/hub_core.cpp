// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_core.hpp"

#include "base/logging.hpp"
#include "loop/clock.hpp"
#include "loop/loop_core.hpp"
#include "realtime/completion.hpp"
#include "realtime/hub_loop.hpp"
#include "realtime/memory_presence.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <random>

namespace squall::realtime::detail {
namespace {

std::uint64_t now_ms() { return loop::monotonic_ns() / 1'000'000; }

std::uint64_t next_hub_id() {
  static std::atomic<std::uint64_t> ids{0};
  return ++ids;
}

std::string random_prefix() {
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> any(0, letters.size() - 1);
  std::string text;
  for (int i = 0; i < 12; ++i) text += letters[any(random)];
  return text + '-';
}

/// The hubs' ends on this thread, so that a publish finds its own without a lock. Hubs are told by
/// number: another one may come to stand at an old one's address.
struct KnownLoop {
  std::uint64_t hub;
  HubLoop* loop;
  std::weak_ptr<HubLoop> alive;
};
thread_local std::vector<KnownLoop> known_loops;

}  // namespace

HubCore::HubCore(BrokerPtr broker, const HubOptions& its_options)
    : options(its_options),
      id_(next_hub_id()),
      broker_(std::move(broker)),
      client_prefix_(random_prefix()) {
  if (!broker_) throw UsageError("a hub needs a broker: memory_broker() or another one");
  if (options.presence_refresh >= options.presence_ttl) {
    throw UsageError(
        "members would vanish before they are refreshed: presence_refresh is too long");
  }
  presence_ = broker_->presence();
  if (presence_ == nullptr) {
    own_presence_ = std::make_unique<MemoryPresence>(&now_ms);
    presence_ = own_presence_.get();
  }
}

HubCore::~HubCore() = default;

void HubCore::check_unused(const char* what) const {
  if (used_.load()) {
    throw UsageError(std::string(what) + " comes before the hub's first publish or subscribe");
  }
}

bool HubCore::allows(const AccessRequest& request) { return !authorizer || authorizer(request); }

HubCore::Shard& HubCore::shard_of(std::string_view channel) noexcept {
  return shards_[TextHash()(channel) % shard_count];
}

HubLoop* HubCore::known_loop_here() const noexcept {
  for (const KnownLoop& known : known_loops) {
    if (known.hub == id_) return known.loop;
  }
  return nullptr;
}

std::shared_ptr<HubLoop> HubCore::loop_here() {
  for (const KnownLoop& known : known_loops) {
    if (known.hub != id_) continue;
    if (std::shared_ptr<HubLoop> loop = known.alive.lock(); loop && !is_closed()) return loop;
  }
  const std::scoped_lock lock(loops_mutex_);
  if (is_closed()) return nullptr;
  std::erase_if(loops_, [this](const std::shared_ptr<HubLoop>& loop) {
    if (!loop->is_gone()) return false;
    loop->counters().add_to(ended_loops_);
    return true;
  });
  std::erase_if(known_loops, [](const KnownLoop& known) { return known.alive.expired(); });
  auto loop = std::make_shared<HubLoop>(shared_from_this(), loop::LoopCore::current().posts());
  loops_.push_back(loop);
  known_loops.push_back({id_, loop.get(), loop});
  return loop;
}

bool HubCore::begin_call() noexcept {
  if (pending_calls_.fetch_add(1, std::memory_order_relaxed) < options.max_pending_calls) {
    return true;
  }
  end_call();
  return false;
}

std::string HubCore::new_client_name() { return client_prefix_ + std::to_string(++clients_); }

void HubCore::log_failure(std::string_view what, std::string_view channel,
                          std::error_code error) noexcept {
  std::uint64_t last = last_log_ms_.load();
  const std::uint64_t now = now_ms();
  if (now - last < 1000 && last != 0) return;
  if (!last_log_ms_.compare_exchange_strong(last, now)) return;
  log::format(log::Level::warning, "realtime", "{} on channel '{}' failed: {}", what, channel,
              error.message());
}

void HubCore::close() noexcept {
  if (closed_.exchange(true)) return;
  {
    const std::scoped_lock lock(reads_mutex_);
    waiting_reads_.clear();
  }
  broker_->stop();
  {
    const std::scoped_lock lock(deferred_mutex_);
    deferred_.clear();
  }
  for (Shard& shard : shards_) {
    TextMap<ChannelPtr> dropped;
    const std::scoped_lock lock(shard.mutex);
    dropped.swap(shard.channels);
    channels_ -= dropped.size();
  }
  std::vector<std::shared_ptr<HubLoop>> loops;
  {
    const std::scoped_lock lock(loops_mutex_);
    loops.swap(loops_);
    for (const auto& loop : loops) loop->counters().add_to(ended_loops_);
  }
  for (const std::shared_ptr<HubLoop>& loop : loops) {
    Letter letter;
    letter.kind = Letter::Kind::closed;
    loop->put(std::move(letter));
  }
}

std::error_code HubCore::join(HubLoop& loop, LocalChannel& local, std::string_view name) {
  Shard& shard = shard_of(name);
  Todo todo;
  {
    const std::scoped_lock lock(shard.mutex);
    if (is_closed()) return make_error_code(RealtimeError::closed);
    auto found = shard.channels.find(name);
    if (found == shard.channels.end()) {
      if (channels_.load() >= options.max_channels) {
        return make_error_code(RealtimeError::hub_full);
      }
      found = shard.channels
                  .try_emplace(std::string(name),
                               std::make_shared<HubChannel>(name, rules.find(name), shard.counts))
                  .first;
      ++channels_;
    }
    HubChannel& channel = *found->second;
    channel.links.push_back({loop.shared_from_this(), &local, false});
    if (channel.stage == HubChannel::Stage::subscribed) channel.join_all();
    channel.settle_stage();
    todo = take_wants(found->second);
  }
  run(std::move(todo));
  return {};
}

bool HubCore::leave(HubLoop& loop, LocalChannel& local, std::string_view name) {
  Shard& shard = shard_of(name);
  Todo todo;
  bool told = false;
  {
    const std::scoped_lock lock(shard.mutex);
    Letter letter;
    letter.kind = Letter::Kind::left;
    letter.channel = &local;
    const auto found = shard.channels.find(name);
    if (found != shard.channels.end()) {
      HubChannel& channel = *found->second;
      std::erase_if(channel.links,
                    [&local](const HubChannel::Link& link) { return link.local == &local; });
      channel.settle_stage();
      todo = take_wants(found->second);
      erase_if_idle(shard, channel);
    }
    told = loop.put(std::move(letter));
  }
  run(std::move(todo));
  return told;
}

void HubCore::rejoin(HubLoop& loop, LocalChannel& local, std::string_view name) {
  Shard& shard = shard_of(name);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.channels.find(name);
  if (found == shard.channels.end()) return;
  for (const HubChannel::Link& link : found->second->links) {
    if (link.local != &local || !link.joined) continue;
    Letter letter;
    letter.kind = Letter::Kind::lost;
    letter.channel = &local;
    letter.details = std::make_unique<Letter::Details>();
    letter.details->position = found->second->sequencer.position();
    letter.details->reason = LossReason::loop_blocked;
    loop.put(std::move(letter));
  }
}

// A channel has at most one of each, so what is taken replaces nothing.
HubCore::Todo HubCore::take_wants(const ChannelPtr& channel) noexcept {
  if (!channel->wants.anything()) return {};
  return {channel, std::exchange(channel->wants, HubChannel::Wants())};
}

void HubCore::erase_if_idle(Shard& shard, HubChannel& channel) noexcept {
  if (channel.stage != HubChannel::Stage::idle || !channel.links.empty()) return;
  const auto found = shard.channels.find(channel.name);
  if (found == shard.channels.end() || found->second.get() != &channel) return;
  shard.channels.erase(found);
  --channels_;
}

void HubCore::run(Todo todo) {
  if (todo.channel == nullptr) return;
  if (todo.wants.subscribe) subscribe(todo.channel);
  if (todo.wants.unsubscribe) unsubscribe(todo.channel);
  if (todo.wants.read) read({todo.channel, todo.wants.ticket, todo.wants.query});
}

void HubCore::subscribe(const ChannelPtr& channel) {
  count_call();
  {
    const std::scoped_lock lock(shard_of(channel->name).mutex);
    channel->interruptions = interruptions_.load();
  }
  ask<Position>(
      shared_from_this(),
      [&](Completion<Position> done) { broker_->subscribe(channel->name, std::move(done)); },
      [self = shared_from_this(), channel](Result<Position> position) {
        self->on_subscribed(channel, std::move(position));
      });
}

void HubCore::on_subscribed(const ChannelPtr& channel, Result<Position> position) {
  Shard& shard = shard_of(channel->name);
  Todo todo;
  {
    const std::scoped_lock lock(shard.mutex);
    if (is_closed() || channel->stage != HubChannel::Stage::subscribing) return;
    if (!position || position->is_empty()) {
      log_failure("subscribing", channel->name,
                  position ? make_error_code(RealtimeError::broker_unavailable) : position.error());
      channel->refuse_all(position ? make_error_code(RealtimeError::broker_unavailable)
                                   : position.error());
      channel->stage = HubChannel::Stage::idle;
      erase_if_idle(shard, *channel);
      return;
    }
    channel->stage = HubChannel::Stage::subscribed;
    channel->sequencer.begin(*position);
    channel->join_all();
    channel->sequencer.resume(*channel, channel->interruptions != interruptions_.load());
    channel->settle_stage();
    todo = take_wants(channel);
  }
  run(std::move(todo));
}

void HubCore::unsubscribe(const ChannelPtr& channel) {
  count_call();
  ask<void>(
      shared_from_this(),
      [&](Completion<void> done) { broker_->unsubscribe(channel->name, std::move(done)); },
      [self = shared_from_this(), channel](Result<void>) { self->on_unsubscribed(channel); });
}

void HubCore::on_unsubscribed(const ChannelPtr& channel) {
  Shard& shard = shard_of(channel->name);
  Todo todo;
  {
    const std::scoped_lock lock(shard.mutex);
    if (is_closed()) return;
    channel->stage = HubChannel::Stage::idle;
    channel->settle_stage();
    todo = take_wants(channel);
    erase_if_idle(shard, *channel);
  }
  run(std::move(todo));
}

void HubCore::on_publication(PublicationRef publication) {
  Shard& shard = shard_of(publication->channel());
  Todo todo;
  std::shared_ptr<loop::PostQueue> posts;
  {
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.channels.find(publication->channel());
    if (found == shard.channels.end()) return;
    HubChannel& channel = *found->second;
    if (publication->kind() != PublicationKind::message) {
      channel.emit(publication);
      return;
    }
    if (channel.stage != HubChannel::Stage::subscribing &&
        channel.stage != HubChannel::Stage::subscribed) {
      return;
    }
    if (publication->position().offset() == 0) {
      log_failure("a publication without a position", channel.name,
                  make_error_code(RealtimeError::not_supported));
      return;
    }
    channel.sequencer.publication(publication, channel);
    if (channel.lost_loop) channel.settle_stage();
    if (!channel.wants.anything()) return;
    todo = take_wants(found->second);
    for (const HubChannel::Link& link : channel.links) {
      if (link.loop != nullptr) posts = link.loop->posts();
    }
  }
  defer(std::move(todo), posts);
}

// The broker may hold a lock while it calls on_publication(), so it is asked from elsewhere: a loop
// of the channel, or whoever comes first.
void HubCore::defer(Todo todo, const std::shared_ptr<loop::PostQueue>& posts) {
  {
    const std::scoped_lock lock(deferred_mutex_);
    deferred_.push_back(std::move(todo));
    has_deferred_.store(true, std::memory_order_release);
  }
  if (posts != nullptr) posts->post([self = shared_from_this()] { self->run_deferred(); });
}

void HubCore::run_deferred() {
  if (!has_deferred_.load(std::memory_order_acquire)) return;
  std::vector<Todo> todo;
  {
    const std::scoped_lock lock(deferred_mutex_);
    todo.swap(deferred_);
    has_deferred_.store(false, std::memory_order_relaxed);
  }
  for (Todo& one : todo) run(std::move(one));
}

void HubCore::on_interrupted() {
  ++interruptions_;
  for (Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    for (const auto& [name, channel] : shard.channels) {
      if (channel->stage == HubChannel::Stage::subscribed) channel->sequencer.interrupted();
    }
  }
}

void HubCore::on_restored() {
  std::vector<Todo> todo;
  for (Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    for (const auto& [name, channel] : shard.channels) {
      if (channel->stage != HubChannel::Stage::subscribed) continue;
      channel->sequencer.restored(*channel);
      todo.push_back(take_wants(channel));
    }
  }
  for (Todo& one : todo) run(std::move(one));
}

Position HubCore::live_position(std::string_view name) {
  Shard& shard = shard_of(name);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.channels.find(name);
  if (found == shard.channels.end()) return {};
  const HubChannel& channel = *found->second;
  const bool is_known =
      channel.stage == HubChannel::Stage::subscribed && channel.sequencer.is_live();
  return is_known ? channel.sequencer.position() : Position();
}

HubMetrics HubCore::metrics() {
  HubMetrics sum;
  {
    const std::scoped_lock lock(loops_mutex_);
    sum = ended_loops_;
    for (const auto& loop : loops_) loop->counters().add_to(sum);
    sum.loops = loops_.size();
  }
  for (Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    sum.received += shard.counts.emitted;
    sum.duplicates += shard.counts.duplicates;
    sum.gaps += shard.counts.gaps;
    sum.gaps_filled += shard.counts.gaps_filled;
  }
  sum.published = published_;
  sum.publish_failures = publish_failures_;
  sum.interruptions = interruptions_;
  sum.broker_failures = broker_failures_;
  sum.channels = channels_;
  sum.pending_calls = pending_calls_;
  return sum;
}

}  // namespace squall::realtime::detail
