// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <system_error>

namespace squall::loop {

class Stream;

/// What became of a stream's output.
enum class SendOutcome : std::uint8_t {
  all_sent,
  share_used,  // more than one stream's share of a turn has been sent; the others come first
  blocked,     // the kernel's buffer is full
  reading,     // a file's bytes are not in memory; the stream is flushed again when they are
  broken,
};

/// Sends from the front of the stream's wire queue by plain system calls, as long as the kernel
/// takes it. Sets `error` when the outcome is `broken`.
SendOutcome send_output(Stream& stream, std::error_code& error) noexcept;

}  // namespace squall::loop
