// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/websocket_connection.hpp"
#include "transport/websocket_delegate.hpp"
#include "web/message_reader.hpp"
#include "web/output_source.hpp"
#include "web/worker.hpp"

#include <squall/base/pool.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/web/websocket_handler.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

class Exchange;
class WebSocketSubscriber;

/// A WebSocketHandler and its connection. It lives from the handshake until the handler's
/// on_close() has returned and none of its coroutines runs any more.
class WebSocketSession final : public transport::WebSocketDelegate,
                               public OutputSource,
                               public squall::detail::Pooled {
 public:
  /// prepare(), the handshake, open(): what an exchange runs for a WebSocket route.
  [[nodiscard]] static Task<> accept(Exchange& exchange, const detail::SocketType& type);

  WebSocketSession(const WebSocketSession&) = delete;
  WebSocketSession& operator=(const WebSocketSession&) = delete;

  // transport::WebSocketDelegate
  bool on_message(bool binary, std::string_view payload) override;
  bool on_piece(bool binary, std::string_view piece, bool last) override;
  void on_ping(std::string_view payload) override;
  void on_pong(std::string_view payload) override;
  void on_drained() override;
  void on_close(websocket::CloseCode code, std::string_view reason) override;

  // For the handler.
  SendResult send(websocket::Opcode opcode, std::string_view payload, std::string_view key = {});
  SendResult send(transport::SharedFrame& message, std::string_view key);
  SendResult send_part(std::string_view piece, bool last, bool binary);
  void set_slow_consumer(SlowConsumer policy, std::size_t max_bytes);
  void set_max_message_size(std::size_t bytes) noexcept;
  /// For a coroutine open() that reads; nullptr when the connection is over. Throws UsageError when
  /// this handler does not read.
  [[nodiscard]] MessageReader* reader();
  void close(websocket::CloseCode code, std::string_view reason);
  [[nodiscard]] bool is_open() const noexcept {
    return connection_ != nullptr && connection_->is_open();
  }
  [[nodiscard]] std::size_t pending_bytes() const noexcept override {
    return connection_ != nullptr ? connection_->pending_bytes() : 0;
  }
  [[nodiscard]] bool is_over() const noexcept { return connection_ == nullptr; }
  [[nodiscard]] websocket::CloseCode close_code() const noexcept {
    return details_ ? details_->code : websocket::CloseCode::none;
  }
  [[nodiscard]] std::string_view close_reason() const noexcept {
    return details_ ? std::string_view(details_->reason) : std::string_view();
  }
  [[nodiscard]] std::string_view subprotocol() const noexcept {
    return details_ ? std::string_view(details_->subprotocol) : std::string_view();
  }
  void keep_request() noexcept {
    if (details_) details_->keep_request = true;
  }
  /// Its part in a hub.
  [[nodiscard]] WebSocketSubscriber& subscriber();

  /// Ends what still runs and deletes this; the worker is going.
  void abandon() noexcept;

 private:
  friend class Worker;
  /// What a session has while open() or a coroutine of its handler runs, and few others have. The
  /// worker knows the sessions that have it: those it would otherwise not hear of at its end.
  struct Details final : squall::detail::Pooled {
    Worker& worker;
    std::string subprotocol;
    std::string reason;
    Exchange* exchange = nullptr;  // while opening, or kept
    WebSocketSession* next = nullptr;
    WebSocketSession* previous = nullptr;
    std::unique_ptr<std::string> message;  // of the coroutine that handles it
    std::optional<MessageReader> reader;
    squall::detail::TaskRunner runner;
    squall::detail::StopState* stop = nullptr;
    std::unique_ptr<WebSocketSubscriber> subscriber;
    websocket::CloseCode code = websocket::CloseCode::none;
    bool opening : 1 = false;
    bool starting : 1 = false;
    bool keep_request : 1 = false;

    explicit Details(Worker& of) noexcept;
    ~Details();
    [[nodiscard]] bool is_needed() const noexcept {
      return exchange != nullptr || subscriber != nullptr || !subprotocol.empty();
    }
  };

  WebSocketSession(Exchange& exchange, WebSocketHandler& handler, const detail::SocketType& type);
  ~WebSocketSession();

  static Task<> run_accept(Exchange* exchange, const detail::SocketType* type);
  void request_drain_notice() noexcept override;
  void opened(Exchange& exchange);
  void failed(const char* where, std::exception_ptr error) noexcept;
  static void message_done(void* context, std::exception_ptr error);
  void end() noexcept;
  [[nodiscard]] bool is_reading() const noexcept;
  /// While there is a connection, or details.
  Details& own_details();
  void make_details(Worker& worker);
  [[nodiscard]] bool is_opening() const noexcept { return details_ && details_->opening; }
  void drop_details() noexcept;

  WebSocketHandler* handler_;
  const detail::SocketType& type_;
  transport::WebSocketConnection* connection_ = nullptr;
  std::unique_ptr<Details> details_;
};

}  // namespace squall::web
