// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/address.hpp>
#include <squall/net/detail/share.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace squall::net {

/// One datagram that was received.
struct Datagram {
  std::size_t bytes = 0;   ///< of it in the target; zero is an empty datagram, not an end
  SocketAddress peer;      ///< who sent it
  bool truncated = false;  ///< it was longer than the target; the rest is lost
};

struct UDPOptions {
  bool reuse_address = false;    ///< SO_REUSEADDR: several sockets get each multicast datagram
  bool reuse_port = false;       ///< SO_REUSEPORT: several sockets share the load
  bool broadcast = false;        ///< allows to send to broadcast addresses
  int receive_buffer_bytes = 0;  ///< SO_RCVBUF, what the kernel queues; 0 leaves it alone
};
static_assert(std::is_trivially_destructible_v<UDPOptions>);

namespace detail {

class UDPCore;

extern template class Share<UDPCore>;

/// One attempt to send or to receive, repeated when the socket is ready. Allocates nothing.
class UDPWait : private squall::detail::StopNode {
 public:
  UDPWait(const UDPWait&) = delete;
  UDPWait& operator=(const UDPWait&) = delete;

  [[nodiscard]] bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, squall::detail::stop_state_of(waiting));
  }

 protected:
  friend class UDPCore;
  UDPWait(UDPCore* core, std::span<char> target) noexcept;
  UDPWait(UDPCore* core, std::string_view bytes, const SocketAddress& to) noexcept;
  ~UDPWait();
  void throw_if_cancelled();

  Share<UDPCore> core_;
  std::error_code error_{};
  Datagram datagram_;  // what came, or where it goes

 private:
  void suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop);
  static void on_stop(StopNode& node) noexcept;

  squall::detail::ResumeNode resume_;
  std::span<char> target_;
  std::string_view bytes_;
  bool sends_;
  bool in_slot_ = false;
  bool cancelled_ = false;
};

class ReceiveFromAwaiter final : public UDPWait {
 public:
  ReceiveFromAwaiter(UDPCore* core, std::span<char> target) noexcept : UDPWait(core, target) {}
  Result<Datagram> await_resume();
};

class SendToAwaiter final : public UDPWait {
 public:
  SendToAwaiter(UDPCore* core, std::string_view bytes, const SocketAddress& to) noexcept
      : UDPWait(core, bytes, to) {}
  Result<void> await_resume();
};

}  // namespace detail

/// A socket for datagrams. What arrives waits in the kernel only, which drops what is too much.
///
/// A move-only handle that belongs to the loop on which it was made; destroying it closes it. One
/// receive and one send may wait at a time, a second one is a UsageError. Failures are values;
/// after one the socket is still good: ECONNREFUSED says that an earlier datagram of a connected
/// socket found nobody. Waits end with CancelledError when their task is asked to stop, with EBADF
/// when the socket is closed meanwhile, and do not allocate.
class UDPSocket {
 public:
  /// One that is closed.
  UDPSocket() noexcept = default;
  UDPSocket(UDPSocket&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  UDPSocket& operator=(UDPSocket&& other) noexcept;
  UDPSocket(const UDPSocket&) = delete;
  UDPSocket& operator=(const UDPSocket&) = delete;
  ~UDPSocket();

  /// Bound to `local`, a literal address with a port (0: a free one):
  /// `UDPSocket::bind(SocketAddress::parse("0.0.0.0", 5353))`. "::" takes IPv6 only. Throws
  /// std::system_error that names the address.
  [[nodiscard]] static UDPSocket bind(const SocketAddress& local, const UDPOptions& options = {});
  /// Bound to a free port, for talking to `peer` only: others' datagrams are not received. Throws
  /// std::system_error that names the address.
  [[nodiscard]] static UDPSocket connect(const SocketAddress& peer, const UDPOptions& options = {});

  /// Waits for a datagram and puts it into `target`, which must stay alive until then.
  [[nodiscard]] detail::ReceiveFromAwaiter receive_from(std::span<char> target) noexcept {
    return {core_, target};
  }
  /// Sends one datagram; waits while the kernel's buffer is full. `bytes` must stay alive until
  /// then. EMSGSIZE when it is longer than the path allows (65,507 bytes over IPv4).
  [[nodiscard]] detail::SendToAwaiter send_to(std::string_view bytes,
                                              const SocketAddress& to) noexcept {
    return {core_, bytes, to};
  }
  /// For a connected socket.
  [[nodiscard]] detail::ReceiveFromAwaiter receive(std::span<char> target) noexcept {
    return {core_, target};
  }
  [[nodiscard]] detail::SendToAwaiter send(std::string_view bytes) noexcept {
    return {core_, bytes, SocketAddress()};
  }

  /// Receives what is sent to the multicast address `group` on the interface that has the address
  /// `on` (IPv4) or, for both families, on the one the system chooses.
  Result<void> join_multicast(const SocketAddress& group, const SocketAddress& on = {});
  Result<void> leave_multicast(const SocketAddress& group, const SocketAddress& on = {});
  /// How many routers a multicast datagram may pass; 1, the default, stays in the network.
  Result<void> set_multicast_hops(int hops);
  /// Whether this host gets its own multicast datagrams; it does by default.
  Result<void> set_multicast_loopback(bool on);
  Result<void> set_broadcast(bool on);

  void close() noexcept;
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] SocketAddress local_address() const noexcept;
  /// Of a connected socket.
  [[nodiscard]] SocketAddress peer_address() const noexcept;
  /// The descriptor, -1 when it is closed. It stays the socket's.
  [[nodiscard]] int native_handle() const noexcept;

 private:
  explicit UDPSocket(detail::UDPCore* core) noexcept : core_(core) {}
  detail::UDPCore* core_ = nullptr;
};

}  // namespace squall::net
