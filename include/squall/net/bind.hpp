// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/loop/unique_fd.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

namespace squall::net {

struct BindOptions {
  int backlog = limits::listen_backlog;
  bool reuse_port = false;  ///< SO_REUSEPORT: several sockets share the port, the kernel spreads
};
static_assert(std::is_trivially_destructible_v<BindOptions>);

/// Listening TCP sockets for `address`: a name, a literal, or "" for all interfaces. IPv4 and IPv6
/// get a socket each; port 0 gives both the same free port. Throws std::system_error that names the
/// address.
///
/// Where the process has inherited sockets that are bound to that address and port (see
/// inherited_sockets()), they are taken instead, as they are, and the families that they leave out
/// stay out.
[[nodiscard]] std::vector<UniqueFd> bind_sockets(std::uint16_t port, std::string_view address = {},
                                                 const BindOptions& options = {});

/// A listening unix socket with the permissions `mode`. A socket file that is left over is
/// replaced; any other file is an error. A path that begins with '@' names the abstract namespace.
/// An inherited socket of that path is taken as it is.
[[nodiscard]] UniqueFd bind_unix_socket(std::string_view path, unsigned mode = 0600,
                                        int backlog = limits::listen_backlog);

/// The port that a bound socket has; 0 for unix sockets.
[[nodiscard]] std::uint16_t local_port(int fd) noexcept;

}  // namespace squall::net
