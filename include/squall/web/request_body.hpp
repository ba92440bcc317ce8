// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>

#include <coroutine>
#include <string_view>

namespace squall::web {

class BodyStream;
class Exchange;

/// What RequestBody::read() gives: await it for the next piece, which is valid until the next
/// read(), and empty at the end of the body. Throws StreamClosedError when the client has gone or
/// was refused (its body is malformed, too large or too slow), CancelledError when the awaiting
/// task is asked to stop.
class BodyAwaiter : private squall::detail::StopNode {
 public:
  explicit BodyAwaiter(Exchange& exchange);
  BodyAwaiter(const BodyAwaiter&) = delete;
  BodyAwaiter& operator=(const BodyAwaiter&) = delete;
  ~BodyAwaiter();

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, squall::detail::stop_state_of(waiting));
  }
  [[nodiscard]] std::string_view await_resume();

 private:
  friend class BodyStream;
  void suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop);
  static void on_stop(StopNode& node) noexcept;

  BodyStream* stream_;      // nullptr when the body is whole, and once the request has gone
  std::string_view whole_;  // then the body, for the first read
  squall::detail::ResumeNode resume_;
  bool gone_ = false;
  bool cancelled_ = false;
};

/// A request's body. For most handlers it is whole before the verb runs, and this is its bytes. For
/// one that streams (RequestHandler says how), it comes in pieces, by read(), and the bytes here
/// are none.
class RequestBody : public std::string_view {
 public:
  /// The next piece, of at most some 200 KiB: `auto piece = co_await request().body().read();`,
  /// empty at the end. The client is not read from while nobody reads here. One reader at a time; a
  /// UsageError otherwise. A body that is whole comes as one piece.
  [[nodiscard]] BodyAwaiter read() const { return BodyAwaiter(exchange_); }

 private:
  friend class HTTPServerRequest;
  RequestBody(std::string_view bytes, Exchange& exchange) noexcept
      : std::string_view(bytes), exchange_(exchange) {}
  Exchange& exchange_;
};

}  // namespace squall::web
