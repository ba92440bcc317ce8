// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/net/resolver.hpp>

#include <memory>

namespace squall::net {

/// getaddrinfo(3) on threads that the whole process shares.
[[nodiscard]] std::unique_ptr<ResolverBackend> make_system_backend();

/// c-ares on this thread's loop; only where the build has it.
[[nodiscard]] std::unique_ptr<ResolverBackend> make_cares_backend(const ResolverOptions& options);

}  // namespace squall::net
