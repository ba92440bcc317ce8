// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::net {

/// Tells systemd, or whoever has set NOTIFY_SOCKET, about the state of the service: "READY=1" and
/// other assignments of sd_notify(3), one a line. Does nothing without it. Never blocks.
void tell_service_manager(std::string_view state) noexcept;

/// "RELOADING=1" with the time that it wants.
void tell_reloading() noexcept;

}  // namespace squall::net
