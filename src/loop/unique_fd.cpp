// SPDX-License-Identifier: Apache-2.0
#include <squall/loop/unique_fd.hpp>

#include <unistd.h>

namespace squall {

void UniqueFd::close_now() noexcept { ::close(fd_); }

}  // namespace squall
