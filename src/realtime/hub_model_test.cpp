// SPDX-License-Identifier: Apache-2.0
// The contract, against a broker that does everything it may: each subscriber's sequence is what
// was published, or it was told.
#include "realtime/hub_calls.hpp"
#include "realtime/hub_loop.hpp"
#include "realtime/scripted_broker_testing.hpp"

#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <set>

namespace squall::realtime::detail {
namespace {

void turn() {
  IOLoop& loop = IOLoop::current();
  loop.post([&loop] { loop.stop(); });
  loop.start();
}

struct Totals {
  std::size_t delivered = 0;
  std::size_t recovered = 0;
  std::size_t not_recovered = 0;
  std::size_t losses = 0;
  std::size_t handed_over = 0;
};

class World;

/// Checks everything that it is handed against what the far end has published.
class Client final : public Subscriber {
 public:
  Client(World& world, std::string channel) : world_(world), channel_(std::move(channel)) {}

  void subscribe(const Position& since);
  void on_subscribed(std::string_view channel, const Subscribed& answer) override;
  Delivery on_publication(const PublicationRef& publication, SlowConsumer policy) override;
  void on_refused(std::string_view channel, std::error_code error) override;
  AfterLoss on_lost(std::string_view channel, const Loss& loss) override;

  [[nodiscard]] bool is_live() const { return is_live_; }
  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] const std::string& channel() const { return channel_; }
  void leave();

 private:
  void maybe_go();

  World& world_;
  const std::string channel_;
  Position since_;
  Position position_;  // of what it has seen
  bool is_live_ = false;
};

/// One schedule, by its seed.
class World {
 public:
  struct Plan {
    bool faults = true;
    RecoveryMode mode = RecoveryMode::stream;
    std::size_t history_size = 8;
  };

  World(std::uint32_t seed, const Plan& plan, Totals& sums) : totals(sums), plan_(plan) {
    random_.seed(seed);
    auto* const made = new ScriptedBroker(seed, plan.history_size);
    broker_ = made;
    HubOptions options;
    options.position_grace = Duration();
    options.linger = Duration::from_seconds(below(2) == 0 ? 0 : 1000);
    core = std::make_shared<HubCore>(BrokerPtr(made), options);
    ChannelOptions rules;
    rules.history_size = 1;
    rules.recovery = plan.mode;
    core->rules.set("*", rules);
    core->start();
    if (plan.faults) {
      broker_->faults.lose = below(3) == 0 ? 200 : 0;
      broker_->faults.repeat = 100;
      broker_->faults.fail = below(3) == 0 ? 150 : 0;
    }
  }
  ~World() {
    clients_.clear();
    core->close();
    for (int i = 0; i < 3; ++i) turn();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) act();
    settle();
  }

  std::size_t below(std::size_t n) { return random_() % n; }
  [[nodiscard]] bool is_calm() const { return !plan_.faults; }
  [[nodiscard]] RecoveryMode mode() const { return plan_.mode; }
  ScriptedBroker& broker() { return *broker_; }
  void destroy(Client& client) {
    for (auto& one : clients_) {
      if (one.get() == &client) one.reset();
    }
  }

  std::shared_ptr<HubCore> core;
  Totals& totals;

 private:
  std::string any_channel() { return below(2) == 0 ? "a" : "b"; }

  void act() {
    const std::size_t what = below(100);
    if (what < 25) {
      broker_->publish_far(any_channel(), std::to_string(++published_));
    } else if (what < 30) {
      publish(*core, any_channel(), std::to_string(++published_));
    } else if (what < 42) {
      const std::string channel = any_channel();
      clients_.push_back(std::make_unique<Client>(*this, channel));
      clients_.back()->subscribe(any_since(channel));
    } else if (what < 46 && !clients_.empty()) {
      // What it has seen is where the next one begins.
      const auto& left = clients_[below(clients_.size())];
      if (left != nullptr && left->is_live()) {
        const Position seen = left->position();
        clients_.push_back(std::make_unique<Client>(*this, left->channel()));
        clients_.back()->subscribe(seen);
      }
    } else if (what < 49 && !clients_.empty()) {
      clients_[below(clients_.size())].reset();
    } else if (what < 51 && !clients_.empty()) {
      if (auto& one = clients_[below(clients_.size())]; one != nullptr) one->leave();
    } else if (what < 80) {
      broker_->step();
    } else if (what < 95 || !plan_.faults) {
      turn();
    } else if (what == 95) {
      broker_->interrupt();
    } else if (what < 98) {
      broker_->restore();
    } else if (what == 98) {
      if (below(4) == 0) broker_->begin_anew(any_channel());
    } else {
      if (below(2) == 0) broker_->forget_history(any_channel());
      check();
    }
  }

