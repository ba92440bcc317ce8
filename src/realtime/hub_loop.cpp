// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_loop.hpp"

#include "base/logging.hpp"
#include "loop/clock.hpp"
#include "realtime/hub_core.hpp"

#include <squall/loop/ioloop.hpp>

#include <algorithm>

namespace squall::realtime::detail {
namespace {

/// What opens an inbox. A loop that ends destroys it without having run it.
class Opener {
 public:
  explicit Opener(std::shared_ptr<HubLoop> loop) noexcept : loop_(std::move(loop)) {}
  Opener(Opener&&) noexcept = default;
  Opener& operator=(Opener&&) = delete;
  ~Opener() {
    if (loop_ != nullptr) loop_->loop_ended();
  }
  void operator()() {
    const std::shared_ptr<HubLoop> loop = std::move(loop_);
    loop->open_inbox();
  }

 private:
  std::shared_ptr<HubLoop> loop_;
};

void log_exception() noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    log::format(log::Level::error, "realtime", "a subscriber threw: {}", error.what());
  } catch (...) {
    log::write(log::Level::error, "realtime", "a subscriber threw something unknown");
  }
}

constexpr std::size_t kept_letters = 4096;
constexpr std::size_t checks_per_tick = 1000;

}  // namespace

void LoopCounters::add_to(HubMetrics& sum) const noexcept {
  const auto read = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  sum.delivered += read(delivered);
  sum.dropped += read(dropped);
  sum.recovered += read(recovered);
  sum.not_recovered += read(not_recovered);
  sum.recovered_publications += read(recovered_publications);
  sum.losses += read(losses);
  sum.inbox_overflows += read(inbox_overflows);
  sum.subscriptions += read(subscriptions);
}

HubLoop::HubLoop(std::shared_ptr<HubCore> core, std::shared_ptr<loop::PostQueue> posts)
    : core_(std::move(core)),
      inbox_(std::move(posts), core_->options.max_inbox_publications,
             core_->options.max_inbox_bytes) {}

HubLoop::~HubLoop() = default;

std::uint64_t HubLoop::now_ms() noexcept { return loop::monotonic_ns() / 1'000'000; }

bool HubLoop::put(Letter letter) {
  return inbox_.put(std::move(letter), [this] { return Opener(shared_from_this()); });
}

void HubLoop::open_inbox() {
  inbox_.open(opened_);
  for (Letter& letter : opened_.letters) handle(letter);
  if (opened_.letters.capacity() > kept_letters) {
    std::vector<Letter>().swap(opened_.letters);
  } else {
    opened_.letters.clear();
  }
  if (opened_.overflowed) inbox_overflowed();
  hand_over_arrived();
}

void HubLoop::handle(Letter& letter) {
  switch (letter.kind) {
    case Letter::Kind::publication:
      return deliver(*letter.channel, letter.publication);
    case Letter::Kind::joined:
      return on_joined(*letter.channel, letter.details->position);
    case Letter::Kind::lost:
      return lose(*letter.channel, Loss{letter.details->reason, letter.details->position, false});
    case Letter::Kind::refused:
      return on_refused(*letter.channel, letter.details->error);
    case Letter::Kind::left:
      return free_channel(*letter.channel);
    case Letter::Kind::closed:
      return on_closed();
  }
}

void HubLoop::deliver(LocalChannel& channel, const PublicationRef& publication) {
  if (!channel.joined) return;
  if (publication->kind() != PublicationKind::message) return tell_presence(channel, publication);
  if (channel.blocked) return;
  channel.position = publication->position();
  if (channel.recovering > 0) channel.remember(publication);
  // Where offsets are skipped this may be new to those who are ahead of what came before.
  if (!channel.ahead.empty()) catch_up(channel, channel.position.offset() - 1);
  hand_round(channel, publication);
  if (!channel.ahead.empty()) catch_up(channel, channel.position.offset());
}

void HubLoop::hand_round(LocalChannel& channel, const PublicationRef& publication) {
  std::uint32_t queued = 0;
  std::uint32_t dropped = 0;
  channel.in_round = true;
  const std::size_t count = channel.entries.size();
  for (std::size_t i = 0; i < count;) {
    try {
      for (; i < count; ++i) {
        const LocalChannel::Entry& entry = channel.entries[i];
        if (entry.subscriber == nullptr) continue;
        if (entry.subscriber->on_publication(publication, entry.policy) == Delivery::queued) {
          ++queued;
        } else {
          ++dropped;
        }
      }
    } catch (...) {
      log_exception();
      ++dropped;
      ++i;
    }
  }
  channel.close_holes();
  LoopCounters::add(counters_.delivered, queued);
  if (dropped > 0) LoopCounters::add(counters_.dropped, dropped);
  if (PublicationAccess::origin(*publication) == this) {
    PublicationAccess::add(*publication, queued, dropped);
  }
}

void HubLoop::tell_presence(LocalChannel& channel, const PublicationRef& publication) {
  channel.in_round = true;
  const std::size_t count = channel.entries.size();
  for (std::size_t i = 0; i < count; ++i) {
    Subscriber* const subscriber = channel.entries[i].subscriber;
    if (subscriber == nullptr) continue;
    try {
      subscriber->on_presence(publication);
    } catch (...) {
      log_exception();
    }
  }
  channel.close_holes();
}

