// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/unique_fd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace squall::net {

/// A listening socket that this process was started with.
struct InheritedSocket {
  UniqueFd socket;
  std::string name;  ///< FileDescriptorName= of the service manager; "unknown" when it has none
};

/// The listening sockets that a service manager (systemd: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES;
/// `systemd-socket-activate`) or the process's predecessor has handed over: all, or those of one
/// name. Each is given once; they are non-blocking, and closed on exec.
///
/// bind_sockets(), bind_unix_socket() and what is built on them, `listen()` of servers and
/// applications, look here first: a socket that is bound to the very address is taken in place of a
/// new one. So this is for sockets whose address the program does not know:
///
///     for (auto& inherited : net::inherited_sockets("http")) {
///       app.listen_socket(std::move(inherited.socket));
///     }
[[nodiscard]] std::vector<InheritedSocket> inherited_sockets(std::string_view name = {});

}  // namespace squall::net
