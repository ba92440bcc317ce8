// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/content_encoder.hpp"
#include "server/exchange.hpp"
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

class Exchange;

/// What the copies of a SharedEvent share: the event, framed as a chunk.
class SharedEventData {
 public:
  explicit SharedEventData(std::string_view text);
  SharedEventData(const SharedEventData&) = delete;
  SharedEventData& operator=(const SharedEventData&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  [[nodiscard]] server::FramedChunk chunk() const noexcept { return {bytes_, head_bytes_}; }

 private:
  ~SharedEventData() = default;
  std::string bytes_;
  std::size_t head_bytes_ = 0;
  std::atomic<std::uint32_t> references_{1};
};

/// An EventSourceHandler and its response. It lives from the call of open() until on_close() has
/// returned and open() does not run any more.
class EventStream final : public server::MessageDelegate,
                          public OutputSource,
                          public squall::detail::Pooled,
                          private squall::detail::TimerNode {
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
  SendResult send(std::string_view text);
  SendResult send(const SharedEvent& event);
  void close();
  void set_heartbeat(Duration interval) noexcept;
  void begin();
  [[nodiscard]] bool is_open() const noexcept { return !closing_ && (!begun_ || !is_over()); }
  /// The client has left, or all is sent.
  [[nodiscard]] bool is_over() const noexcept { return writer_ == nullptr; }
  [[nodiscard]] std::size_t pending_bytes() const noexcept override {
    return writer_ != nullptr ? writer_->pending_bytes() : 0;
  }
  void keep_request() noexcept { keep_request_ = true; }
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
  void request_drain_notice() noexcept override;
  void discard() noexcept;
  void opened();
  void failed(std::exception_ptr error) noexcept;
  [[nodiscard]] bool may_send(std::size_t bytes, SendResult& result);
  void write_coded(std::string_view text);
  void give_up() noexcept;
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
  squall::detail::TaskRunner runner_;  // of open()
  squall::detail::StopState* stop_ = nullptr;
  std::exception_ptr* early_error_ = nullptr;  // of an open() that has not waited yet
  std::uint32_t heartbeat_ms_;
  std::uint32_t sent_ms_ = 0;  // when something was sent last
  bool begun_ : 1 = false;
  bool opening_ : 1 = true;
  bool closing_ : 1 = false;  // close() was called
  bool ending_ : 1 = false;   // the timer calls end()
  bool keep_request_ : 1 = false;
};

}  // namespace squall::web
