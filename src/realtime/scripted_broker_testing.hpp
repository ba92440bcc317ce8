// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/realtime/broker.hpp>
#include <squall/realtime/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace squall::realtime::detail {

/// A broker far away, on a bad line, by a seed: calls are carried out late and answered later
/// still, in any order; what it sends is delayed, repeated and lost; the line breaks and comes
/// back; the far end forgets histories and begins streams anew. It keeps the contract of Broker and
/// no more.
class ScriptedBroker final : public Broker {
 public:
  struct Faults {
    unsigned lose = 0;    // of a thousand publications that are sent
    unsigned repeat = 0;  // the same
    unsigned fail = 0;    // of a thousand calls
  };
  /// One publication as the far end has it.
  struct Record {
    Position position;
    std::string data;
  };

  ScriptedBroker(std::uint32_t seed, std::size_t history_size)
      : random_(seed), history_size_(history_size) {}

  Faults faults;

  // The far end.
  void publish_far(const std::string& name, const std::string& data) {
    add(name, Publication::create(name, data));
  }
  void forget_history(const std::string& name) { channels_[name].history.clear(); }
  void begin_anew(const std::string& name) {
    Channel& channel = channels_[name];
    channel.history.clear();
    channel.top = Position("e" + std::to_string(++epochs_), 0);
  }
  const Position& top(const std::string& name) { return open(name).top; }
  /// All that was ever published, by position.
  const std::map<std::string, std::string>& published() const { return published_; }

  // The line.
  void interrupt() {
    if (!is_up_) return;
    is_up_ = false;
    for (auto& [name, channel] : channels_) {
      channel.sent.clear();
      channel.is_subscribed = false;
    }
    listener_->on_interrupted();
    // What was asked may fail, or be asked again when the line is back.
    for (Call& call : std::exchange(calls_, {})) {
      if (one_of(2)) {
        answers_.push_back(std::move(call.fail));
      } else {
        calls_.push_back(std::move(call));
      }
    }
  }
  void restore() {
    if (is_up_) return;
    is_up_ = true;
    for (auto& [name, channel] : channels_) channel.is_subscribed = channel.is_wanted;
    listener_->on_restored();
  }
  [[nodiscard]] bool is_up() const { return is_up_; }

