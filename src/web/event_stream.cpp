// SPDX-License-Identifier: Apache-2.0
#include "web/event_stream.hpp"

#include "base/logging.hpp"
#include "http/event_stream.hpp"
#include "loop/loop_core.hpp"
#include "web/access_log.hpp"
#include "web/call_on_close.hpp"
#include "web/exchange.hpp"
#include "web/hub_subscribers.hpp"

#include <squall/base/error.hpp>
#include <squall/web/http_error.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace squall::web {
namespace {

constexpr std::string_view heartbeat = ":\n\n";

// As a chunk of the body.
SharedBytes frame(std::string_view text) {
  std::string bytes;
  char line[18];
  char* const end = std::to_chars(line, line + 16, text.size(), 16).ptr;
  bytes.reserve(text.size() + 24);
  bytes.append(line, end).append("\r\n").append(text).append("\r\n");
  return SharedBytes(bytes);
}

std::uint32_t milliseconds(Duration duration) noexcept {
  const std::int64_t most = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.milliseconds(), 0, most));
}

void set_headers(Exchange& exchange) {
  if (exchange.header("Content-Type") == default_content_type) {
    exchange.set_header("Content-Type", http::event_stream_type);
  }
  if (exchange.header("Cache-Control").empty()) exchange.set_header("Cache-Control", "no-store");
  if (exchange.header("X-Accel-Buffering").empty()) exchange.set_header("X-Accel-Buffering", "no");
}

}  // namespace

SharedEventData::SharedEventData(std::string_view text, std::string_view key)
    : chunk_(frame(text)), key_(key) {}

EventStream::EventStream(Exchange& exchange, EventSourceHandler& handler,
                         const detail::EventsType& type) noexcept
    : TimerNode(&timer_fired),
      ReadyNode(&run_end),
      worker_(exchange.worker()),
      handler_(&handler),
      type_(type),
      exchange_(&exchange),
      heartbeat_ms_(milliseconds(exchange.worker().application().settings.event_source_heartbeat)) {
  set_slow_consumer(exchange.worker().application().settings.event_source_slow_consumer, 0);
  handler.stream_ = this;
}

EventStream::~EventStream() {
  if (TimerNode::is_armed()) worker_.core().stop_timer(*this);
  runner_.cancel();
  if (begun_) {
    worker_.remove(*this);
    delete handler_;
    if (exchange_ != nullptr) exchange_->release_request();
  }
  if (stop_ != nullptr) stop_->release();
}

Task<> EventStream::accept(Exchange& exchange, const detail::EventsType& type) {
  return run_accept(&exchange, &type);
}

Task<> EventStream::run_accept(Exchange* exchange, const detail::EventsType* type) {
  auto& handler = static_cast<EventSourceHandler&>(exchange->handler());
  Task<> prepared = exchange->prepare();
  co_await prepared;
  if (exchange->is_finished() || exchange->is_closed()) co_return;
  if (!exchange->lets_in()) co_return;
  if (type->open.fits != nullptr && !type->open.fits(exchange->path_arguments())) {
    throw HTTPError(404);
  }
  if (exchange->head().method() == http::Method::head) {
    set_headers(*exchange);
    exchange->flush();  // without a Content-Length: GET has none either
    exchange->finish();
    co_return;
  }

  auto* const stream = new EventStream(*exchange, handler, *type);
  std::exception_ptr error;
  stream->early_error_ = &error;
  try {
    if (type->open.plain != nullptr) {
      type->open.plain(handler, exchange->path_arguments());
    } else {
      stream->stop_ = squall::detail::StopState::create();
      stream->runner_.start(type->open.coroutine(handler, exchange->path_arguments()),
                            stream->stop_, &EventStream::open_done, stream);
    }
    const bool answered = exchange->is_finished() || exchange->status() != 200;
    if (!error && !stream->begun_ && !answered) stream->begin();
  } catch (...) {
    error = std::current_exception();
  }
  stream->early_error_ = nullptr;
  if (!stream->begun_) {
    stream->discard();
    if (error) std::rethrow_exception(error);
    if (!exchange->is_finished() && !exchange->is_closed()) exchange->finish();
    co_return;
  }
  if (error) stream->failed(error);
  if (!stream->runner_.is_running()) stream->opened();
}

// No stream has begun: the exchange answers.
void EventStream::discard() noexcept {
  handler_->stream_ = nullptr;
  delete this;
}

