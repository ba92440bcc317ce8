// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/run_link.hpp"
#include "web/autoreload.hpp"

#include <squall/loop/ioloop.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace squall::tools {

/// What outlives the program: its listening sockets, and what its pages are to know. Programs
/// connect to it; docs/decisions/0019-autoreload.md. On the current loop.
class Keeper {
 public:
  /// `changed` is called when a program has come or gone.
  explicit Keeper(std::function<void()> changed);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper();

  /// "NAME=value" of the programs' environment.
  [[nodiscard]] const std::string& variable() const noexcept { return variable_; }
  /// Whether a program serves, be it the child or one that the child has started.
  [[nodiscard]] bool has_programs() const noexcept;

  [[nodiscard]] bool has_sockets() const noexcept { return !sockets_.empty(); }
  /// Copies of those that pages can be answered on: without TLS, whose keys are the program's.
  [[nodiscard]] std::vector<UniqueFd> plain_sockets() const;
  /// Binds sockets of its own; std::system_error when it cannot.
  void bind(std::uint16_t port, const std::string& address);
  /// The program starts anew: sockets that it has not named again when it serves are closed.
  void expect_start() noexcept;

  [[nodiscard]] const web::PageState& state() const noexcept { return state_; }
  void set_state(web::PageState state);

 private:
  struct Socket {
    UniqueFd fd;
    ino_t inode;
    std::string name;
    bool tls = false;
    bool is_used = false;  // by the program that runs
  };
  struct Peer {
    net::RunLink link;
    bool has_pages = false;
  };

  void accept();
  void read(Peer& peer);
  void take(Peer& peer, net::RunLink::Message& message);
  void keep(UniqueFd fd, std::string_view name, bool tls);
  void send_state(Peer& peer);
  void remove(Peer& peer);

  IOLoop& loop_;
  std::function<void()> changed_;
  UniqueFd listener_;
  std::string variable_;
  std::vector<Socket> sockets_;
  std::vector<std::unique_ptr<Peer>> peers_;
  web::PageState state_;
};

}  // namespace squall::tools
