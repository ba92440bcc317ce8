// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "http/event_stream.hpp"
#include "web/event_stream.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/event_source_handler.hpp>

#include <algorithm>
#include <random>

namespace squall::web {
namespace {

// UsageError when the event cannot be written.
void append(std::string& out, const ServerEvent& event) {
  if (!http::is_event_line(event.event) || !http::is_event_line(event.id)) {
    throw UsageError(
        "an event's name and id are each one line, without NUL: what has line breaks goes into "
        "data");
  }
  const std::int64_t retry_ms = event.retry > Duration() ? event.retry.milliseconds() : -1;
  http::append_event(
      out, {.event = event.event, .id = event.id, .data = event.data, .retry_ms = retry_ms});
}

}  // namespace

SharedEvent::SharedEvent(const ServerEvent& event) {
  std::string text;
  append(text, event);
  data_ = new SharedEventData(text, event.key);
}
SharedEvent::SharedEvent(const SharedEvent& other) noexcept : data_(other.data_) {
  data_->retain();
}
SharedEvent::~SharedEvent() { data_->release(); }
std::string_view SharedEvent::text() const noexcept {
  return server::chunk_payload(data_->chunk().view());
}

EventSourceHandler::~EventSourceHandler() = default;

EventStream& EventSourceHandler::stream() const {
  if (stream_ == nullptr) {
    throw UsageError("this handler has no stream of events: it begins with open()");
  }
  return *stream_;
}

std::string EventSourceHandler::last_event_id() {
  if (request().has_header("Last-Event-ID")) return std::string(request().header("Last-Event-ID"));
  for (const std::string_view name : {"Last-Event-ID", "lastEventId", "last_event_id"}) {
    std::string value = get_query_argument(name, {});
    if (!value.empty()) return value;
  }
  return {};
}

SendResult EventSourceHandler::send_event(const ServerEvent& event) {
  thread_local std::string text;
  text.clear();
  append(text, event);
  return stream().send(text, event.key);
}

SendResult EventSourceHandler::send_event(const SharedEvent& event) { return stream().send(event); }

SendResult EventSourceHandler::send_comment(std::string_view text) {
  std::string line;
  http::append_event_comment(line, text);
  return stream().send(line);
}

void EventSourceHandler::set_heartbeat(Duration interval) { stream().set_heartbeat(interval); }
void EventSourceHandler::set_slow_consumer(SlowConsumer policy, std::size_t max_bytes) {
  stream().set_slow_consumer(policy, max_bytes);
}
void EventSourceHandler::close() { stream().close(); }
bool EventSourceHandler::is_open() const noexcept {
  return stream_ != nullptr && stream_->is_open();
}
std::size_t EventSourceHandler::pending_bytes() const noexcept {
  return stream_ != nullptr ? stream_->pending_bytes() : 0;
}
OutputAwaiter EventSourceHandler::drained() noexcept {
  return OutputAwaiter(stream_ != nullptr && stream_->is_open() ? stream_ : nullptr);
}
void EventSourceHandler::keep_request() noexcept {
  if (stream_ != nullptr) stream_->keep_request();
}

void EventSourceHandler::on_shutdown() {
  if (stream_ == nullptr) return;
  const Duration spread = stream_->worker().application().settings.reconnect_spread;
  if (spread > Duration()) {
    thread_local std::minstd_rand random{std::random_device()()};
    std::uniform_int_distribution<std::int64_t> choose(
        1, std::max<std::int64_t>(spread.milliseconds(), 1));
    send_event({.retry = Duration::from_milliseconds(choose(random))});
  }
  close();
}

}  // namespace squall::web
