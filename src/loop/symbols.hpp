// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace squall::loop {

/// A type's or function's name as it stands in the source.
[[nodiscard]] std::string demangled(const char* name);

/// What is known of the frames that backtrace() gave: functions' names, or file and address.
[[nodiscard]] std::vector<std::string> describe_frames(void* const* frames, int count);

}  // namespace squall::loop
