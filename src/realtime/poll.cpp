// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_calls.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/event.hpp>
#include <squall/realtime/hub.hpp>

#include <string>
#include <utility>
#include <vector>

namespace squall::realtime {
namespace detail {
namespace {

/// A subscriber for the time of one poll.
class Poller final : public Subscriber {
 public:
  explicit Poller(std::size_t limit) noexcept : limit_(limit) {}

  // What is more than the limit stays in the history, for the next poll.
  Delivery on_publication(const PublicationRef& publication, SlowConsumer) override {
    arrived.set();
    if (publications.size() >= limit_) return Delivery::dropped;
    publications.push_back(publication);
    return Delivery::queued;
  }
  AfterLoss on_lost(std::string_view, const Loss& what) override {
    if (!is_lost) loss = what;
    is_lost = true;
    arrived.set();
    return AfterLoss::unsubscribe;
  }

  Event arrived;
  std::vector<PublicationRef> publications;
  Loss loss;
  bool is_lost = false;

 private:
  std::size_t limit_;
};

Task<bool> wait_for(Event* event, Duration timeout) {
  try {
    co_await event->wait(timeout);
    co_return true;
  } catch (const TimeoutError&) {
  }
  co_return false;
}

Task<PollResult> poll(std::shared_ptr<HubCore> core, std::string channel, Position cursor,
                      std::string client, std::string user, std::size_t limit, Duration timeout) {
  PollResult result;
  if (cursor.is_empty()) {
    if (!core->allows({Action::subscribe, channel, client, user, nullptr})) {
      throw HubError(make_error_code(RealtimeError::forbidden));
    }
    result.position = co_await position(core, channel);
    result.recovered = true;
    co_return result;
  }
  Poller poller(limit);
  SubscribeOptions options;
  options.since = cursor;
  options.client = client;
  options.user = user;
  options.present = false;  // else the member would come and go with each poll
  const Subscribed begun =
      co_await OperationAwaiter<Subscribed, true>(subscribe(core, poller, channel, options));
  result.position = begun.position;
  result.recovered = begun.recovered;
  if (!begun.recovered) co_return result;
  if (poller.publications.empty() && !poller.is_lost) co_await wait_for(&poller.arrived, timeout);
  if (!poller.publications.empty()) {
    result.publications = std::move(poller.publications);
    result.position = result.publications.back()->position();
  } else if (poller.is_lost) {
    if (poller.loss.ended) throw HubError(make_error_code(RealtimeError::closed));
    result.position = poller.loss.position;
    result.recovered = false;
  }
  co_return result;
}

}  // namespace
}  // namespace detail

Task<PollResult> Hub::poll(std::string_view channel, const Position& cursor,
                           const PollOptions& options) {
  if (options.limit == 0)
    throw UsageError("a poll with a limit of zero gives nothing: ask for one");
  return detail::poll(handle_->core, std::string(channel), cursor, std::string(options.client),
                      std::string(options.user), options.limit, options.timeout);
}

}  // namespace squall::realtime
