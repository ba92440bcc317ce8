// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace squall::net {

/// How many CPUs the control groups of a process grant it, rounded up; 0 when they set no limit.
/// `proc_cgroup` is the file /proc/self/cgroup, `mount` the directory /sys/fs/cgroup.
[[nodiscard]] unsigned cpu_quota(const std::string& proc_cgroup, const std::string& mount);

}  // namespace squall::net
