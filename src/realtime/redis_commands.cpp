// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_commands.hpp"

#include "base/logging.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/realtime/error.hpp>

#include <array>
#include <exception>

namespace squall::realtime {
namespace {

// What one connection carries at a time; the rest waits here, so that a slow server is noticed by
// the queue's limits and not by memory.
constexpr std::size_t in_flight_limit_bytes = 8 * 1024 * 1024;
// A call whose script the server has forgotten was not carried out. It is sent again this often,
// not for ever: the server may refuse to keep scripts at all.
constexpr unsigned max_attempts = 32;

std::size_t cost_of(const RedisCall& call) noexcept { return call.bytes.size() + sizeof call; }

}  // namespace

bool RedisCommands::admit(RedisCall& call) noexcept {
  const std::size_t cost = cost_of(call);
  if (calls_.fetch_add(1) >= limits_.calls) {
    calls_.fetch_sub(1);
    return false;
  }
  if (bytes_.fetch_add(cost) + cost > limits_.bytes) {
    calls_.fetch_sub(1);
    bytes_.fetch_sub(cost);
    return false;
  }
  call.counted = true;
  return true;
}

void RedisCommands::refuse(RedisCall& call, std::error_code error) noexcept {
  complete(call, error);
}

void RedisCommands::start(MoveOnlyFunction<void(const std::string&)> on_open) {
  on_open_ = std::move(on_open);
  runner_.start(
      run(), nullptr,
      [](void*, std::exception_ptr) {
        log::write(log::Level::error, "broker", "the connection to Redis is given up: no memory");
      },
      nullptr);
}

void RedisCommands::stop() noexcept {
  is_stopped_ = true;
  is_open_ = false;
  runner_.cancel();
  connection_.reset();
  if (queue_is_watched_) IOLoop::current().remove_timeout(queue_timer_);
  queue_is_watched_ = false;
  fail(in_flight_, RealtimeError::closed);
  fail(again_, RealtimeError::closed);
  fail(waiting_, RealtimeError::closed);
}

void RedisCommands::reconnect() noexcept {
  if (is_open_) connection_->abort();
}

Task<> RedisCommands::run() {
  bool was_reported = false;
  for (;;) {
    connection_.emplace(settings_, static_cast<RedisReceiver&>(*this));
    std::error_code error = co_await connection_->open();
    if (!error) {
      if (was_reported) {
        log::format(log::Level::info, "broker", "Redis at {} is back", settings_.target.name());
      }
      was_reported = false;
      is_open_ = true;
      run_id_ = connection_->run_id();
      heard_ = IOLoop::current().time();
      send_scripts();
      if (on_open_) on_open_(run_id_);
      pump();
      error = co_await connection_->receive();
      is_open_ = false;
      in_flight_bytes_ = 0;
      fail(in_flight_, RealtimeError::outcome_unknown);
      // These were not carried out: the server had said so.
      for (; !again_.empty(); again_.pop_back()) waiting_.push_front(std::move(again_.back()));
      watch_queue();
    }
    if (!was_reported) {
      log::format(log::Level::warning, "broker", "Redis at {} is away: {}; trying again",
                  settings_.target.name(), connection_->error_text());
    }
    was_reported = true;
    connection_.reset();
    co_await sleep(backoff_.pause());
  }
}

void RedisCommands::submit(RedisCallPtr call) {
  if (is_stopped_) return complete(*call, RealtimeError::closed);
  call->since = IOLoop::current().time();
  waiting_.push_back(std::move(call));
  pump();
}

void RedisCommands::pump() {
  // While calls wait to be sent again nothing overtakes them.
  while (is_open_ && again_.empty() && !waiting_.empty() &&
         in_flight_bytes_ < in_flight_limit_bytes) {
    RedisCallPtr call = std::move(waiting_.front());
    waiting_.pop_front();
    send(std::move(call));
  }
  watch_queue();
}

void RedisCommands::send(RedisCallPtr call) {
  if (call->run_id_at != 0) {
    call->bytes.replace(call->run_id_at, RedisConnection::run_id_bytes, run_id_);
  }
  connection_->write(call->bytes);
  ++call->attempts;
  call->since = IOLoop::current().time();
  in_flight_bytes_ += call->bytes.size();
  in_flight_.push_back(std::move(call));
}

void RedisCommands::send_plain(std::string bytes) {
  auto call = std::make_unique<RedisCall>();
  call->bytes = std::move(bytes);
  send(std::move(call));
}

void RedisCommands::send_scripts() {
  for (const std::string& script : scripts_) {
    const std::array<std::string_view, 3> words{"SCRIPT", "LOAD", script};
    std::string bytes;
    append_redis_command(bytes, words);
    send_plain(std::move(bytes));
  }
}

void RedisCommands::on_reply(RedisReply reply) {
  heard_ = IOLoop::current().time();
  backoff_.reset();
  if (in_flight_.empty()) {
    log::write(log::Level::error, "broker", "Redis answered what was not asked");
    return reconnect();
  }
  RedisCallPtr call = std::move(in_flight_.front());
  in_flight_.pop_front();
  in_flight_bytes_ -= call->bytes.size();
  const RedisValue value = reply.value();
  const bool is_forgotten =
      value.is(RedisValue::Kind::error) && value.text().starts_with("NOSCRIPT");
  if (is_forgotten && call->attempts < max_attempts) {
    again_.push_back(std::move(call));
  } else {
    complete(*call, std::move(reply));
  }
  if (!is_open_) return;
  if (!again_.empty() && in_flight_.empty()) {  // in order: what was sent meanwhile failed too
    send_scripts();
    for (; !again_.empty(); again_.pop_front()) send(std::move(again_.front()));
  }
  pump();
}

bool RedisCommands::on_silence() {
  const TimePoint now = IOLoop::current().time();
  if (!in_flight_.empty()) return now - in_flight_.front()->since < settings_.reply_timeout;
  if (now - heard_ >= settings_.ping_interval) send_plain("*1\r\n$4\r\nPING\r\n");
  return true;
}

void RedisCommands::complete(RedisCall& call, Result<RedisReply> result) noexcept {
  if (std::exchange(call.counted, false)) {
    calls_.fetch_sub(1);
    bytes_.fetch_sub(cost_of(call));
  }
  if (!call.done) return;
  MoveOnlyFunction<void(Result<RedisReply>)> done = std::move(call.done);
  try {
    done(std::move(result));
  } catch (const std::exception& error) {
    log::format(log::Level::error, "broker", "a completion threw: {}", error.what());
  } catch (...) {
    log::write(log::Level::error, "broker", "a completion threw something unknown");
  }
}

void RedisCommands::fail(std::deque<RedisCallPtr>& calls, std::error_code error) noexcept {
  while (!calls.empty()) {
    const RedisCallPtr call = std::move(calls.front());
    calls.pop_front();
    complete(*call, error);
  }
}

void RedisCommands::watch_queue() {
  if (queue_is_watched_ || waiting_.empty()) return;
  queue_is_watched_ = true;
  queue_timer_ = IOLoop::current().call_at(waiting_.front()->since + limits_.timeout, [this] {
    queue_is_watched_ = false;
    drop_expired();
  });
}

void RedisCommands::drop_expired() {
  const TimePoint now = IOLoop::current().time();
  std::deque<RedisCallPtr> expired;
  while (!waiting_.empty() && now - waiting_.front()->since >= limits_.timeout) {
    expired.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  fail(expired, RealtimeError::broker_unavailable);
  watch_queue();
}

}  // namespace squall::realtime