  /// One thing happens; false when there is nothing to do.
  bool step() {
    std::vector<int> possible;
    if (is_up_ && !calls_.empty()) possible.push_back(0);
    if (!answers_.empty()) possible.push_back(1);
    std::vector<Channel*> sending;
    for (auto& [name, channel] : channels_) {
      if (!channel.sent.empty()) sending.push_back(&channel);
    }
    if (!sending.empty()) possible.insert(possible.end(), 2, 2);
    if (possible.empty()) return false;
    switch (possible[below(possible.size())]) {
      case 0: {  // in any order: they may go over several lines
        const std::size_t which = below(calls_.size());
        Call call = std::move(calls_[which]);
        calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(which));
        answers_.push_back(below(1000) < faults.fail ? std::move(call.fail) : call.carry_out());
        break;
      }
      case 1: {
        const std::size_t which = below(answers_.size());
        Answer answer = std::move(answers_[which]);
        answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(which));
        answer();
        break;
      }
      default: {
        Channel& channel = *sending[below(sending.size())];
        const PublicationRef publication = channel.sent.front();
        if (below(1000) >= faults.repeat) channel.sent.pop_front();
        if (below(1000) >= faults.lose) listener_->on_publication(publication);
      }
    }
    return true;
  }

  // Broker.
  void start(BrokerListener& listener) override { listener_ = &listener; }
  void stop() noexcept override {
    calls_.clear();
    answers_.clear();
  }
  void publish(PublicationRef publication, const HistoryLimits&,
               Completion<Position> done) override {
    ask<Position>(std::move(done), [this, publication]() -> Result<Position> {
      const std::string name(publication->channel());
      // What comes back is another object, as over a network.
      add(name, Publication::create(name, publication->data()));
      return channels_[name].top;
    });
  }
  void subscribe(std::string_view name, Completion<Position> done) override {
    ask<Position>(std::move(done), [this, name = std::string(name)]() -> Result<Position> {
      Channel& channel = open(name);
      channel.is_subscribed = channel.is_wanted = true;
      return channel.top;
    });
  }
  void unsubscribe(std::string_view name, Completion<void> done) override {
    ask<void>(std::move(done), [this, name = std::string(name)]() -> Result<void> {
      channels_[name].is_subscribed = channels_[name].is_wanted = false;
      return {};
    });
  }
  void history(std::string_view name, const HistoryQuery& query,
               Completion<HistoryPage> done) override {
    ask<HistoryPage>(std::move(done),
                     [this, name = std::string(name), query]() -> Result<HistoryPage> {
                       const Channel& channel = open(name);
                       HistoryPage page;
                       page.position = channel.top;
                       read(channel, query, page.publications);
                       return page;
                     });
  }
  void remove(std::string_view name, Completion<void> done) override {
    ask<void>(std::move(done), [this, name = std::string(name)]() -> Result<void> {
      forget_history(name);
      return {};
    });
  }

 private:
  using Answer = MoveOnlyFunction<void()>;
  struct Call {
    MoveOnlyFunction<Answer()> carry_out;
    Answer fail;
  };
  struct Channel {
    Position top;
    std::deque<PublicationRef> history;
    std::deque<PublicationRef> sent;  // on the line, in order
    bool is_subscribed = false;       // the far end sends
    bool is_wanted = false;           // and is asked to when the line comes back
  };

  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_of(std::size_t n) { return below(n) == 0; }

  Channel& open(const std::string& name) {
    Channel& channel = channels_[name];
    if (channel.top.is_empty()) begin_anew(name);
    return channel;
  }
  void add(const std::string& name, const PublicationRef& publication) {
    Channel& channel = open(name);
    channel.top = channel.top.at(channel.top.offset() + 1);
    publication->set_position(channel.top);
    published_[name + " " + channel.top.to_string()] = std::string(publication->data());
    channel.history.push_back(publication);
    while (channel.history.size() > history_size_) channel.history.pop_front();
    if (channel.is_subscribed) channel.sent.push_back(publication);
  }
  static void read(const Channel& channel, const HistoryQuery& query,
                   std::vector<PublicationRef>& to) {
    if (!query.since.is_empty() && !query.since.has_epoch_of(channel.top)) return;
    if (query.reverse) {
      for (auto one = channel.history.rbegin(); one != channel.history.rend(); ++one) {
        if (to.size() < query.limit) to.push_back(*one);
      }
      return;
    }
    for (const PublicationRef& one : channel.history) {
      if (to.size() < query.limit && one->position().offset() > query.since.offset()) {
        to.push_back(one);
      }
    }
  }
  template <class T, class Do>
  void ask(Completion<T> done, Do carry_out) {
    // Both ends of the call share the completion; one of them uses it.
    auto share = std::make_shared<Completion<T>>(std::move(done));
    Call call;
    call.carry_out = [share, carry_out = std::move(carry_out)]() mutable -> Answer {
      auto result = std::make_shared<Result<T>>(carry_out());
      return [share, result] { (*share)(std::move(*result)); };
    };
    call.fail = [share] { (*share)(make_error_code(RealtimeError::broker_unavailable)); };
    calls_.push_back(std::move(call));
  }

  std::mt19937 random_;
  const std::size_t history_size_;
  BrokerListener* listener_ = nullptr;
  std::map<std::string, Channel> channels_;
  std::map<std::string, std::string> published_;
  std::vector<Call> calls_;
  std::vector<Answer> answers_;
  std::uint64_t epochs_ = 0;
  bool is_up_ = true;
};

}  // namespace squall::realtime::detail
