// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/commands.hpp"

namespace squall::tools {

/// The program: finds the command and runs it. What the user got wrong is one line on standard
/// error and exit code 2, what cannot be done one line and 1.
int run_command_line(const Arguments& arguments, std::span<const CommandEntry> known = commands());

}  // namespace squall::tools
