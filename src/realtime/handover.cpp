// SPDX-License-Identifier: Apache-2.0
// How a subscription comes about and ends: HubLoop's part between the history and what is live.
#include "base/logging.hpp"
#include "realtime/completion.hpp"
#include "realtime/hub_loop.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>

#include <algorithm>

namespace squall::realtime::detail {
namespace {

template <class Function>
void guarded(const Function& function) noexcept {
  try {
    function();
  } catch (const std::exception& error) {
    log::format(log::Level::error, "realtime", "a subscriber threw: {}", error.what());
  } catch (...) {
    log::write(log::Level::error, "realtime", "a subscriber threw something unknown");
  }
}

}  // namespace

void HubLoop::subscribe(Subscriber& subscriber, std::string_view name,
                        const SubscribeOptions& options, SubscribeOperation& operation) {
  SubscriberState*& state = SubscriberAccess::state(subscriber);
  if (state != nullptr && state->posts != inbox_.posts()) {
    throw UsageError("a subscriber lives on one loop: use one for each loop");
  }
  for (const std::string_view field : {options.client, options.user, options.info}) {
    if (field.size() > limits::presence_field_bytes) {
      throw UsageError("client, user and info of a subscription have at most 4 KiB each");
    }
  }
  std::error_code error;
  if (!is_channel_name(name)) {
    error = make_error_code(RealtimeError::invalid_channel);
  } else if (SubscriberAccess::find(subscriber, this, name) != nullptr) {
    error = make_error_code(RealtimeError::already_subscribed);
  } else if (subscriber.channel_count() >= core_->options.max_channels_per_subscriber) {
    error = make_error_code(RealtimeError::too_many_channels);
  } else if (!core_->allows({Action::subscribe, name, options.client, options.user, &subscriber})) {
    error = make_error_code(RealtimeError::forbidden);
  }
  LocalChannel* const channel = error ? nullptr : open_channel(name, error);

  if (state == nullptr) state = new SubscriberState{inbox_.posts(), {}};
  auto* const made = new Subscription();
  state->subscriptions.push_back(made);
  made->subscriber = &subscriber;
  made->loop = shared_from_this();
  made->operation = OperationRef(operation);
  operation.subscription = made;
  LoopCounters::add(counters_.subscriptions, 1);
  if (channel == nullptr) {
    made->refusal = std::make_unique<Refusal>(Refusal{std::string(name), error});
  } else {
    if (channel->subscriptions++ == 0) idle_.erase(channel->idle_place);
    made->channel = channel;
    made->since = options.since;
    made->recover = options.recover || !options.since.is_empty();
    made->policy =
        options.own_slow_consumer ? options.slow_consumer : channel->options.slow_consumer;
    if (channel->options.presence && options.present) {
      made->member = std::make_unique<MemberInfo>();
      made->member->client =
          options.client.empty() ? core_->new_client_name() : std::string(options.client);
      made->member->user = options.user;
      made->member->info = options.info;
    }
  }
  arrive(*made);
}

void HubLoop::end(Subscription& subscription) noexcept {
  if (subscription.has_ended()) return;
  const std::shared_ptr<HubLoop> self = std::move(subscription.loop);
  Subscriber& subscriber = *std::exchange(subscription.subscriber, nullptr);
  if (LocalChannel* const channel = subscription.channel; channel != nullptr) {
    channel->remove(subscription);
    if (subscription.recovery != 0 && recoveries_.erase(subscription.recovery) != 0 &&
        --channel->recovering == 0) {
      channel->forget();
    }
    exit(subscription);
    if (--channel->subscriptions == 0) {
      if (channel->has_left) {
        if (channel->is_last_letter_in) free_channel(*channel);
      } else {
        channel->idle_since_ms = now_ms();
        channel->idle_place = idle_.insert(idle_.end(), channel);
        if (core_->options.linger <= Duration()) close_channel(*channel);
      }
    }
  }
  subscription.state = Subscription::State::ended;
  subscription.channel = nullptr;
  std::erase(SubscriberAccess::state(subscriber)->subscriptions, &subscription);
  counters_.subscriptions.store(counters_.subscriptions.load() - 1, std::memory_order_relaxed);
  if (subscription.operation) {
    const OperationRef<SubscribeOperation> operation = std::move(subscription.operation);
    operation->subscription = nullptr;
    operation->answer(make_error_code(RealtimeError::withdrawn));
  }
  subscription.release();
}

// Not from within the call that subscribes: those who do so need not expect to be called.
void HubLoop::arrive(Subscription& subscription) {
  subscription.state = Subscription::State::arriving;
  arriving_.emplace_back(subscription);
  if (std::exchange(arrival_posted_, true)) return;
  try {
    inbox_.posts()->post([self = shared_from_this()] {
      self->arrival_posted_ = false;
      self->hand_over_arrived();
    });
  } catch (const std::exception& error) {
    arrival_posted_ = false;  // the next letter brings it about
    log::format(log::Level::error, "realtime", "the loop cannot be told: {}", error.what());
  }
}

void HubLoop::hand_over_arrived() {
  const std::vector<SubscriptionRef> arrived = std::exchange(arriving_, {});
  for (const SubscriptionRef& one : arrived) {
    if (!one->has_ended()) hand_over(*one);
  }
}

void HubLoop::hand_over(Subscription& subscription) {
  if (subscription.refusal) return refuse(subscription, subscription.refusal->error);
  LocalChannel& channel = *subscription.channel;
  if (channel.refusal) return refuse(subscription, channel.refusal);
  if (!channel.joined || channel.blocked) {
    subscription.state = Subscription::State::waiting;
    subscription.index = channel.waiting.size();
    channel.waiting.push_back(&subscription);
    return;
  }
  const Position& since = subscription.since;
  const Position& now = channel.position;
  const bool latest = channel.options.recovery == RecoveryMode::latest;
  if (!subscription.recover || (since.is_empty() && !latest)) {
    return answer(subscription, Subscribed{now, false, 0}, {});
  }
  if (since == now) return answer(subscription, Subscribed{now, true, 0}, {});
  if (!latest) {
    if (!since.has_epoch_of(now)) return not_recovered(subscription);
    if (since.offset() < now.offset() &&
        now.offset() - since.offset() > limits::recovered_publications) {
      return not_recovered(subscription);
    }
  }
  start_recovery(subscription);
}

void HubLoop::refuse(Subscription& subscription, std::error_code error) {
  const SubscriptionRef keep(subscription);
  Subscriber& subscriber = *subscription.subscriber;
  const std::string name =
      subscription.channel != nullptr ? subscription.channel->name : subscription.refusal->channel;
  bool is_awaited = false;
  if (subscription.operation) {
    is_awaited = subscription.operation->was_awaited();
    subscription.operation->answer(error);
  }
  end(subscription);
  if (!is_awaited) guarded([&] { subscriber.on_refused(name, error); });
}

void HubLoop::not_recovered(Subscription& subscription) {
  answer(subscription, Subscribed{subscription.channel->position, false, 0}, {});
}

// The answer, what was missed, and then what is live: nothing comes between, for this is one turn.
void HubLoop::answer(Subscription& subscription, const Subscribed& with,
                     const std::vector<PublicationRef>& missed) {
  const SubscriptionRef keep(subscription);
  Subscriber* const subscriber = subscription.subscriber;
  LocalChannel& channel = *subscription.channel;
  if (with.position.has_epoch_of(channel.position) &&
      with.position.offset() > channel.position.offset()) {
    subscription.state = Subscription::State::ahead;
    subscription.floor = with.position.offset();
    channel.ahead.push_back(&subscription);
  } else {
    channel.add_live(subscription);
  }
  if (subscription.recover) {
    LoopCounters::add(with.recovered ? counters_.recovered : counters_.not_recovered, 1);
    LoopCounters::add(counters_.recovered_publications, missed.size());
  }
  guarded([&] { subscriber->on_subscribed(channel.name, with); });
  std::uint64_t queued = 0;
  std::uint64_t dropped = 0;
  for (const PublicationRef& publication : missed) {
    if (subscription.has_ended()) break;
    guarded([&] {
      if (subscriber->on_publication(publication, subscription.policy) == Delivery::queued) {
        ++queued;
      } else {
        ++dropped;
      }
    });
  }
  LoopCounters::add(counters_.delivered, queued);
  LoopCounters::add(counters_.dropped, dropped);
  if (subscription.has_ended()) return;
  if (subscription.operation) {
    subscription.operation->answer(with);
    // While it is awaited the subscription may still be taken back.
    if (!subscription.operation->was_awaited()) {
      subscription.operation->subscription = nullptr;
      subscription.operation = {};
    }
  }
  enter(subscription);
}

void HubLoop::start_recovery(Subscription& subscription) {
  subscription.state = Subscription::State::recovering;
  subscription.recovery = ++last_recovery_;
  recoveries_.emplace(subscription.recovery, &subscription);
  ++subscription.channel->recovering;
  waiting_recoveries_.emplace_back(subscription);
  start_recoveries();
}

void HubLoop::start_recoveries() {
  while (reads_ < limits::hub_recoveries && !waiting_recoveries_.empty()) {
    const SubscriptionRef next = std::move(waiting_recoveries_.front());
    waiting_recoveries_.pop_front();
    if (next->has_ended()) continue;
    ++reads_;
    core_->count_call();
    HistoryQuery query;
    if (next->channel->options.recovery == RecoveryMode::latest) {
      query.limit = 1;
      query.reverse = true;
    } else {
      query.since = next->since;
    }
    const std::string name = next->channel->name;
    ask<HistoryPage>(
        core_,
        [&](Completion<HistoryPage> done) {
          core_->broker().history(name, query, std::move(done));
        },
        [self = shared_from_this(), number = next->recovery](Result<HistoryPage> page) {
          self->inbox_.posts()->post([self, number, page = std::move(page)]() mutable {
            --self->reads_;
            self->finish_recovery(number, std::move(page));
            self->start_recoveries();
          });
        });
  }
}

void HubLoop::finish_recovery(std::uint64_t number, Result<HistoryPage> page) {
  const auto found = recoveries_.find(number);
  if (found == recoveries_.end()) return;
  Subscription& subscription = *found->second;
  LocalChannel& channel = *subscription.channel;
  recoveries_.erase(found);
  subscription.recovery = 0;
  std::vector<PublicationRef> missed;
  Subscribed with;
  if (page && channel.options.recovery == RecoveryMode::latest) {
    with = recover_latest(subscription, *page, missed);
  } else if (page) {
    with = recover_stream(subscription, *page, missed);
  } else if (page.error() != RealtimeError::not_supported) {
    core_->log_failure("recovery", channel.name, page.error());
  }
  if (--channel.recovering == 0) channel.forget();
  if (!with.recovered) return not_recovered(subscription);
  with.missed = missed.size();
  answer(subscription, with, missed);
}

// Everything after `since` up to where this loop is: from the page, and what has come since it was
// read. All of it or nothing.
Subscribed HubLoop::recover_stream(const Subscription& subscription, HistoryPage& page,
                                   std::vector<PublicationRef>& missed) {
  const Position& since = subscription.since;
  const Position& now = subscription.channel->position;
  if (!since.has_epoch_of(now) || !page.position.has_epoch_of(since)) return {};
  if (since.offset() >= now.offset()) {
    // It was with someone who is ahead of this loop: what it knows is still to come here.
    return {since, page.position.offset() >= since.offset(), 0};
  }
  std::uint64_t next = since.offset() + 1;
  const auto take = [&](const PublicationRef& publication) {
    const Position& at = publication->position();
    if (next > now.offset() || !(at == since.at(next))) return;
    missed.push_back(publication);
    ++next;
  };
  for (const PublicationRef& publication : page.publications) take(publication);
  for (const PublicationRef& publication : subscription.channel->recent) take(publication);
  const bool all = next == now.offset() + 1 && missed.size() <= limits::recovered_publications;
  return {now, all, 0};
}

// The newest: of the page, or what has come since it was read.
Subscribed HubLoop::recover_latest(const Subscription& subscription, HistoryPage& page,
                                   std::vector<PublicationRef>& missed) {
  const LocalChannel& channel = *subscription.channel;
  const Position& since = subscription.since;
  const Position& now = channel.position;
  if (!page.position.has_epoch_of(now)) return {};
  if (!channel.recent.empty() && channel.recent.back()->position() == now &&
      page.position.offset() <= now.offset()) {
    missed.push_back(channel.recent.back());
  } else if (!page.publications.empty() && page.publications.front()->position() == page.position &&
             page.position.offset() >= now.offset()) {
    missed.push_back(page.publications.front());
  } else {
    return {};
  }
  const Position newest = missed.front()->position();
  const std::uint64_t top = std::max(page.position.offset(), now.offset());
  if (since.has_epoch_of(newest) && since.offset() >= newest.offset() && since.offset() <= top) {
    missed.clear();
    return {since, true, 0};
  }
  return {newest, true, 0};
}

// This loop has come to `offset`, which is what those who were ahead of it know.
void HubLoop::catch_up(LocalChannel& channel, std::uint64_t offset) {
  std::size_t kept = 0;
  for (Subscription* const one : channel.ahead) {
    if (one->floor <= offset) {
      channel.add_live(*one);
    } else {
      channel.ahead[kept++] = one;
    }
  }
  channel.ahead.resize(kept);
}

}  // namespace squall::realtime::detail