  static void publish(HubCore& core, const std::string& channel, const std::string& data) {
    core.count_call();
    core.broker().publish(Publication::create(channel, data), HistoryLimits(),
                          [&core](Result<Position>) { core.end_call(); });
  }

  Position any_since(const std::string& channel) {
    if (below(3) == 0) return {};
    const Position top = broker_->top(channel);
    if (plan_.faults && below(20) == 0) return top.at(top.offset() + 1 + below(3));
    if (plan_.faults && below(20) == 0) return Position("other", below(5));
    return top.at(top.offset() - std::min<std::uint64_t>(top.offset(), below(12)));
  }

  void check() {
    const std::uint64_t now = std::numeric_limits<std::uint64_t>::max() / 2 + ++checks_ * 1000000;
    core->check_position("a", now);
    core->check_position("b", now);
    if (below(2) == 0) core->look_again(std::numeric_limits<std::uint64_t>::max());
  }

  void drain() {
    do {
      while (broker_->step()) {
        if (below(3) == 0) turn();
      }
      for (int i = 0; i < 4; ++i) turn();
    } while (broker_->step());
  }

  // The line holds from now on: everyone comes to where the far end is, or was told.
  void settle() {
    broker_->faults = {};
    broker_->restore();
    drain();
    for (int round = 0; round < 4; ++round) {
      check();
      drain();
      core->look_again(std::numeric_limits<std::uint64_t>::max());
      drain();
    }
    for (const auto& client : clients_) {
      if (client == nullptr || !client->is_live()) continue;
      EXPECT_EQ(client->position().to_string(), broker_->top(client->channel()).to_string())
          << "a subscriber misses something and was not told";
    }
  }

  std::mt19937 random_;
  const Plan plan_;
  ScriptedBroker* broker_ = nullptr;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t published_ = 0;
  std::uint64_t checks_ = 0;
};

void Client::subscribe(const Position& since) {
  since_ = since;
  SubscribeOptions options;
  options.since = since;
  const OperationAwaiter<Subscribed, true> ignored(
      detail::subscribe(world_.core, *this, channel_, options));
}

void Client::leave() {
  is_live_ = false;
  HubLoop* const loop = world_.core->known_loop_here();
  if (Subscription* const one = SubscriberAccess::find(*this, loop, channel_); one != nullptr) {
    loop->end(*one);
  }
}

void Client::on_subscribed(std::string_view channel, const Subscribed& answer) {
  EXPECT_EQ(channel, channel_);
  EXPECT_FALSE(is_live_);
  is_live_ = true;
  if (answer.recovered) {
    EXPECT_FALSE(since_.is_empty());
    ++world_.totals.recovered;
    world_.totals.handed_over += answer.missed;
    position_ = since_;
    if (world_.mode() == RecoveryMode::stream) {
      EXPECT_EQ(since_.at(since_.offset() + answer.missed).to_string(),
                answer.position.to_string());
    } else {
      EXPECT_LE(answer.missed, 1U);
      position_ = answer.missed == 0 ? since_ : answer.position.at(answer.position.offset() - 1);
    }
  } else {
    EXPECT_EQ(answer.missed, 0U);
    position_ = answer.position;
    if (!since_.is_empty()) {
      ++world_.totals.not_recovered;
      // On a good line with all of the history, nobody is turned away.
      EXPECT_FALSE(world_.is_calm()) << since_.to_string() << " at " << answer.position.to_string();
    }
  }
  maybe_go();
}

