// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/commands.hpp"

#include <optional>
#include <string>
#include <vector>

namespace squall::tools {

/// The CMake project of the current folder, which is built in the folder build/.
class Project {
 public:
  /// Whether there is one.
  [[nodiscard]] static bool is_here();

  /// What configures it, unless that has been done.
  [[nodiscard]] static std::optional<Arguments> configure_command();
  [[nodiscard]] static Arguments build_command(const std::string& target = {});

  struct Executable {
    std::string target;
    std::string path;
  };
  /// Those that it makes, once it is configured; Error when CMake has not told.
  [[nodiscard]] static std::vector<Executable> executables();
  /// The one that is called `wanted`, nullopt without one; or, without a name, the only one or the
  /// one that is named as the project. OptionError when that is none or not clear.
  [[nodiscard]] static std::optional<Executable> choose(const std::string& wanted);
};

}  // namespace squall::tools
