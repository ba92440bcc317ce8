// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "realtime/completion.hpp"
#include "realtime/hub_calls.hpp"
#include "realtime/hub_loop.hpp"

#include <squall/realtime/hub.hpp>

#include <memory>
#include <string>
#include <utility>

namespace squall::realtime {
namespace detail {
namespace {

/// The await of Hub::publish(), and the completion of the broker's.
class PublishOperation final : public Operation<PublishResult> {
 public:
  PublishOperation(std::shared_ptr<HubCore> core, PublicationRef publication) noexcept
      : core_(std::move(core)), publication_(std::move(publication)) {}

  void done(Result<Position> position) noexcept {
    core_->count_published(position.has_value());
    if (!position) return fail(position.error());
    PublishResult result;
    result.position = *position;
    complete(result);
  }
  void fail(std::error_code error) noexcept {
    error_ = error;
    complete(error);
  }
  Result<PublishResult> take() override {
    is_taken_ = true;
    if (result_ && core_->broker().is_local()) {
      result_->counted = true;
      const HubLoop* const here = core_->known_loop_here();
      if (here != nullptr && PublicationAccess::origin(*publication_) == here) {
        result_->queued = PublicationAccess::queued(*publication_);
        result_->dropped = PublicationAccess::dropped(*publication_);
      }
    }
    return Operation::take();
  }

 private:
  ~PublishOperation() override {
    if (error_ && !is_taken_) {
      core_->log_failure("publishing", publication_ ? publication_->channel() : "", error_);
    }
  }
  std::shared_ptr<HubCore> core_;
  PublicationRef publication_;
  std::error_code error_;
  bool is_taken_ = false;
};

/// Fits into a completion without an allocation.
class PublishDone {
 public:
  PublishDone(std::shared_ptr<HubCore> core, PublishOperation& operation) noexcept
      : core_(std::move(core)), operation_(operation) {}
  PublishDone(PublishDone&&) noexcept = default;
  PublishDone& operator=(PublishDone&&) = delete;
  ~PublishDone() {
    if (operation_) (*this)(make_error_code(RealtimeError::broker_unavailable));
  }
  void operator()(Result<Position> position) {
    const OperationRef<PublishOperation> operation = std::move(operation_);
    core_->end_call();
    if (!position) core_->count_failure();
    operation->done(std::move(position));
  }

