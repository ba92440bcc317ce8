// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/stream.hpp"

#include <cstdint>
#include <string_view>
#include <sys/socket.h>

namespace squall::loop {

/// Receives the connections of a listening socket.
class Acceptor : public Pollable {
 public:
  explicit Acceptor(int descriptor) noexcept : Pollable(Kind::acceptor, descriptor) {}

  virtual void on_accept(UniqueFd fd, const sockaddr_storage& peer) = 0;
  /// accept(2) failed with EMFILE, ENFILE, ENOBUFS or ENOMEM. The engine has stopped accepting.
  virtual void on_accept_failed(std::error_code error) = 0;
  /// For the engine: accepts some of the connections that wait. An error is one that
  /// on_accept_failed() is to be told.
  std::error_code accept_waiting();

  unsigned batch = 1;             ///< the engine's: how many to accept at once
  std::uint32_t engine_data = 0;  ///< the engine's; zero while it does not accept

 protected:
  ~Acceptor() = default;
};

/// Watches a descriptor of any kind for being ready: signals, wake-ups, datagram sockets, sockets
/// that connect, other libraries' sockets.
class Watch : public Pollable {
 public:
  // What it may wait for; a mask. Of the values, on_ready() may be told more than was asked for:
  // a broken descriptor counts as ready for both.
  static constexpr unsigned readable = 1;
  static constexpr unsigned writable = 2;

  explicit Watch(int descriptor, unsigned wanted = readable) noexcept
      : Pollable(Kind::watch, descriptor), interest(wanted) {}
  /// The descriptor is ready; called again as long as it is. The watch may be stopped and freed.
  virtual void on_ready(unsigned events) = 0;

  unsigned interest;              ///< changed between engine calls only; then update_watching()
  std::uint32_t engine_data = 0;  ///< the engine's; zero while it does not watch

 protected:
  ~Watch() = default;
};

/// How a loop talks to the kernel. The calls begin operations and the engine reports what became of
/// them, so that a completion-based engine (io_uring) fits as well as a readiness-based one.
///
/// A stream has at most one send under way. An engine may still hold operations of a stream after
/// detach(); it tells the core when the memory may go.
class Engine {
 public:
  virtual ~Engine() = default;

  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// Begins to receive on a new stream, again and again until paused.
  virtual std::error_code attach(Stream& stream) noexcept = 0;
  /// Begins or ends receiving as stream.is_receiving() says.
  virtual void update_receiving(Stream& stream) noexcept = 0;
  /// Sends what is pending; reports through sent() and broke(), at once or later.
  virtual void send(Stream& stream) noexcept = 0;
  /// Ends all operations and closes the descriptor; then clears the output, which the kernel may
  /// still be reading, and calls core.release(stream), maybe later.
  virtual void detach(Stream& stream) noexcept = 0;

  virtual std::error_code start_accepting(Acceptor& acceptor) noexcept = 0;
  virtual void stop_accepting(Acceptor& acceptor) noexcept = 0;
  virtual std::error_code start_watching(Watch& watch) noexcept = 0;
  /// After a change of watch.interest.
  virtual void update_watching(Watch& watch) noexcept = 0;
  virtual void stop_watching(Watch& watch) noexcept = 0;

  /// Waits for events for at most `timeout_ms` (-1: for ever, 0: not at all) and reports them.
  /// Calls `woke` between the wait and the first report; false when there was nothing to report.
  virtual bool wait(int timeout_ms, void (*woke)(void*), void* context) noexcept = 0;
  /// Ends a wait() from any thread.
  virtual void wake() noexcept = 0;
  /// The loop stops without another wait(): hands the kernel what waits for it.
  virtual void flush() noexcept {}
  /// The loop ends: nothing may be written to its memory afterwards, and no owner is called any
  /// more. Releases the streams that were detached.
  virtual void shut_down() noexcept {}
};

}  // namespace squall::loop
