// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"
#include "loop/loop_core.hpp"
#include "net/share.hpp"

#include <squall/base/pool.hpp>
#include <squall/net/udp_socket.hpp>

#include <cstdint>

namespace squall::net::detail {

/// What stands behind a UDPSocket; counted, as waits hold it too.
class UDPCore final : public squall::detail::Pooled, public Counted<UDPCore>, private loop::Watch {
 public:
  explicit UDPCore(UniqueFd socket) noexcept
      : Watch(socket.get(), 0), loop_(loop::LoopCore::current()), descriptor_(std::move(socket)) {}
  void close() noexcept;
  [[nodiscard]] int native_handle() const noexcept { return descriptor_.get(); }

  /// Whether the operation need not wait.
  bool attempt(UDPWait& wait);
  void check_free(const UDPWait& wait) const;
  void begin_wait(UDPWait& wait);
  void end_wait(UDPWait& wait) noexcept;
  void make_ready(squall::detail::ReadyNode& node) noexcept { loop_.make_ready(node); }

 private:
  friend Counted<UDPCore>;
  ~UDPCore() = default;
  void on_ready(unsigned events) override;
  void try_again(UDPWait*& slot, unsigned direction);
  void set_interest(unsigned wanted);
  static bool send(int fd, UDPWait& wait) noexcept;
  static bool receive(int fd, UDPWait& wait) noexcept;

  loop::LoopCore& loop_;
  UniqueFd descriptor_;
  UDPWait* receiver_ = nullptr;
  UDPWait* sender_ = nullptr;
};

}  // namespace squall::net::detail
