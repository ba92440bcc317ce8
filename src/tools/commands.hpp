// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace squall::tools {

/// What follows the command's name on the command line.
using Arguments = std::vector<std::string>;

/// A command of the `squall` program, `squall run`. It parses its own arguments with an
/// OptionParser that calls itself "squall run"; OptionExit and OptionError are the caller's to
/// print.
struct CommandEntry {
  std::string_view name;
  std::string_view summary;                 ///< a line of `squall --help`
  int (*main)(const Arguments& arguments);  ///< gives the program's exit code
};

/// In the order in which help lists them.
[[nodiscard]] std::span<const CommandEntry> commands() noexcept;

int new_command(const Arguments& arguments);
int routes_command(const Arguments& arguments);
int run_command(const Arguments& arguments);

}  // namespace squall::tools
