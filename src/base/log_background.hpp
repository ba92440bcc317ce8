// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace squall::log {

namespace detail {
inline std::atomic<bool> has_loops{false};
}

/// Told by the first event loop of the process. Until then the log is written where it is asked
/// for, without a thread of its own, so that the program may still fork.
inline void tell_of_loops() noexcept { detail::has_loops.store(true, std::memory_order_relaxed); }
inline bool has_loops() noexcept { return detail::has_loops.load(std::memory_order_relaxed); }

}  // namespace squall::log
