// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wire_load {

/// What makes a sample fail: a wrong answer, a broken connection, a stall. The text says which.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One non-blocking TCP connection to 127.0.0.1; move-only.
class Connection {
 public:
  Connection() = default;
  /// Connects at once (loopback); throws Failure.
  explicit Connection(std::uint16_t port);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  int fd() const { return fd_; }

  /// Sends all of `data`, waiting while the peer reads; throws Failure.
  void send_all(std::string_view data) const;

  /// Bytes received now: 0 at the end of the stream, `would_block` when there are none yet.
  std::size_t receive(char* into, std::size_t size) const;

  /// Waits for bytes, then receives; throws Failure after five seconds without any.
  std::size_t receive_some(char* into, std::size_t size) const;

  static constexpr std::size_t would_block = static_cast<std::size_t>(-1);

 private:
  int fd_ = -1;
};

/// A level-triggered epoll set for reading; entries carry the caller's index.
class Poller {
 public:
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();
  void add(const Connection& connection, std::size_t index) const;

  /// Calls `ready(index)` for each readable entry; throws Failure when nothing comes for 5 s.
  template <class Ready>
  void wait(Ready&& ready) {
    const std::size_t count = wait_events();
    for (std::size_t i = 0; i < count; ++i) ready(index_at(i));
  }

 private:
  std::size_t wait_events();
  std::size_t index_at(std::size_t event) const;

  struct Events;
  int fd_ = -1;
  std::unique_ptr<Events> events_;
};

}  // namespace wire_load
