// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace squall {

/// How many CPUs this process may keep busy, at least 1: those of its affinity mask, or fewer where
/// its control groups (version 1 or 2) grant it less CPU time, rounded up. Containers are limited
/// in that way.
[[nodiscard]] unsigned cpu_count() noexcept;

}  // namespace squall
