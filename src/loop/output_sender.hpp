// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/output_queue.hpp"

#include <cstdint>
#include <system_error>

namespace squall::loop {

/// What became of a stream's output.
enum class SendOutcome : std::uint8_t {
  all_sent,
  share_used,  // more than one stream's share of a turn has been sent; the others come first
  blocked,     // the kernel's buffer is full
  broken,
};

/// Sends from the front of `output` by plain system calls, as long as the kernel takes it. Sets
/// `error` when the outcome is `broken`.
SendOutcome send_output(int fd, bool is_socket, OutputQueue& output, BlockPool& blocks,
                        std::error_code& error) noexcept;

}  // namespace squall::loop
