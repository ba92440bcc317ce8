// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/unique_fd.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Between a program in development and `squall run --watch`, which started it and keeps its
// sockets. docs/decisions/0019-autoreload.md has the messages.
namespace squall::net {

/// Environment variable: the name of the socket in the abstract namespace where `squall run`
/// listens.
inline constexpr const char* run_variable = "SQUALL_RUN";
/// The longest message.
inline constexpr std::size_t run_message_bytes = 96 * 1024;

/// One end of the connection, a SOCK_SEQPACKET: a message is a text, with or without a descriptor.
class RunLink {
 public:
  struct Message {
    std::string text;
    UniqueFd fd;
  };
  enum class Outcome { message, nothing, over };

  RunLink() noexcept = default;
  explicit RunLink(UniqueFd fd) noexcept : fd_(std::move(fd)) {}

  /// To who started this process; empty when that was nobody of the kind, or is gone. Waits at most
  /// 5 s in send() and receive().
  [[nodiscard]] static RunLink connect() noexcept;
  /// Whether the other end is a process of the same user.
  [[nodiscard]] static bool is_own_user(int fd) noexcept;

  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// From here on, send() and receive() wait for nothing.
  void stop_waiting() noexcept;
  /// False when the other end is gone or does not read.
  bool send(std::string_view text, int fd = -1) noexcept;
  /// `nothing` when none is there.
  Outcome receive(Message& message);

 private:
  UniqueFd fd_;
};

/// The sockets that are kept from an earlier start, with the names that they had.
[[nodiscard]] std::vector<std::pair<UniqueFd, std::string>> kept_sockets();
/// Has them closed that are bound to this port: the program wants it otherwise.
void release_kept_port(unsigned port) noexcept;

}  // namespace squall::net
