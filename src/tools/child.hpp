// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/commands.hpp"
#include "tools/output_text.hpp"

#include <squall/coro/event.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/net/subprocess.hpp>

#include <string>
#include <string_view>

namespace squall::tools {

/// A build or a program that runs: a process group of its own, whose output goes to the terminal
/// and is kept. Destroying it kills the group.
class Child {
 public:
  enum class Kind : bool { build, program };

  /// Sets `wake` when it has ended. Throws std::system_error when it cannot be started.
  Child(Kind kind, const Arguments& command, std::string_view variable, Event& wake);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] bool has_ended() const noexcept { return ended_; }
  /// Once it has ended.
  [[nodiscard]] ExitStatus status() const noexcept { return status_; }
  /// What of its output a page shows: all of a build's, the error output of a program.
  [[nodiscard]] std::string text() const { return output_.text(); }
  void send_signal(int number) noexcept;

 private:
  static Task<> read(Child* self);
  static Task<> follow(Child* self);
  [[nodiscard]] net::Stream& stream() noexcept;

  Kind kind_;
  Event& wake_;
  OutputText output_;
  Subprocess process_;
  ExitStatus status_;
  bool ended_ = false;
  Event read_all_;
  TaskGroup tasks_;
};

/// Writes all of it, to a terminal or whatever else the descriptor is.
void write_through(int fd, std::string_view text) noexcept;

}  // namespace squall::tools
