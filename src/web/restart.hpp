// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/successor.hpp"

#include <squall/web/application.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

/// An application's place among processes: what it says to who started it, and its replacement by a
/// new one. On the main loop.
class Restart final : private net::Successor::Observer {
 public:
  Restart(Application& application, std::string_view pid_file)
      : application_(application), pid_file_(pid_file) {}
  Restart(const Restart&) = delete;
  Restart& operator=(const Restart&) = delete;
  ~Restart();

  /// A listening socket that a successor gets; it stays open until the application drains. Gives
  /// the name that it is handed over with, until the next call.
  std::string_view add_socket(int fd, bool any_port);
  /// The loop runs: writes the file, and notifies unless the program does so itself.
  void serves();
  void begin();
  /// The application shuts down: no successor is wanted any more, unless it is the reason.
  void shutting_down() noexcept;

  /// Whether a successor serves.
  [[nodiscard]] bool is_replaced() const noexcept { return replaced_; }

 private:
  void on_ready() override;
  void on_failed(std::string_view why) override;
  void write_pid_file() noexcept;
  void remove_pid_file() noexcept;

  Application& application_;
  std::string pid_file_;
  std::vector<net::Successor::Socket> sockets_;
  std::unique_ptr<net::Successor> successor_;
  bool replaced_ = false;
};

}  // namespace squall::web
