// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/realtime/hub.hpp>
#include <squall/realtime/subscriber.hpp>
#include <squall/web/detail/hub_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

class EventStream;
class WebSocketSession;

/// The subscriptions of an EventSourceHandler. Its first channel is the one that a client resumes.
class EventSubscriber final : public realtime::Subscriber {
 public:
  explicit EventSubscriber(EventStream& stream) noexcept : stream_(stream) {}

  HubSubscription subscribe(realtime::Hub& hub, std::string_view channel,
                            const realtime::SubscribeOptions& options,
                            std::string_view last_event_id);

  void on_subscribed(std::string_view channel, const realtime::Subscribed& answer) override;
  realtime::Delivery on_publication(const realtime::PublicationRef& publication,
                                    SlowConsumer policy) override;
  void on_presence(const realtime::PublicationRef& publication) override;
  void on_refused(std::string_view channel, std::error_code error) override;
  realtime::AfterLoss on_lost(std::string_view channel, const realtime::Loss& loss) override;

 private:
  void tell(std::string_view event, std::string_view channel, const realtime::Position& position,
            std::string_view more);
  [[nodiscard]] bool is_first(std::string_view channel) const noexcept { return channel == first_; }

  EventStream& stream_;
  std::string first_;
  std::vector<std::string> resuming_;  // channels whose answer the client is to be told
};

/// The subscriptions of a WebSocketHandler: each publication is a message.
class WebSocketSubscriber final : public realtime::Subscriber {
 public:
  explicit WebSocketSubscriber(WebSocketSession& session) noexcept : session_(session) {}

  realtime::Delivery on_publication(const realtime::PublicationRef& publication,
                                    SlowConsumer policy) override;
  void on_refused(std::string_view channel, std::error_code error) override;
  realtime::AfterLoss on_lost(std::string_view channel, const realtime::Loss& loss) override;

 private:
  WebSocketSession& session_;
  SlowConsumer policy_ = SlowConsumer::disconnect;  // of the last publication, and the connection's
};

}  // namespace squall::web
