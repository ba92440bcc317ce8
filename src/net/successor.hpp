// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"
#include "loop/loop_core.hpp"

#include <squall/base/duration.hpp>
#include <squall/loop/unique_fd.hpp>

#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace squall::net {

/// A new process of the program that this one is, which gets its listening sockets and is to
/// replace it: what the file holds by now, with the same arguments and the same environment.
///
/// The child learns of its sockets as from a service manager, and says on a pipe that it is ready.
class Successor final {
 public:
  class Observer {
   public:
    /// It serves. Its end is its own business from now on.
    virtual void on_ready() = 0;
    /// It could not be started, has ended, or took too long; nothing of it is left.
    virtual void on_failed(std::string_view why) = 0;

   protected:
    ~Observer() = default;
  };
  struct Socket {
    int fd;  // stays the caller's
    std::string name;
  };

  /// Starts it. Exactly one of the observer's calls follows, from the loop; it may destroy this.
  /// Throws std::system_error when there is no child.
  Successor(loop::LoopCore& core, std::span<const Socket> sockets, Duration ready_timeout,
            Observer& observer);
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;
  /// Kills a child that is not ready.
  ~Successor();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  struct PipeWatch final : loop::Watch {
    PipeWatch(Successor& owner, int descriptor) noexcept : Watch(descriptor), successor(owner) {}
    void on_ready(unsigned events) override;
    Successor& successor;
  };
  struct EndWatch final : loop::Watch {
    EndWatch(Successor& owner, int descriptor) noexcept : Watch(descriptor), successor(owner) {}
    void on_ready(unsigned events) override;
    Successor& successor;
  };
  struct Timer final : squall::detail::TimerNode {
    explicit Timer(Successor& owner) noexcept
        : TimerNode(
              [](TimerNode& node) noexcept { static_cast<Timer&>(node).successor.give_up(); }),
          successor(owner) {}
    Successor& successor;
  };

  void read_pipe();
  void ended();
  void give_up() noexcept;
  void stop_watching() noexcept;
  void kill_now() noexcept;

  loop::LoopCore& core_;
  Observer& observer_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  UniqueFd pipe_;
  PipeWatch pipe_watch_;
  EndWatch end_watch_;
  Timer timer_;
  std::string why_;  // it failed, where it has said so
  bool ready_ = false;
  bool watches_pipe_ = false;
  bool watches_end_ = false;
};

}  // namespace squall::net
