// SPDX-License-Identifier: Apache-2.0
#include "realtime/subscription.hpp"

#include "realtime/hub_loop.hpp"

#include <squall/base/limits.hpp>

#include <algorithm>

namespace squall::realtime {

Subscriber::~Subscriber() {
  if (state_ == nullptr) return;
  while (!state_->subscriptions.empty()) {
    detail::Subscription& one = *state_->subscriptions.back();
    const std::shared_ptr<detail::HubLoop> loop = one.loop;
    loop->end(one);
  }
  delete state_;
}

void Subscriber::on_subscribed(std::string_view, const Subscribed&) {}
void Subscriber::on_presence(const PublicationRef&) {}
void Subscriber::on_refused(std::string_view, std::error_code) {}

std::size_t Subscriber::channel_count() const noexcept {
  return state_ == nullptr ? 0 : state_->subscriptions.size();
}

namespace detail {

void SubscribeOperation::abandon() noexcept {
  if (subscription == nullptr) return;
  const std::shared_ptr<HubLoop> loop = subscription->loop;
  loop->end(*subscription);
}

Result<Subscribed> SubscribeOperation::take() {
  if (subscription != nullptr) {
    Subscription& of = *std::exchange(subscription, nullptr);
    of.operation = {};  // the await has a share of its own
  }
  return Operation::take();
}

void SubscribeOperation::answer(Result<Subscribed> result) noexcept {
  if (std::exchange(is_answered, true)) return;
  complete(std::move(result));
}

Subscription* SubscriberAccess::find(const Subscriber& subscriber, const HubLoop* loop,
                                     std::string_view channel) noexcept {
  const SubscriberState* const all = state(subscriber);
  if (all == nullptr) return nullptr;
  for (Subscription* const one : all->subscriptions) {
    if (one->loop.get() == loop && one->channel != nullptr && one->channel->name == channel) {
      return one;
    }
  }
  return nullptr;
}

void LocalChannel::add_live(Subscription& subscription) {
  subscription.state = Subscription::State::live;
  subscription.index = entries.size();
  entries.push_back({subscription.subscriber, &subscription, subscription.policy});
}

// Out of whatever list it is in. While a publication is handed round a hole is left.
void LocalChannel::remove(Subscription& subscription) noexcept {
  switch (subscription.state) {
    case Subscription::State::waiting:
      waiting[subscription.index] = waiting.back();
      waiting[subscription.index]->index = subscription.index;
      waiting.pop_back();
      return;
    case Subscription::State::ahead:
      std::erase(ahead, &subscription);
      return;
    case Subscription::State::live:
      if (in_round) {
        entries[subscription.index] = {nullptr, nullptr, SlowConsumer::disconnect};
        ++holes;
        return;
      }
      entries[subscription.index] = entries.back();
      entries[subscription.index].subscription->index = subscription.index;
      entries.pop_back();
      return;
    case Subscription::State::arriving:
    case Subscription::State::recovering:
    case Subscription::State::ended:
      return;
  }
}

void LocalChannel::close_holes() noexcept {
  in_round = false;
  if (holes == 0) return;
  std::erase_if(entries, [](const Entry& entry) { return entry.subscriber == nullptr; });
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].subscription->index = i;
  holes = 0;
}

// More than is ever handed over is not needed.
void LocalChannel::remember(const PublicationRef& publication) {
  recent.push_back(publication);
  recent_bytes += publication->memory_bytes();
  while (recent.size() > limits::recovered_publications ||
         recent_bytes > limits::held_publication_bytes) {
    recent_bytes -= recent.front()->memory_bytes();
    recent.pop_front();
  }
}

void LocalChannel::forget() noexcept {
  recent.clear();
  recent_bytes = 0;
}

}  // namespace detail
}  // namespace squall::realtime
