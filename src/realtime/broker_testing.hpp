// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/broker_server_testing.hpp"

#include <squall/base/result.hpp>
#include <squall/realtime/broker.hpp>
#include <squall/realtime/error.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace squall::realtime {

/// What came of a call, whichever thread says so.
template <class T>
class Outcome {
 public:
  /// To be passed to the call, once.
  Completion<T> completion() {
    return [state = state_, guard = std::make_unique<Guard>(state_)](Result<T> result) mutable {
      const std::scoped_lock lock(state->mutex);
      EXPECT_FALSE(state->result.has_value()) << "a completion was called twice";
      state->result.emplace(std::move(result));
      state->changed.notify_all();
    };
  }
  [[nodiscard]] bool is_there() {
    const std::scoped_lock lock(state_->mutex);
    return state_->result.has_value() || state_->dropped;
  }
  /// Waits for it, 30 s at most; a completion that was destroyed counts as broker_unavailable.
  [[nodiscard]] Result<T> get() {
    std::unique_lock lock(state_->mutex);
    const bool came = state_->changed.wait_for(lock, std::chrono::seconds(30), [this] {
      return state_->result.has_value() || state_->dropped;
    });
    EXPECT_TRUE(came) << "a completion was never called";
    if (!state_->result) return RealtimeError::broker_unavailable;
    return *std::move(state_->result);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<T>> result;
    bool dropped = false;
  };
  struct Guard {
    explicit Guard(std::shared_ptr<State> of) : state(std::move(of)) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      const std::scoped_lock lock(state->mutex);
      if (!state->result) state->dropped = true;
      state->changed.notify_all();
    }
    std::shared_ptr<State> state;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Writes down what a broker tells its hub.
class RecordingListener final : public BrokerListener {
 public:
  void on_publication(PublicationRef publication) override {
    const std::scoped_lock lock(mutex_);
    publications_.push_back(std::move(publication));
  }
  void on_interrupted() override {
    const std::scoped_lock lock(mutex_);
    ++interruptions_;
  }
  void on_restored() override {
    const std::scoped_lock lock(mutex_);
    ++restorations_;
  }
  [[nodiscard]] std::vector<PublicationRef> of(std::string_view channel) {
    const std::scoped_lock lock(mutex_);
    std::vector<PublicationRef> some;
    for (const PublicationRef& one : publications_) {
      if (one->channel() == channel) some.push_back(one);
    }
    return some;
  }
  [[nodiscard]] std::vector<std::string> texts_of(std::string_view channel) {
    std::vector<std::string> texts;
    for (const PublicationRef& one : of(channel)) texts.emplace_back(one->data());
    return texts;
  }
  /// "" when none has come.
  [[nodiscard]] std::string last_text_of(std::string_view channel) {
    const std::vector<std::string> texts = texts_of(channel);
    return texts.empty() ? std::string() : texts.back();
  }
  [[nodiscard]] std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return publications_.size();
  }
  [[nodiscard]] int interruptions() {
    const std::scoped_lock lock(mutex_);
    return interruptions_;
  }
  [[nodiscard]] int restorations() {
    const std::scoped_lock lock(mutex_);
    return restorations_;
  }

 private:
  std::mutex mutex_;
  std::vector<PublicationRef> publications_;
  int interruptions_ = 0;
  int restorations_ = 0;
};

inline constexpr HistoryLimits ten_minutes{
    .size = 1000, .bytes = 16 * 1024 * 1024, .ttl = Duration::from_seconds(600)};

/// A broker with a listener, and its calls made to wait.
class TestBroker {
 public:
  explicit TestBroker(BrokerPtr broker) : broker_(std::move(broker)) { broker_->start(listener_); }
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;
  ~TestBroker() { stop(); }

  void stop() {
    if (!std::exchange(stopped_, true)) broker_->stop();
  }
  [[nodiscard]] Result<Position> publish(std::string_view channel, std::string_view data,
                                         const HistoryLimits& limits = ten_minutes) {
    return start_publish(channel, data, limits).get();
  }
  Outcome<Position> start_publish(std::string_view channel, std::string_view data,
                                  const HistoryLimits& limits = ten_minutes) {
    Outcome<Position> outcome;
    broker_->publish(Publication::create(channel, data), limits, outcome.completion());
    return outcome;
  }
  [[nodiscard]] Result<Position> subscribe(std::string_view channel) {
    Outcome<Position> outcome;
    broker_->subscribe(channel, outcome.completion());
    return outcome.get();
  }
  [[nodiscard]] Result<void> unsubscribe(std::string_view channel) {
    Outcome<void> outcome;
    broker_->unsubscribe(channel, outcome.completion());
    return outcome.get();
  }
  [[nodiscard]] Result<HistoryPage> history(std::string_view channel,
                                            const HistoryQuery& query = {}) {
    Outcome<HistoryPage> outcome;
    broker_->history(channel, query, outcome.completion());
    return outcome.get();
  }
  [[nodiscard]] Result<Position> position(std::string_view channel) {
    const Result<HistoryPage> page = history(channel, {.since = {}, .limit = 0});
    if (!page) return page.error();
    return page->position;
  }
  [[nodiscard]] Result<void> remove(std::string_view channel) {
    Outcome<void> outcome;
    broker_->remove(channel, outcome.completion());
    return outcome.get();
  }
  /// The texts that are kept, in the order of the answer.
  [[nodiscard]] std::vector<std::string> kept(std::string_view channel,
                                              const HistoryQuery& query = {}) {
    const Result<HistoryPage> page = history(channel, query);
    EXPECT_TRUE(page) << page.error().message();
    std::vector<std::string> texts;
    if (!page) return texts;
    for (const PublicationRef& one : page->publications) texts.emplace_back(one->data());
    return texts;
  }
  [[nodiscard]] RecordingListener& listener() { return listener_; }
  [[nodiscard]] Broker& broker() { return *broker_; }

 private:
  RecordingListener listener_;
  BrokerPtr broker_;
  bool stopped_ = false;
};

inline std::size_t count_entries(const char* directory) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    (void)entry;
    ++count;
  }
  return count;
}
inline std::size_t open_descriptors() { return count_entries("/proc/self/fd"); }
inline std::size_t running_threads() { return count_entries("/proc/self/task"); }

}  // namespace squall::realtime