void EventStream::open_done(void* context, std::exception_ptr error) {
  auto* const self = static_cast<EventStream*>(context);
  if (self->early_error_ != nullptr) {
    *self->early_error_ = std::move(error);
    return;
  }
  if (error) self->failed(std::move(error));
  self->opened();
}

// The head leaves.
void EventStream::begin() {
  if (begun_) return;
  if (exchange_->is_finished() || exchange_->status() != 200) {
    throw UsageError("the request has been answered otherwise: there is no stream of events");
  }
  set_headers(*exchange_);
  auto encoder = http::ContentEncoder();
  writer_ = &exchange_->begin_stream(*this, encoder);
  begun_ = true;
  worker_.add(*this);
  exchange_->release_handler();
  if (encoder) encoder_ = std::make_unique<http::ContentEncoder>(std::move(encoder));
  writer_->set_write_timeout(worker_.application().settings.event_source_write_timeout);
  log_request(*exchange_, *handler_);
  sent_ms_ = static_cast<std::uint32_t>(worker_.core().now_ms());
  if (heartbeat_ms_ != 0) arm(heartbeat_ms_);
  if (worker_.server().is_draining()) on_shutdown();  // it came in the last moment
}

// open() has ended: gives the request's memory back.
void EventStream::opened() {
  opening_ = false;
  if (!keep_request_) {
    handler_->drop_exchange();
    std::exchange(exchange_, nullptr)->release_request();
  }
  if (is_over()) end();
}

void EventStream::failed(std::exception_ptr error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    if (is_over() || closing_) return;  // because the stream has ended
    log::write(log::Level::warning, "app", "open was cancelled");
  } catch (const StreamClosedError&) {
    if (is_over()) return;
  } catch (const Finish&) {
    close();
    return;
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "open threw: {}", what.what());
  } catch (...) {
    log::write(log::Level::error, "app", "open threw something unknown");
  }
  give_up();
}

EventSubscriber& EventStream::subscriber() {
  if (!subscriber_) subscriber_ = std::make_unique<EventSubscriber>(*this);
  return *subscriber_;
}

void EventStream::give_up() noexcept {
  if (writer_ == nullptr) return;
  outbox_.reset();
  std::exchange(writer_, nullptr)->abort();
  client_is_gone();
  if (stop_ != nullptr) stop_->request_stop();
  end_soon();
}

bool EventStream::may_send() {
  if (!begun_) begin();
  if (writer_ == nullptr || closing_) return false;
  sent_ms_ = static_cast<std::uint32_t>(worker_.core().now_ms());
  return true;
}

bool EventStream::is_behind() const noexcept {
  return outbox_ || writer_->pending_bytes() >= transport::Outbox::low_mark_bytes;
}

SendResult EventStream::send(std::string_view text, std::string_view key, SlowConsumer policy) {
  if (!may_send()) return SendResult::closed;
  if (is_behind()) return queue(frame(text), key, policy);
  write_text(text);
  return SendResult::sent;
}

SendResult EventStream::send(const SharedEvent& event, SlowConsumer policy) {
  if (!may_send()) return SendResult::closed;
  const SharedEventData& data = *event.data_;
  if (is_behind()) return queue(data.chunk(), data.key(), policy);
  write(data.chunk());
  return SendResult::sent;
}

// What is with the connection cannot be taken back, so the rest waits here.
SendResult EventStream::queue(SharedBytes chunk, std::string_view key, SlowConsumer policy) {
  if (!outbox_) outbox_ = std::make_unique<transport::Outbox>();
  if (policy != SlowConsumer::disconnect && !is_patient_) {
    is_patient_ = true;
    writer_->set_write_timeout(worker_.application().settings.write_timeout);
  }
  const SendResult result = outbox_->add(std::move(chunk), key, policy, max_queue_bytes_);
  if (policy == SlowConsumer::conflate) static_cast<void>(outbox_->take_lost());
  if (result == SendResult::overflow) {
    give_up();
  } else {
    writer_->request_drain_notice();
  }
  return result;
}

void EventStream::write(const SharedBytes& chunk) {
  if (encoder_) {
    write_coded(server::chunk_payload(chunk.view()));
  } else {
    writer_->write_framed(chunk);
  }
}

void EventStream::write_text(std::string_view text) {
  if (encoder_) {
    write_coded(text);
  } else {
    writer_->write_body(text);
  }
}

void EventStream::write_coded(std::string_view text) {
  thread_local std::string coded;
  coded.clear();
  encoder_->write(text, coded);
  encoder_->flush(coded);
  writer_->write_body(coded);
}

