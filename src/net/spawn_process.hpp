// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/unique_fd.hpp>
#include <squall/net/subprocess.hpp>

#include <sys/types.h>

namespace squall::net {

/// A child that runs, and this side's ends of its pipes, non-blocking.
struct SpawnedProcess {
  pid_t pid = -1;
  UniqueFd pidfd;
  UniqueFd pipes[3];
};

/// Starts a child; throws std::system_error or UsageError.
SpawnedProcess spawn_process(const Command& command, const SubprocessOptions& options);

}  // namespace squall::net
