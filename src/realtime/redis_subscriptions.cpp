// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_subscriptions.hpp"

#include "base/logging.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/realtime/error.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <utility>

namespace squall::realtime {
namespace {

// Commands whose answers are awaited at a time: the server keeps answers in memory, and cuts off
// subscribers that let too many of them pile up.
constexpr std::size_t max_unanswered = 1024;

}  // namespace

void RedisSubscriptions::start() {
  runner_.start(
      run(), nullptr,
      [](void*, std::exception_ptr) {
        log::write(log::Level::error, "broker", "the connection to Redis is given up: no memory");
      },
      nullptr);
}

void RedisSubscriptions::stop() noexcept {
  is_open_ = false;
  runner_.cancel();
  connection_.reset();
  if (expiry_is_watched_) IOLoop::current().remove_timeout(expiry_timer_);
  expiry_is_watched_ = false;
  for (auto& [name, topic] : topics_) fail_all(topic, RealtimeError::closed);
  topics_.clear();
}

Task<> RedisSubscriptions::run() {
  bool was_reported = false;
  for (;;) {
    connection_.emplace(settings_, static_cast<RedisReceiver&>(*this));
    const std::error_code error = co_await connection_->open();
    if (!error) {
      was_reported = false;
      begin();
      co_await connection_->receive();
      interrupt();
    }
    if (!was_reported) {
      log::format(log::Level::warning, "broker", "Redis at {}: no messages come: {}; trying again",
                  settings_.target.name(), connection_->error_text());
    }
    was_reported = true;
    connection_.reset();
    co_await sleep(backoff_.pause());
  }
}

/// A new connection: asks for every topic that is wanted.
void RedisSubscriptions::begin() {
  is_open_ = true;
  heard_ = IOLoop::current().time();
  subscriber_.on_subscriber_open(connection_->run_id());
  for (auto& [name, topic] : topics_) {
    if (topic.wanted) enqueue(Verb::subscribe, name, true);
  }
  unrestored_ = to_send_.size();
  pump();
  if (unrestored_ == 0) finish_restoring();
}

void RedisSubscriptions::interrupt() noexcept {
  is_open_ = false;
  to_send_.clear();
  sent_.clear();
  for (auto it = topics_.begin(); it != topics_.end();) {
    Topic& topic = it->second;
    topic.unanswered = 0;
    topic.confirmed = false;
    it = topic.wanted ? std::next(it) : topics_.erase(it);
  }
  if (!std::exchange(is_interrupted_, true)) subscriber_.on_interrupted();
}

void RedisSubscriptions::subscribe(const std::string& name, Done done) {
  Topic& topic = topics_[name];
  Waiting waiting{++last_number_, std::move(done)};
  if (topic.wanted && topic.confirmed) return tell(waiting, {});
  topic.waiting.push_back(std::move(waiting));
  expiries_.push_back({IOLoop::current().time() + queue_timeout_, last_number_, name});
  watch_expiry();
  if (std::exchange(topic.wanted, true)) return;
  if (!is_open_) return;
  enqueue(Verb::subscribe, name);
  pump();
}

void RedisSubscriptions::unsubscribe(const std::string& name) {
  const auto found = topics_.find(name);
  if (found == topics_.end() || !found->second.wanted) return;
  Topic& topic = found->second;
  topic.wanted = false;
  topic.confirmed = false;
  fail_all(topic, RealtimeError::closed);
  if (!is_open_) {
    topics_.erase(found);
    return;
  }
  enqueue(Verb::unsubscribe, name);
  pump();
}

void RedisSubscriptions::check_run_id(const std::string& run_id) noexcept {
  if (is_open_ && connection_->run_id() != run_id) connection_->abort();
}

void RedisSubscriptions::enqueue(Verb verb, const std::string& name, bool restores) {
  if (verb != Verb::ping) ++topics_[name].unanswered;
  to_send_.push_back({name, {}, verb, restores});
}

void RedisSubscriptions::pump() {
  std::string bytes;
  while (is_open_ && !to_send_.empty() && sent_.size() < max_unanswered) {
    Command command = std::move(to_send_.front());
    to_send_.pop_front();
    command.since = IOLoop::current().time();
    if (command.verb == Verb::ping) {
      bytes += "*1\r\n$4\r\nPING\r\n";
    } else {
      const std::array<std::string_view, 2> words{
          command.verb == Verb::subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE", command.topic};
      append_redis_command(bytes, words);
    }
    sent_.push_back(std::move(command));
  }
  if (!bytes.empty()) connection_->write(bytes);
}

bool RedisSubscriptions::on_silence() {
  const TimePoint now = IOLoop::current().time();
  if (!sent_.empty()) return now - sent_.front().since < settings_.reply_timeout;
  if (now - heard_ >= settings_.ping_interval) {
    enqueue(Verb::ping, {});
    pump();
  }
  return true;
}

void RedisSubscriptions::on_reply(RedisReply reply) {
  heard_ = IOLoop::current().time();
  backoff_.reset();
  const RedisValue value = reply.value();
  if (value[0].text() == "message" && value.size() == 3) {
    const auto found = topics_.find(std::string(value[1].text()));
    if (found == topics_.end() || !found->second.confirmed) return;
    subscriber_.on_message(value[1].text(), value[2].text());
    return;
  }
  on_answer(value);
}

void RedisSubscriptions::on_answer(RedisValue value) {
  if (sent_.empty()) {
    log::write(log::Level::error, "broker", "Redis answered what was not asked");
    return connection_->abort();
  }
  const Command command = std::move(sent_.front());
  sent_.pop_front();
  if (command.verb != Verb::ping) {
    const bool was_refused = value.is(RedisValue::Kind::error);
    if (was_refused) {
      log::format(log::Level::error, "broker", "Redis refused a subscription: {}", value.text());
    }
    on_subscribed(command.topic, was_refused);
  }
  if (command.restores && --unrestored_ == 0) finish_restoring();
  pump();
}

/// The answer to one command about a topic; only the last one's counts.
void RedisSubscriptions::on_subscribed(const std::string& name, bool was_refused) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  if (--topic.unanswered != 0) return;
  if (!topic.wanted) {
    topics_.erase(found);
  } else if (was_refused && topic.established) {
    // It was subscribed to before the connection broke. Going on without it would lose its messages
    // without a word; so all of them stay interrupted.
    return connection_->abort();
  } else if (was_refused) {
    fail_all(topic, RealtimeError::refused);
    topics_.erase(found);
  } else {
    topic.confirmed = true;
    topic.established = true;
    std::vector<Waiting> waiting = std::move(topic.waiting);
    topic.waiting.clear();
    for (Waiting& one : waiting) tell(one, {});
  }
}

void RedisSubscriptions::finish_restoring() {
  if (!std::exchange(is_interrupted_, false)) return;
  log::format(log::Level::info, "broker", "Redis at {}: messages come again",
              settings_.target.name());
  subscriber_.on_restored();
}

void RedisSubscriptions::tell(Waiting& waiting, Result<void> result) noexcept {
  try {
    if (waiting.done) waiting.done(std::move(result));
  } catch (const std::exception& error) {
    log::format(log::Level::error, "broker", "a completion threw: {}", error.what());
  } catch (...) {
    log::write(log::Level::error, "broker", "a completion threw something unknown");
  }
}

void RedisSubscriptions::fail_all(Topic& topic, std::error_code error) noexcept {
  std::vector<Waiting> waiting = std::move(topic.waiting);
  topic.waiting.clear();
  for (Waiting& one : waiting) tell(one, error);
}

void RedisSubscriptions::watch_expiry() {
  if (expiry_is_watched_ || expiries_.empty()) return;
  expiry_is_watched_ = true;
  expiry_timer_ = IOLoop::current().call_at(expiries_.front().when, [this] {
    expiry_is_watched_ = false;
    drop_expired();
    watch_expiry();
  });
}

/// Who has waited too long for a confirmation is told so, and the topic is given up with the last.
void RedisSubscriptions::drop_expired() {
  const TimePoint now = IOLoop::current().time();
  while (!expiries_.empty() && expiries_.front().when <= now) {
    const Expiry expiry = std::move(expiries_.front());
    expiries_.pop_front();
    const auto found = topics_.find(expiry.topic);
    if (found == topics_.end()) continue;
    Topic& topic = found->second;
    const auto waiting =
        std::find_if(topic.waiting.begin(), topic.waiting.end(),
                     [&](const Waiting& one) { return one.number == expiry.number; });
    if (waiting == topic.waiting.end()) continue;
    Waiting late = std::move(*waiting);
    topic.waiting.erase(waiting);
    if (topic.waiting.empty() && !topic.established) unsubscribe(expiry.topic);
    tell(late, RealtimeError::broker_unavailable);
  }
}

}  // namespace squall::realtime
