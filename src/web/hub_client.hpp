// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/hub_forms.hpp"

#include <squall/base/duration.hpp>
#include <squall/coro/task.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/json.hpp>
#include <squall/realtime/hub.hpp>
#include <squall/web/hub_socket_handler.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

/// One client of a HubSocketHandler: carries out its commands, and is its part in the hub.
class HubClient final : public realtime::Subscriber {
 public:
  HubClient(HubSocketHandler& socket, realtime::Hub& hub, const HubSocketOptions& options);

  /// Says who the client is to the hub, and tells the client.
  void hello(std::string user, std::string info, Duration reconnect_spread);
  /// A command, at that moment.
  void take(std::string_view message, TimePoint now);

  // realtime::Subscriber
  void on_subscribed(std::string_view channel, const realtime::Subscribed& answer) override;
  realtime::Delivery on_publication(const realtime::PublicationRef& publication,
                                    SlowConsumer policy) override;
  void on_presence(const realtime::PublicationRef& publication) override;
  void on_refused(std::string_view channel, std::error_code error) override;
  realtime::AfterLoss on_lost(std::string_view channel, const realtime::Loss& loss) override;

 private:
  /// As the client wrote it, JSON; null when it has none.
  using Id = std::string;
  struct Pending {
    std::string channel;
    Id id;
  };

  [[nodiscard]] bool may_go_on(TimePoint now) noexcept;
  void run(const json::object& command, const Id& id);
  void subscribe(const json::object& command, const Id& id, std::string_view channel);
  void unsubscribe(const Id& id, std::string_view channel);
  void publish(const json::object& command, const Id& id, std::string_view channel);
  void history(const json::object& command, const Id& id, std::string_view channel);
  void presence(const Id& id, std::string_view channel);
  /// False when the client was told that it may not.
  [[nodiscard]] bool may(bool offered, realtime::Action action, const Id& id,
                         std::string_view channel);
  [[nodiscard]] bool has_room(const Id& id);

  void start(const Id& id, Task<> work);
  static Task<> answer(HubClient* self, Id id, Task<> work);
  static Task<> run_publish(HubClient* self, Id id, std::string channel, std::string data,
                            std::string key);
  static Task<> run_history(HubClient* self, Id id, std::string channel,
                            realtime::HistoryQuery query);
  static Task<> run_presence(HubClient* self, Id id, std::string channel);

  [[nodiscard]] Id take_pending(std::string_view channel);
  void succeed(const Id& id, std::string_view fields = {});
  void fail(const Id& id, std::string_view code, std::string_view message);
  void fail(const Id& id, std::error_code error);
  SendResult send(std::string_view text);

  HubSocketHandler& socket_;
  realtime::Hub& hub_;
  const HubSocketOptions& options_;
  std::string client_;
  std::string user_;
  std::string info_;
  std::vector<Pending> pending_;  // subscriptions without an answer yet
  TaskGroup tasks_;
  SlowConsumer policy_ = SlowConsumer::disconnect;  // of the last publication
  TimePoint refilled_;
  double tokens_;
};

}  // namespace squall::web
