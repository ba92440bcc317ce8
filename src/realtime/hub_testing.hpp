// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/ioloop.hpp>
#include <squall/realtime/hub.hpp>

#include <functional>
#include <string>
#include <vector>

namespace squall::realtime {

/// Writes down all that it is told: "+a" subscribed to a, "a:data", "join a:client", "lost a".
struct Recorder : Subscriber {
  void on_subscribed(std::string_view channel, const Subscribed& answer) override {
    answers.push_back(answer);
    seen.push_back("+" + std::string(channel));
    if (on_any) on_any();
  }
  Delivery on_publication(const PublicationRef& publication, SlowConsumer policy) override {
    seen.push_back(std::string(publication->channel()) + ":" + std::string(publication->data()));
    policies.push_back(policy);
    positions.push_back(publication->position());
    const Delivery result = delivery;
    if (on_any) on_any();  // which may destroy this
    return result;
  }
  void on_presence(const PublicationRef& publication) override {
    const bool joins = publication->kind() == PublicationKind::join;
    seen.push_back((joins ? "join " : "leave ") + std::string(publication->channel()) + ":" +
                   std::string(publication->client()));
  }
  void on_refused(std::string_view channel, std::error_code error) override {
    seen.push_back("refused " + std::string(channel) + ": " + error.message());
  }
  AfterLoss on_lost(std::string_view channel, const Loss& loss) override {
    losses.push_back(loss);
    seen.push_back("lost " + std::string(channel));
    if (on_any) on_any();
    return after_loss;
  }

  std::vector<std::string> take() { return std::exchange(seen, {}); }

  std::vector<std::string> seen;
  std::vector<Subscribed> answers;
  std::vector<Loss> losses;
  std::vector<SlowConsumer> policies;
  std::vector<Position> positions;
  std::function<void()> on_any;
  Delivery delivery = Delivery::queued;
  AfterLoss after_loss = AfterLoss::unsubscribe;
};

using Seen = std::vector<std::string>;

/// A few turns of this thread's loop: enough for all that has been set off in this process.
inline void turns() {
  IOLoop& loop = IOLoop::current();
  for (int i = 0; i < 6; ++i) {
    loop.post([&loop] { loop.stop(); });
    loop.start();
  }
}

inline ChannelOptions keeping(std::size_t history_size) {
  ChannelOptions options;
  options.history_size = history_size;
  return options;
}

}  // namespace squall::realtime
