// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"
#include "loop/loop_core.hpp"

#include <squall/net/address.hpp>

namespace squall::net {

/// Accepts connections of one socket on one loop and hands them on.
///
/// When descriptors or memory run out it waits a while and tries again; connections queue in the
/// kernel meanwhile. The log has one line for it, and one when it is over.
class Listener final : private loop::Acceptor, private squall::detail::TimerNode {
 public:
  /// Takes each new connection.
  class Receiver {
   public:
    virtual void on_connection(UniqueFd fd, const SocketAddress& peer) = 0;

   protected:
    ~Receiver() = default;
  };

  /// Begins at once. Throws std::system_error when the loop cannot watch the socket.
  Listener(loop::LoopCore& core, UniqueFd socket, Receiver& receiver);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// Leaves new connections in the kernel's queue until go_on(). Also from on_connection().
  void pause() noexcept;
  void go_on() noexcept;
  /// Takes what waits in the kernel's queue now, before the listener goes. Not while it is paused.
  void accept_waiting();

  [[nodiscard]] int native_handle() const noexcept { return fd; }

 private:
  void on_accept(UniqueFd connection, const sockaddr_storage& peer) override;
  void on_accept_failed(std::error_code error) override;
  void try_again() noexcept;

  loop::LoopCore& core_;
  Receiver& receiver_;
  UniqueFd socket_;
  bool starved_ = false;
  bool paused_ = false;
};

}  // namespace squall::net
