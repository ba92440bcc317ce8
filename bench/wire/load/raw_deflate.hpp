// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wire_load {

/// A message compressed by itself, as permessage-deflate has it (RFC 7692 §7.2.1).
std::string raw_deflate(std::string_view message);

/// The message that was compressed by itself (§7.2.2); throws Failure when it cannot be, or when it
/// is longer than `limit`.
std::string raw_inflate(std::string_view compressed, std::size_t limit);

}  // namespace wire_load