 private:
  std::shared_ptr<HubCore> core_;
  OperationRef<PublishOperation> operation_;
};

OperationBase& publish(const std::shared_ptr<HubCore>& core, std::string_view channel,
                       std::string_view data, const PublishOptions& options) {
  core->use();
  const ChannelOptions& rules = core->rules.find(channel);
  std::error_code error;
  if (core->is_closed()) {
    error = make_error_code(RealtimeError::closed);
  } else if (!is_channel_name(channel) || options.key.size() > limits::channel_name_bytes) {
    error = make_error_code(RealtimeError::invalid_channel);
  } else if (data.size() > rules.max_publication_bytes) {
    error = make_error_code(RealtimeError::too_large);
  } else if (options.by != nullptr &&
             !core->allows({Action::publish, channel, {}, {}, options.by})) {
    error = make_error_code(RealtimeError::forbidden);
  } else if (!core->begin_call()) {
    error = make_error_code(RealtimeError::busy);
  }
  if (error) {
    auto* const refused = new PublishOperation(core, PublicationRef());
    core->count_published(false);
    refused->fail(error);
    return *refused;
  }
  PublicationFields fields;
  fields.binary = options.binary;
  fields.key = options.key;
  const PublicationRef publication = Publication::create(channel, data, fields);
  PublicationAccess::set_origin(*publication, core->known_loop_here());
  auto* const operation = new PublishOperation(core, publication);
  const HistoryLimits limits{rules.history_size, rules.history_bytes, rules.history_ttl};
  try {
    core->broker().publish(publication, limits,
                           Completion<Position>(PublishDone(core, *operation)));
  } catch (const std::exception& thrown) {
    log::format(log::Level::error, "realtime", "the broker threw: {}", thrown.what());
  }
  core->run_deferred();
  return *operation;
}

}  // namespace

OperationBase& subscribe(const std::shared_ptr<HubCore>& core, Subscriber& subscriber,
                         std::string_view channel, const SubscribeOptions& options) {
  core->use();
  auto* const operation = new SubscribeOperation();
  OperationRef<SubscribeOperation> keep(*operation);
  operation->release();  // the share it was made with
  if (const std::shared_ptr<HubLoop> loop = core->loop_here(); loop != nullptr) {
    loop->subscribe(subscriber, channel, options, *operation);
  } else {
    operation->answer(make_error_code(RealtimeError::closed));
  }
  operation->retain();
  return *operation;
}

namespace {

/// Starts a call that gives a T, for the coroutines below.
template <class T, class Call>
OperationAwaiter<T, true> call(const std::shared_ptr<HubCore>& core, const Call& start) {
  auto* const operation = new Operation<T>();
  OperationAwaiter<T, true> awaiter(*operation);
  core->use();
  if (core->is_closed() || !core->begin_call()) {
    operation->complete(
        make_error_code(core->is_closed() ? RealtimeError::closed : RealtimeError::busy));
    return awaiter;
  }
  ask<T>(core, start, [share = OperationRef(*operation)](Result<T> result) {
    share->complete(std::move(result));
  });
  return awaiter;
}

OperationAwaiter<HistoryPage, true> call_history(const std::shared_ptr<HubCore>& core,
                                                 std::string_view channel,
                                                 const HistoryQuery& query) {
  return call<HistoryPage>(core, [&](Completion<HistoryPage> done) {
    core->broker().history(channel, query, std::move(done));
  });
}

}  // namespace

Task<Position> position(std::shared_ptr<HubCore> core, std::string channel) {
  Position here = core->live_position(channel);
  if (!here.is_empty()) co_return here;
  HistoryQuery query;
  query.limit = 0;
  HistoryPage page = co_await call_history(core, channel, query);
  co_return page.position;
}

namespace {

Task<HistoryPage> history(std::shared_ptr<HubCore> core, std::string channel, HistoryQuery query) {
  HistoryPage page = co_await call_history(core, channel, query);
  co_return page;
}

/// A completion without a value as one with.
OperationAwaiter<bool, true> call_remove(const std::shared_ptr<HubCore>& core,
                                         std::string_view channel) {
  return call<bool>(core, [&](Completion<bool> done) {
    core->broker().remove(channel, [done = std::move(done)](Result<void> result) mutable {
      if (result) return done(true);
      done(result.error());
    });
  });
}

Task<> remove_history(std::shared_ptr<HubCore> core, std::string channel) {
  co_await call_remove(core, channel);
}

Task<PresencePage> presence(std::shared_ptr<HubCore> core, std::string channel, std::size_t limit) {
  if (!core->rules.find(channel).presence) {
    throw HubError(make_error_code(RealtimeError::not_supported));
  }
  const auto list = [&](Completion<PresencePage> done) {
    core->presence().list(channel, limit, std::move(done));
  };
  PresencePage page = co_await call<PresencePage>(core, list);
  co_return page;
}

Task<PresenceCount> presence_count(std::shared_ptr<HubCore> core, std::string channel) {
  if (!core->rules.find(channel).presence) {
    throw HubError(make_error_code(RealtimeError::not_supported));
  }
  const auto count = [&](Completion<PresenceCount> done) {
    core->presence().count(channel, std::move(done));
  };
  const PresenceCount result = co_await call<PresenceCount>(core, count);
  co_return result;
}

}  // namespace
}  // namespace detail

Hub::Hub() : Hub(memory_broker(), HubOptions()) {}
Hub::Hub(const HubOptions& options) : Hub(memory_broker(), options) {}
Hub::Hub(BrokerPtr broker) : Hub(std::move(broker), HubOptions()) {}
Hub::Hub(BrokerPtr broker, const HubOptions& options)
    : handle_(
          new detail::HubHandle{std::make_shared<detail::HubCore>(std::move(broker), options)}) {
  handle_->core->start();
}

Hub::~Hub() {
  close();
  delete handle_;
}

Hub& Hub::configure(std::string_view pattern, const ChannelOptions& options) {
  handle_->core->check_unused("Hub::configure()");
  handle_->core->rules.set(pattern, options);
  return *this;
}

ChannelOptions Hub::options_of(std::string_view channel) const {
  return handle_->core->rules.find(channel);
}

Hub& Hub::set_authorizer(MoveOnlyFunction<bool(const AccessRequest&)> authorizer) {
  handle_->core->check_unused("Hub::set_authorizer()");
  handle_->core->authorizer = std::move(authorizer);
  return *this;
}

bool Hub::allows(const AccessRequest& request) const { return handle_->core->allows(request); }

detail::OperationAwaiter<PublishResult, true> Hub::publish(std::string_view channel,
                                                           std::string_view data,
                                                           const PublishOptions& options) {
  return detail::OperationAwaiter<PublishResult, true>(
      detail::publish(handle_->core, channel, data, options));
}

detail::OperationAwaiter<PublishResult, false> Hub::try_publish(std::string_view channel,
                                                                std::string_view data,
                                                                const PublishOptions& options) {
  return detail::OperationAwaiter<PublishResult, false>(
      detail::publish(handle_->core, channel, data, options));
}

detail::OperationAwaiter<Subscribed, true> Hub::subscribe(Subscriber& subscriber,
                                                          std::string_view channel,
                                                          const SubscribeOptions& options) {
  return detail::OperationAwaiter<Subscribed, true>(
      detail::subscribe(handle_->core, subscriber, channel, options));
}

detail::OperationAwaiter<Subscribed, false> Hub::try_subscribe(Subscriber& subscriber,
                                                               std::string_view channel,
                                                               const SubscribeOptions& options) {
  return detail::OperationAwaiter<Subscribed, false>(
      detail::subscribe(handle_->core, subscriber, channel, options));
}

bool Hub::unsubscribe(Subscriber& subscriber, std::string_view channel) noexcept {
  detail::HubLoop* const loop = handle_->core->known_loop_here();
  if (loop == nullptr) return false;
  detail::Subscription* const found = detail::SubscriberAccess::find(subscriber, loop, channel);
  if (found == nullptr) return false;
  loop->end(*found);
  return true;
}

Task<Position> Hub::position(std::string_view channel) {
  return detail::position(handle_->core, std::string(channel));
}

Task<HistoryPage> Hub::history(std::string_view channel, const HistoryQuery& query) {
  return detail::history(handle_->core, std::string(channel), query);
}

Task<> Hub::remove_history(std::string_view channel) {
  return detail::remove_history(handle_->core, std::string(channel));
}

Task<PresencePage> Hub::presence(std::string_view channel, std::size_t limit) {
  return detail::presence(handle_->core, std::string(channel), limit);
}

Task<PresenceCount> Hub::presence_count(std::string_view channel) {
  return detail::presence_count(handle_->core, std::string(channel));
}

void Hub::close() noexcept { handle_->core->close(); }

}  // namespace squall::realtime
