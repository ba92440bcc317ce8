// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/unique_fd.hpp>
#include <squall/net/address.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What a process has from who started it: sockets, and a pipe by which it says that it is ready.
namespace squall::net {

/// Environment variable of a process that another one of the same program started to replace it:
/// "descriptor:pid", of the ready pipe.
inline constexpr std::string_view ready_variable = "SQUALL_READY_FD";
/// Under this name sockets are handed over that were bound to any free port, which the successor is
/// to have as well.
inline constexpr std::string_view any_port_name = "squall-any-port";

/// One inherited TCP socket for each of `addresses` that there is one for; none when there is none
/// for any. A socket of both families, bound to [::], serves all IPv4 interfaces too. Port 0 stands
/// for the port of a socket that has any_port_name.
[[nodiscard]] std::vector<UniqueFd> take_inherited(std::span<const SocketAddress> addresses);
/// The sets of them that bind_sockets(port, address) would give one after the other: a server of
/// several loops has a set for each.
[[nodiscard]] std::vector<std::vector<UniqueFd>> inherited_sets(std::uint16_t port,
                                                                std::string_view address);
/// The same for a unix socket; a path that begins with '@' is in the abstract namespace.
[[nodiscard]] UniqueFd take_inherited_unix(std::string_view path);
/// The name that a socket had when it was inherited; "" for others.
[[nodiscard]] std::string inherited_name(int fd);

/// Whether a predecessor waits to hear that this process is ready.
[[nodiscard]] bool has_predecessor();
/// Tells it, and closes the sockets of its that nobody has taken: nobody listens there any more.
void tell_predecessor() noexcept;

}  // namespace squall::net
