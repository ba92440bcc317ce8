// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>
#include <squall/websocket/message.hpp>

#include <coroutine>
#include <cstdint>

namespace squall::web {

class MessageReader;
class WebSocketSession;

/// What WebSocketHandler::read() and read_piece() give: await it for the next message or piece,
/// which is empty once no more will come. Throws CancelledError when the awaiting task is asked to
/// stop.
class MessageAwaiter : private squall::detail::StopNode {
 public:
  enum class What : std::uint8_t { message, piece };

  MessageAwaiter(WebSocketSession* session, What what);
  MessageAwaiter(const MessageAwaiter&) = delete;
  MessageAwaiter& operator=(const MessageAwaiter&) = delete;
  ~MessageAwaiter();

  [[nodiscard]] bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, squall::detail::stop_state_of(waiting));
  }
  [[nodiscard]] websocket::OptionalMessage await_resume();

 private:
  friend class MessageReader;
  void suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop);
  static void on_stop(StopNode& node) noexcept;

  MessageReader* reader_ = nullptr;  // nullptr once the connection has ended
  What what_;
  bool cancelled_ = false;
  squall::detail::ResumeNode resume_;
};

}  // namespace squall::web
