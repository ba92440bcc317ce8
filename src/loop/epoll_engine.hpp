// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"

#include <sys/epoll.h>

namespace squall::loop {

class LoopCore;

/// Level-triggered epoll. A stream is registered once; its interest changes only when it blocks or
/// pauses, so the usual request costs one recv and one send.
class EpollEngine final : public Engine {
 public:
  /// Throws std::system_error when the kernel gives no epoll descriptor.
  explicit EpollEngine(LoopCore& core);
  ~EpollEngine() override;

  [[nodiscard]] std::string_view name() const noexcept override { return "epoll"; }
  std::error_code attach(Stream& stream) noexcept override;
  void update_receiving(Stream& stream) noexcept override;
  void send(Stream& stream) noexcept override;
  void detach(Stream& stream) noexcept override;
  std::error_code start_accepting(Acceptor& acceptor) noexcept override;
  void stop_accepting(Acceptor& acceptor) noexcept override;
  std::error_code start_watching(Watch& watch) noexcept override;
  void update_watching(Watch& watch) noexcept override;
  void stop_watching(Watch& watch) noexcept override;
  bool wait(int timeout_ms, void (*woke)(void*), void* context) noexcept override;
  void wake() noexcept override;

 private:
  std::error_code add(Pollable& pollable, std::uint32_t events) noexcept;
  void forget(Pollable& pollable) noexcept;
  void set_interest(Stream& stream, std::uint32_t events) noexcept;
  void dispatch_guarded(Stream& stream, std::uint32_t events) noexcept;
  void hung_up(Stream& stream) noexcept;
  void dispatch(Stream& stream, std::uint32_t events);
  void receive(Stream& stream);
  void accept(Acceptor& acceptor);

  static constexpr int event_count = 512;

  LoopCore& core_;
  UniqueFd epoll_;
  UniqueFd wake_;
  int reported_ = 0;  // events of the present wait() that are not handled yet
  epoll_event events_[event_count];
};

}  // namespace squall::loop