Delivery Client::on_publication(const PublicationRef& publication, SlowConsumer) {
  EXPECT_TRUE(is_live_) << "before the answer, or after the end";
  const Position& at = publication->position();
  if (world_.mode() == RecoveryMode::stream) {
    EXPECT_EQ(at.to_string(), position_.at(position_.offset() + 1).to_string())
        << "a gap, a repeat, or another order, and nobody said so";
  } else {
    EXPECT_EQ(at.epoch(), position_.epoch());
    EXPECT_GT(at.offset(), position_.offset());
  }
  const auto found = world_.broker().published().find(channel_ + " " + at.to_string());
  if (found == world_.broker().published().end()) {
    ADD_FAILURE() << "never published: " << at.to_string();
  } else {
    EXPECT_EQ(publication->data(), found->second);
  }
  position_ = at;
  ++world_.totals.delivered;
  maybe_go();
  return Delivery::queued;
}

void Client::on_refused(std::string_view, std::error_code) { EXPECT_FALSE(is_live_); }

AfterLoss Client::on_lost(std::string_view channel, const Loss& loss) {
  EXPECT_EQ(channel, channel_);
  EXPECT_TRUE(is_live_);
  EXPECT_FALSE(world_.is_calm());
  ++world_.totals.losses;
  if (loss.ended) {
    is_live_ = false;
    return AfterLoss::stay;
  }
  if (world_.below(2) == 0) {
    position_ = loss.position;
    return AfterLoss::stay;
  }
  is_live_ = false;
  if (world_.below(2) == 0) {
    world_.destroy(*this);
    return AfterLoss::unsubscribe;
  }
  if (world_.below(2) == 0) {
    leave();
    subscribe(position_);
  }
  return AfterLoss::unsubscribe;
}

// Within its own function: leaves, or is destroyed. The last that it does.
void Client::maybe_go() {
  const std::size_t what = world_.below(200);
  if (what == 0) world_.destroy(*this);
  if (what == 1) leave();
}

/// SQUALL_MODEL_SCHEDULES says how many.
std::uint32_t schedules(std::uint32_t usual) {
  const char* const wanted = std::getenv("SQUALL_MODEL_SCHEDULES");
  return wanted == nullptr ? usual : static_cast<std::uint32_t>(std::atoi(wanted));
}

TEST(HubModel, EverySequenceIsWhatWasPublishedOrWasTold) {
  Totals totals;
  for (std::uint32_t seed = 1; seed <= schedules(2500); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, World::Plan(), totals);
    world.run(150);
    if (testing::Test::HasFailure()) break;
  }
  // The schedules are worth something.
  EXPECT_GT(totals.delivered, 1000U);
  EXPECT_GT(totals.handed_over, 100U);
  EXPECT_GT(totals.recovered, 100U);
  EXPECT_GT(totals.not_recovered, 100U);
  EXPECT_GT(totals.losses, 100U);
  RecordProperty("delivered", static_cast<int>(totals.delivered));
}

TEST(HubModel, WithoutAHistoryNothingIsLostSilently) {
  Totals totals;
  World::Plan plan;
  plan.history_size = 0;
  for (std::uint32_t seed = 1; seed <= schedules(1000); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, plan, totals);
    world.run(120);
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(totals.losses, 100U);
  EXPECT_GT(totals.recovered, 100U);  // those who had missed nothing
}

TEST(HubModel, OnAGoodLineNobodyLosesAnythingNorIsTurnedAway) {
  Totals totals;
  World::Plan plan;
  plan.faults = false;
  plan.history_size = 1000;
  for (std::uint32_t seed = 1; seed <= schedules(600); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, plan, totals);
    world.run(150);
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(totals.recovered, 1000U);
  EXPECT_GT(totals.handed_over, 1000U);
}

TEST(HubModel, LatestNeverGoesBackAndEndsAtTheNewest) {
  Totals totals;
  World::Plan plan;
  plan.mode = RecoveryMode::latest;
  plan.history_size = 1;
  for (std::uint32_t seed = 1; seed <= schedules(1000); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, plan, totals);
    world.run(120);
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(totals.recovered, 100U);
}

}  // namespace
}  // namespace squall::realtime::detail