// The connection has taken what it had.
void EventStream::work_off_outbox() {
  if (!outbox_) return;
  if (const std::size_t lost = outbox_->take_lost(); lost != 0) {
    write_text("event: dropped\ndata: {\"count\":" + std::to_string(lost) + "}\n\n");
  }
  while (!outbox_->is_empty() && writer_->pending_bytes() < transport::Outbox::low_mark_bytes) {
    write(outbox_->take());
  }
  if (outbox_->is_empty()) outbox_.reset();
}

void EventStream::set_slow_consumer(SlowConsumer policy, std::size_t max_bytes) noexcept {
  const Settings& settings = worker_.application().settings;
  if (max_bytes == 0) max_bytes = settings.event_source_max_queue;
  max_queue_bytes_ = static_cast<std::uint32_t>(std::min<std::size_t>(max_bytes, UINT32_MAX));
  policy_ = policy;
}

void EventStream::close() {
  if (!begun_) begin();
  if (closing_ || writer_ == nullptr) return;
  closing_ = true;
  if (!outbox_) write_end();  // else when what waits has left
  if (stop_ != nullptr) stop_->request_stop();
}

void EventStream::write_end() {
  if (encoder_) {
    std::string coded;
    encoder_->finish(coded);
    writer_->write_body(coded);
  }
  std::exchange(writer_, nullptr)->finish();
  client_is_gone();
  end_soon();
}

void EventStream::set_heartbeat(Duration interval) noexcept {
  heartbeat_ms_ = milliseconds(interval);
  if (!begun_ || ending_) return;
  if (heartbeat_ms_ != 0) {
    arm(heartbeat_ms_);
  } else if (TimerNode::is_armed()) {
    worker_.core().stop_timer(*this);
  }
}

void EventStream::arm(std::int64_t delay_ms) noexcept {
  if (TimerNode::is_armed()) worker_.core().stop_timer(*this);
  worker_.core().start_timer(*this, Duration::from_milliseconds(delay_ms));
}

void EventStream::timer_fired(TimerNode& node) noexcept { static_cast<EventStream&>(node).beat(); }

void EventStream::run_end(ReadyNode& node) noexcept {
  auto& self = static_cast<EventStream&>(node);
  if (!self.opening_) self.end();
}

// Sending costs a store: the timer looks whether it was long ago.
void EventStream::beat() noexcept {
  if (writer_ == nullptr || heartbeat_ms_ == 0) return;
  const auto now = static_cast<std::uint32_t>(worker_.core().now_ms());
  const std::uint32_t idle = now - sent_ms_;
  if (idle < heartbeat_ms_) {
    arm(heartbeat_ms_ - idle);
    return;
  }
  arm(heartbeat_ms_);
  if (writer_->pending_bytes() != 0) return;  // not idle, but slow
  try {
    write_text(heartbeat);
    sent_ms_ = now;
  } catch (const std::exception& error) {
    log::format(log::Level::error, "app", "a heartbeat could not be sent: {}", error.what());
  }
}

void EventStream::on_drained() {
  try {
    work_off_outbox();
  } catch (const std::exception& error) {
    log::format(log::Level::error, "app", "events could not be sent: {}", error.what());
    give_up();
    return;
  }
  if (writer_->pending_bytes() != 0) {
    writer_->request_drain_notice();
  } else if (closing_) {
    write_end();
  } else {
    output_is_out();
  }
}

void EventStream::on_shutdown() {
  try {
    handler_->on_shutdown();
  } catch (const std::exception& error) {
    log::format(log::Level::error, "app", "on_shutdown threw: {}", error.what());
  }
}

void EventStream::on_connection_close() {
  writer_ = nullptr;
  subscriber_.reset();
  client_is_gone();
  if (stop_ != nullptr && handler_->cancel_on_disconnect()) stop_->request_stop();
  if (!opening_) end();
}

void EventStream::request_drain_notice() noexcept {
  if (writer_ != nullptr) writer_->request_drain_notice();
}

// Not inside a call that the handler makes.
void EventStream::end_soon() noexcept {
  if (ending_) return;
  ending_ = true;
  worker_.core().make_ready(*this);
}

void EventStream::end() noexcept {
  call_on_close(type_.close, *handler_);
  delete this;
}

void EventStream::abandon() noexcept {
  writer_ = nullptr;
  client_is_gone();
  runner_.cancel();
  end();
}

}  // namespace squall::web
