// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/commands.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace squall::tools {

/// What `squall run` was asked for.
struct RunSettings {
  bool watches = false;
  std::string build;               // a command for the shell; "": CMake, where there is a project
  std::vector<std::string> paths;  // to watch
  std::uint16_t port = 0;          // where errors are shown while no program has listened
  std::string address;
  Arguments program;  // a path, a command or an executable of the project; and its arguments
};

/// How the program is built and what it is.
class Plan {
 public:
  /// OptionError when there is nothing to run.
  explicit Plan(const RunSettings& settings);

  [[nodiscard]] bool builds() const noexcept { return how_ != How::not_at_all; }
  /// The command that builds it further when `done` of them have succeeded; nullopt when it is
  /// built. OptionError when the project does not say what to run.
  [[nodiscard]] std::optional<Arguments> step(std::size_t done);
  /// What to run, once it is built.
  [[nodiscard]] const Arguments& program() const noexcept { return program_; }

 private:
  enum class How : unsigned char { not_at_all, by_command, whole_project, one_target };

  [[nodiscard]] Arguments build_target();

  How how_ = How::not_at_all;
  std::string command_;
  Arguments program_;
  std::string target_;      // as the command line names it; "": the project's only one
  std::size_t before_ = 0;  // steps before the last
};

/// Builds in the terminal; 0, or the exit code of the command that failed.
int build_now(Plan& plan);

/// Runs the program and watches its sources until a signal comes; gives the exit code.
int watch(const RunSettings& settings);

}  // namespace squall::tools
