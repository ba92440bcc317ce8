// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/shared_bytes.hpp"
#include "http/content_encoder.hpp"
#include "server/exchange.hpp"
#include "transport/outbox.hpp"
#include "web/output_source.hpp"
#include "web/worker.hpp"

#include <squall/base/pool.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/web/event_source_handler.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace squall::web {

class EventSubscriber;
class Exchange;

/// What the copies of a SharedEvent share.
class SharedEventData {
 public:
  SharedEventData(std::string_view text, std::string_view key);
  SharedEventData(const SharedEventData&) = delete;
  SharedEventData& operator=(const SharedEventData&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /// The event, framed as a chunk.
  [[nodiscard]] const SharedBytes& chunk() const noexcept { return chunk_; }
  [[nodiscard]] std::string_view key() const noexcept { return key_; }

 private:
  ~SharedEventData() = default;
  SharedBytes chunk_;
  std::string key_;
  std::atomic<std::uint32_t> references_{1};
};

/// An EventSourceHandler and its response. It lives from the call of open() until on_close() has
/// returned and open() does not run any more.
class EventStream final : public server::MessageDelegate,
                          public OutputSource,
                          public squall::detail::Pooled,
                          private squall::detail::TimerNode,
                          private squall::detail::ReadyNode {
 public:
  /// prepare() and open(): what an exchange runs for a route of this kind.
  [[nodiscard]] static Task<> accept(Exchange& exchange, const detail::EventsType& type);

  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // server::MessageDelegate, once the stream has begun
  void headers_received(const http::RequestHead&, const http::RequestFraming&) override {}
  void data_received(std::string_view) override {}
  void message_complete(http::Trailers*) override {}
  void preserve() override {}
  void on_drained() override;
  void on_shutdown() override;
  void on_connection_close() override;

  // For the handler.
  /// An event or a comment, with its empty line.
  SendResult send(std::string_view text, std::string_view key = {}) {
    return send(text, key, policy_);
  }
  SendResult send(std::string_view text, std::string_view key, SlowConsumer policy);
  SendResult send(const SharedEvent& event) { return send(event, policy_); }
  SendResult send(const SharedEvent& event, SlowConsumer policy);
  void set_slow_consumer(SlowConsumer policy, std::size_t max_bytes) noexcept;
  void close();
  void set_heartbeat(Duration interval) noexcept;
  void begin();
  [[nodiscard]] bool is_open() const noexcept { return !closing_ && (!begun_ || !is_over()); }
  /// The client has left, or all is sent.
  [[nodiscard]] bool is_over() const noexcept { return writer_ == nullptr; }
  [[nodiscard]] std::size_t pending_bytes() const noexcept override {
    if (writer_ == nullptr) return 0;
    return writer_->pending_bytes() + (outbox_ ? outbox_->bytes() : 0);
  }
  void keep_request() noexcept { keep_request_ = true; }
  [[nodiscard]] bool has_begun() const noexcept { return begun_; }
  [[nodiscard]] bool has_request() const noexcept { return exchange_ != nullptr; }
  /// Breaks the connection, so that the client does not take it for the end of the stream.
  void give_up() noexcept;
  /// Its part in a hub.
  [[nodiscard]] EventSubscriber& subscriber();
  [[nodiscard]] Worker& worker() const noexcept { return worker_; }

  /// Ends what still runs and deletes this; the worker is going.
  void abandon() noexcept;

 private:
  friend class Worker;

  EventStream(Exchange& exchange, EventSourceHandler& handler,
              const detail::EventsType& type) noexcept;
  ~EventStream();

  static Task<> run_accept(Exchange* exchange, const detail::EventsType* type);
  static void open_done(void* context, std::exception_ptr error);
  static void timer_fired(TimerNode& node) noexcept;
  static void run_end(ReadyNode& node) noexcept;
  void request_drain_notice() noexcept override;
  void discard() noexcept;
  void opened();
  void failed(std::exception_ptr error) noexcept;
  [[nodiscard]] bool may_send();
  [[nodiscard]] bool is_behind() const noexcept;
  SendResult queue(SharedBytes chunk, std::string_view key, SlowConsumer policy);
  void write(const SharedBytes& chunk);
  void write_text(std::string_view text);
  void write_coded(std::string_view text);
  void work_off_outbox();
  void write_end();
  void beat() noexcept;
  void arm(std::int64_t delay_ms) noexcept;
  void end_soon() noexcept;
  void end() noexcept;

  Worker& worker_;
  EventSourceHandler* handler_;
  const detail::EventsType& type_;
  Exchange* exchange_;                        // while opening, or kept
  server::ResponseWriter* writer_ = nullptr;  // from the beginning to the end
  EventStream* next_ = nullptr;
  EventStream* previous_ = nullptr;
  std::unique_ptr<http::ContentEncoder> encoder_;
  std::unique_ptr<EventSubscriber> subscriber_;
  std::unique_ptr<transport::Outbox> outbox_;  // while the client is behind
  squall::detail::TaskRunner runner_;          // of open()
  squall::detail::StopState* stop_ = nullptr;
  std::exception_ptr* early_error_ = nullptr;  // of an open() that has not waited yet
  std::uint32_t heartbeat_ms_;
  std::uint32_t sent_ms_ = 0;  // when something was sent last
  std::uint32_t max_queue_bytes_;
  SlowConsumer policy_;
  bool begun_ : 1 = false;
  bool opening_ : 1 = true;
  bool closing_ : 1 = false;  // close() was called
  bool ending_ : 1 = false;   // end() is to come
  bool keep_request_ : 1 = false;
  bool is_patient_ : 1 = false;  // a client may take nothing for longer
};

}  // namespace squall::web
