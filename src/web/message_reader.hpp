// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/websocket_connection.hpp"

#include <squall/web/message_awaiter.hpp>

#include <optional>
#include <string_view>

namespace squall::web {

/// The messages of a WebSocket whose handler reads them: takes one, or a piece, from the connection
/// when it is asked for, so that the others wait there within its limits.
class MessageReader {
 public:
  explicit MessageReader(transport::WebSocketConnection& connection) noexcept
      : connection_(&connection) {}
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;
  ~MessageReader() { close(); }

  /// From the connection; returns whether more of it is wanted at once.
  bool received(bool binary, std::string_view bytes, bool last);
  /// No more comes.
  void close() noexcept;

  // For the awaiter.
  /// Asks for it; whether it is there, or never will be.
  bool fetch(MessageAwaiter::What what);
  void wait(MessageAwaiter& waiter);
  void forget(MessageAwaiter& waiter) noexcept;
  void resume_later(MessageAwaiter& waiter) noexcept;
  [[nodiscard]] websocket::OptionalMessage take(MessageAwaiter::What what);
  /// Whether a coroutine waits here, and not elsewhere.
  [[nodiscard]] bool is_awaited() const noexcept { return waiter_ != nullptr; }

 private:
  [[nodiscard]] bool is_there() const noexcept {
    return (message_ && complete_) || connection_ == nullptr;
  }

  transport::WebSocketConnection* connection_;
  MessageAwaiter* waiter_ = nullptr;
  std::optional<websocket::Message> message_;
  bool complete_ = false;    // message_ is what is asked for
  bool inside_ = false;      // pieces of a message were read, not the last
  bool want_piece_ = false;  // by who waits
};

}  // namespace squall::web
