// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/coro/detail/waiter.hpp>
#include <squall/net/detail/share.hpp>
#include <squall/websocket/message.hpp>

#include <optional>
#include <utility>

namespace squall::client::detail {
class WebSocketSession;
}

namespace squall::net::detail {
extern template class Share<client::detail::WebSocketSession>;
}

namespace squall::client::detail {

/// What a read waits for.
enum class Wanted : unsigned char { message, piece };

/// The waits of a WebSocket; the reference is a base, so that it outlives the place in line.
class WebSocketWait : protected net::detail::Share<WebSocketSession>,
                      public squall::detail::Waiter {
 public:
  WebSocketWait(WebSocketWait&&) noexcept = default;
  WebSocketWait& operator=(WebSocketWait&&) = delete;

 protected:
  enum class Line : unsigned char { messages, output, end };
  WebSocketWait(WebSocketSession* session, Line line) noexcept;
  WebSocketWait(WebSocketSession* session, Line line, Duration timeout) noexcept;
  ~WebSocketWait() = default;

 private:
  static squall::detail::WaitList& line_of(WebSocketSession* session, Line line) noexcept;
};

class MessageAwaiter final : public WebSocketWait {
 public:
  MessageAwaiter(WebSocketSession* session, Wanted what) noexcept
      : WebSocketWait(session, Line::messages), what_(what) {}
  MessageAwaiter(WebSocketSession* session, Wanted what, Duration timeout) noexcept
      : WebSocketWait(session, Line::messages, timeout), what_(what) {}
  MessageAwaiter(MessageAwaiter&& other) noexcept
      : WebSocketWait(std::move(other)), what_(other.what_) {}
  ~MessageAwaiter();

  [[nodiscard]] bool await_ready();
  std::optional<websocket::Message> await_resume();

 private:
  Wanted what_;
  bool reads_ = false;  // it is the one reader
};

class DrainedAwaiter final : public WebSocketWait {
 public:
  explicit DrainedAwaiter(WebSocketSession* session) noexcept
      : WebSocketWait(session, Line::output) {}
  [[nodiscard]] bool await_ready();
  void await_resume();
};

class ClosedAwaiter final : public WebSocketWait {
 public:
  explicit ClosedAwaiter(WebSocketSession* session) noexcept : WebSocketWait(session, Line::end) {}
  [[nodiscard]] bool await_ready() const noexcept;
  int await_resume();
};

}  // namespace squall::client::detail