// Those that do not want to stay leave; all when the loss is the end.
void HubLoop::lose(LocalChannel& channel, const Loss& loss) {
  channel.position = loss.position;
  channel.blocked = false;
  channel.forget();
  for (Subscription* const subscription : std::exchange(channel.ahead, {})) {
    channel.add_live(*subscription);
  }
  channel.in_round = true;
  const std::size_t count = channel.entries.size();
  for (std::size_t i = 0; i < count; ++i) {
    const LocalChannel::Entry entry = channel.entries[i];
    if (entry.subscriber == nullptr) continue;
    AfterLoss after = AfterLoss::unsubscribe;
    LoopCounters::add(counters_.losses, 1);
    try {
      after = entry.subscriber->on_lost(channel.name, loss);
    } catch (...) {
      log_exception();
    }
    if (channel.entries[i].subscriber == nullptr) continue;  // has gone by itself
    if (after == AfterLoss::unsubscribe || loss.ended) end(*entry.subscription);
  }
  channel.close_holes();
  // Those that came while the position was unknown.
  if (!loss.ended) on_joined(channel, loss.position);
}

void HubLoop::on_joined(LocalChannel& channel, const Position& position) {
  channel.position = position;
  channel.joined = true;
  channel.blocked = false;
  for (Subscription* const subscription : std::exchange(channel.waiting, {})) {
    arrive(*subscription);
  }
}

void HubLoop::on_refused(LocalChannel& channel, std::error_code error) {
  channel.refusal = error;  // also for those in line: the core has forgotten the channel
  while (!channel.waiting.empty()) refuse(*channel.waiting.back(), error);
  if (!channel.has_left) close_channel(channel);
}

void HubLoop::on_closed() {
  std::vector<LocalChannel*> all;
  for (const auto& [name, channel] : channels_) all.push_back(channel.get());
  const std::error_code closed = make_error_code(RealtimeError::closed);
  for (LocalChannel* const channel : all) {
    channel->refusal = closed;
    while (!channel->waiting.empty()) refuse(*channel->waiting.back(), closed);
    lose(*channel, Loss{LossReason::closed, Position(), true});
  }
  for (const SubscriptionRef& one : std::exchange(arriving_, {})) {
    if (!one->has_ended()) refuse(*one, closed);
  }
  while (!recoveries_.empty()) refuse(*recoveries_.begin()->second, closed);
  close_idle_channels(now_ms());
}

// Nothing of a channel is handed out until its `lost` comes, which is in line with publications.
void HubLoop::inbox_overflowed() {
  LoopCounters::add(counters_.inbox_overflows, 1);
  for (const auto& [name, channel] : channels_) {
    if (!channel->joined) continue;
    channel->blocked = true;
    core_->rejoin(*this, *channel, channel->name);
  }
}

LocalChannel* HubLoop::open_channel(std::string_view name, std::error_code& error) {
  if (const auto found = channels_.find(name); found != channels_.end()) {
    return found->second.get();
  }
  auto made = std::make_unique<LocalChannel>(name, core_->rules.find(name));
  error = core_->join(*this, *made, name);
  if (error == RealtimeError::hub_full && !idle_.empty()) {
    close_idle_channels(now_ms());
    error = core_->join(*this, *made, name);
  }
  if (error) return nullptr;
  LocalChannel& channel = *made;
  channel.checked_ms = channel.idle_since_ms = now_ms();
  channel.check_place = checks_.insert(checks_.end(), &channel);
  channel.idle_place = idle_.insert(idle_.end(), &channel);
  channels_.emplace(channel.name, std::move(made));
  schedule_tick();
  return &channel;
}

void HubLoop::close_channel(LocalChannel& channel) noexcept {
  channel.has_left = true;
  if (channel.subscriptions == 0) idle_.erase(channel.idle_place);
  checks_.erase(channel.check_place);
  const auto found = channels_.find(channel.name);
  leaving_.emplace(&channel, std::move(found->second));
  channels_.erase(found);
  if (!core_->leave(*this, channel, channel.name)) free_channel(channel);
}

// Those that are still in line hold it until they have their answer.
void HubLoop::free_channel(LocalChannel& channel) noexcept {
  channel.is_last_letter_in = true;
  if (channel.subscriptions == 0) leaving_.erase(&channel);
}

void HubLoop::close_idle_channels(std::uint64_t before_ms) noexcept {
  while (!idle_.empty() && idle_.front()->idle_since_ms <= before_ms) {
    close_channel(*idle_.front());
  }
}

void HubLoop::schedule_tick() {
  if (ticking_ || inbox_.is_gone()) return;
  ticking_ = true;
  const HubOptions& options = core_->options;
  std::int64_t period = 1000;
  const auto shorten = [&period](Duration duration, std::int64_t parts) {
    if (duration > Duration()) period = std::min(period, duration.milliseconds() / parts);
  };
  shorten(options.position_check, 8);
  shorten(options.position_grace, 4);
  shorten(options.presence_refresh, 8);
  shorten(options.linger, 4);
  IOLoop::current().call_later(Duration::from_milliseconds(std::max<std::int64_t>(period, 5)),
                               [self = weak_from_this()] {
                                 if (const auto loop = self.lock()) loop->tick();
                               });
}

void HubLoop::tick() {
  ticking_ = false;
  const std::uint64_t now = now_ms();
  const auto interval = static_cast<std::uint64_t>(core_->options.position_check.milliseconds());
  for (std::size_t n = 0; interval > 0 && n < checks_per_tick && !checks_.empty(); ++n) {
    LocalChannel& oldest = *checks_.front();
    if (oldest.checked_ms + interval > now) break;
    oldest.checked_ms = now;
    checks_.splice(checks_.end(), checks_, oldest.check_place);
    core_->check_position(oldest.name, now);
  }
  core_->look_again(now);
  const auto linger = static_cast<std::uint64_t>(core_->options.linger.milliseconds());
  close_idle_channels(now > linger ? now - linger : 0);
  refresh_members(now);
  if (!channels_.empty()) schedule_tick();
}

}  // namespace squall::realtime::detail
