// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace squall::loop {

inline std::atomic<bool> forks_expected{false};  // NOLINT: of the process, only ever set

/// To be called before the process starts others while loops run.
///
/// From a fork to the exec behind it the child has copies of all descriptors. One that is closed
/// here meanwhile stays in its epoll set, which goes on reporting events for a stream that is gone,
/// unless it is taken out first. That costs a system call for each connection that ends, so only
/// programs that start processes pay it. A program with several loops calls it early: a loop that
/// closes a connection at the very moment of the first call may not have seen it.
inline void expect_forks() noexcept { forks_expected.store(true); }

}  // namespace squall::loop
