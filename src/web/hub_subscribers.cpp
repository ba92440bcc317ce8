// SPDX-License-Identifier: Apache-2.0
#include "web/hub_subscribers.hpp"

#include "base/logging.hpp"
#include "http/event_stream.hpp"
#include "web/event_stream.hpp"
#include "web/exchange.hpp"
#include "web/hub_forms.hpp"
#include "web/websocket_session.hpp"

#include <squall/base/error.hpp>
#include <squall/web/http_error.hpp>

#include <algorithm>

// How handlers take part in a hub: by a subscriber that belongs to the handler and goes with it.
namespace squall::web {

using realtime::AfterLoss;
using realtime::Delivery;
using realtime::Loss;
using realtime::Position;
using realtime::PublicationRef;
using realtime::Subscribed;
using realtime::SubscribeOptions;

HubSubscription EventSubscriber::subscribe(realtime::Hub& hub, std::string_view channel,
                                           const SubscribeOptions& options,
                                           std::string_view last_event_id) {
  SubscribeOptions own = options;
  bool resumes = !options.since.is_empty();
  if (first_.empty()) {
    first_ = channel;
    if (!resumes && !last_event_id.empty()) {
      resumes = true;
      own.since = Position::parse(last_event_id).value_or(Position());
    }
  }
  if (resumes) resuming_.emplace_back(channel);
  return hub.subscribe(*this, channel, own);
}

// An event of the hub itself: its data is JSON.
void EventSubscriber::tell(std::string_view event, std::string_view channel,
                           const Position& position, std::string_view more) {
  std::string data = "{\"channel\":";
  append_json_string(data, channel);
  data += more;
  data += '}';
  std::string text;
  const std::string id = position.to_string();
  http::append_event(text, {.event = event, .id = id, .data = data});
  stream_.send(text);
}

void EventSubscriber::on_subscribed(std::string_view channel, const Subscribed& answer) {
  const auto found = std::find(resuming_.begin(), resuming_.end(), channel);
  const bool resumed = found != resuming_.end();
  if (resumed) resuming_.erase(found);
  if (resumed && answer.recovered) {
    // Without an id: what was missed is still to come.
    tell("recovered", channel, {}, ",\"missed\":" + std::to_string(answer.missed));
  } else if (resumed) {
    tell("reset", channel, is_first(channel) ? answer.position : Position(),
         ",\"position\":\"" + answer.position.to_string() + "\",\"reason\":\"not_recovered\"");
  } else if (is_first(channel)) {
    // A client that leaves before the first event comes back to here.
    std::string text;
    const std::string id = answer.position.to_string();
    http::append_event(text, {.event = {}, .id = id, .data = {}});
    if (!id.empty()) stream_.send(text);
  }
}

Delivery EventSubscriber::on_publication(const PublicationRef& publication, SlowConsumer policy) {
  if (is_first(publication->channel())) {
    return delivery_of(stream_.send(event_form(*publication), policy));
  }
  return delivery_of(stream_.send(named_event(*publication), policy));
}

void EventSubscriber::on_presence(const PublicationRef& publication) {
  stream_.send(event_form(*publication));
}

void EventSubscriber::on_refused(std::string_view channel, std::error_code error) {
  log::format(log::Level::warning, "app", "an event stream could not subscribe to {}: {}", channel,
              error.message());
  stream_.give_up();
}

AfterLoss EventSubscriber::on_lost(std::string_view channel, const Loss& loss) {
  if (loss.ended) {
    // It comes back with its last id, and hears then whether something was missed.
    stream_.close();
    return AfterLoss::unsubscribe;
  }
  tell("reset", channel, is_first(channel) ? loss.position : Position(),
       ",\"position\":\"" + loss.position.to_string() + "\",\"reason\":\"" +
           std::string(loss_word(loss.reason)) + "\"");
  return AfterLoss::stay;
}

Delivery WebSocketSubscriber::on_publication(const PublicationRef& publication,
                                             SlowConsumer policy) {
  if (policy != policy_) {
    policy_ = policy;
    session_.set_slow_consumer(policy, 0);
  }
  const SharedMessage& message = data_message(*publication);
  return delivery_of(session_.send(message.frame(), publication->key()));
}

void WebSocketSubscriber::on_refused(std::string_view channel, std::error_code error) {
  log::format(log::Level::warning, "app", "a WebSocket could not subscribe to {}: {}", channel,
              error.message());
  session_.close(websocket::CloseCode::policy_violation, "not subscribed");
}

// Messages carry no position, so the client cannot be told what it has missed but by this.
AfterLoss WebSocketSubscriber::on_lost(std::string_view, const Loss&) {
  session_.close(websocket::CloseCode::service_restart, "messages were lost: connect again");
  return AfterLoss::unsubscribe;
}

HubSubscription EventSourceHandler::subscribe(realtime::Hub& hub, std::string_view channel) {
  return subscribe(hub, channel, {});
}

HubSubscription EventSourceHandler::subscribe(realtime::Hub& hub, std::string_view channel,
                                              const SubscribeOptions& options) {
  EventSubscriber& subscriber = stream().subscriber();
  if (!stream().has_begun() && !hub.allows({.action = realtime::Action::subscribe,
                                            .channel = channel,
                                            .client = options.client,
                                            .user = options.user,
                                            .subscriber = &subscriber})) {
    throw HTTPError(403);  // while the client can still be told
  }
  return subscriber.subscribe(hub, channel, options,
                              stream().has_request() ? last_event_id() : std::string());
}

bool EventSourceHandler::unsubscribe(realtime::Hub& hub, std::string_view channel) {
  return hub.unsubscribe(stream().subscriber(), channel);
}

HubSubscription WebSocketHandler::subscribe(realtime::Hub& hub, std::string_view channel) {
  return subscribe(hub, channel, {});
}

HubSubscription WebSocketHandler::subscribe(realtime::Hub& hub, std::string_view channel,
                                            const SubscribeOptions& options) {
  if (session_ == nullptr) throw UsageError("subscribe() is for a WebSocket that is open");
  return hub.subscribe(session_->subscriber(), channel, options);
}

bool WebSocketHandler::unsubscribe(realtime::Hub& hub, std::string_view channel) {
  return session_ != nullptr && hub.unsubscribe(session_->subscriber(), channel);
}

}  // namespace squall::web
