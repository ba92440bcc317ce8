// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace squall::tools {

/// A file of a new project. In path and text, `@NAME@` stands for the project's name and
/// `@VERSION@` for that of Squall.
struct ProjectFile {
  std::string_view path;
  std::string_view text;
};

/// What src/tools/project/ has.
[[nodiscard]] std::span<const ProjectFile> project_files() noexcept;

}  // namespace squall::tools
