// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"
#include "loop/loop_core.hpp"

#include <squall/base/result.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/address.hpp>

#include <coroutine>
#include <memory>
#include <vector>

namespace squall::net {

/// The order in which to try: families in turn, beginning with the first one's (RFC 8305 §4).
[[nodiscard]] std::vector<SocketAddress> interleave_families(
    const std::vector<SocketAddress>& addresses);

/// Where connections come from.
struct ConnectSource {
  SocketAddress address;  ///< of family none: any
  std::uint16_t port = 0;
};

/// Awaitable: connects to the first of some addresses that answers (RFC 8305 §5).
class ConnectRace : private squall::detail::StopNode, private squall::detail::TimerNode {
 public:
  ConnectRace(std::vector<SocketAddress> addresses, const ConnectSource& source, Duration delay);
  ConnectRace(const ConnectRace&) = delete;
  ConnectRace& operator=(const ConnectRace&) = delete;
  ~ConnectRace();

  /// Begins the first attempt.
  [[nodiscard]] bool await_ready() { return go_on(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    resume_.coroutine = waiting;
    if (auto* const stop = squall::detail::stop_state_of(waiting)) stop->listen(*this);
  }
  /// The descriptor, or the last attempt's error.
  Result<UniqueFd> await_resume();

 private:
  struct Attempt;

  /// Begins attempts until one is under way; true when the race is over.
  bool go_on();
  std::error_code begin(const SocketAddress& address);
  void attempt_ready(Attempt& attempt);
  void drop(Attempt& attempt) noexcept;
  void drop_all() noexcept;
  void end() noexcept;
  static void on_stop(StopNode& node) noexcept;
  static void on_delay(TimerNode& node) noexcept;

  loop::LoopCore& loop_;
  std::vector<SocketAddress> addresses_;
  ConnectSource source_;
  Duration delay_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  UniqueFd winner_;
  std::error_code error_;
  squall::detail::ResumeNode resume_;
  bool cancelled_ = false;
};

}  // namespace squall::net
