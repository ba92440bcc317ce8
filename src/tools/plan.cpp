// SPDX-License-Identifier: Apache-2.0
#include "tools/project.hpp"
#include "tools/run_settings.hpp"

#include <squall/options/values.hpp>

#include <unistd.h>

namespace squall::tools {

Plan::Plan(const RunSettings& settings) : command_(settings.build), program_(settings.program) {
  if (!command_.empty()) {
    if (program_.empty()) throw OptionError("--build needs the PROGRAM that it builds");
    how_ = How::by_command;
  } else if (program_.empty()) {
    if (!Project::is_here()) {
      throw OptionError("a PROGRAM is missing, and there is no CMakeLists.txt here that makes one");
    }
    how_ = How::one_target;
    program_.emplace_back();
  } else if (program_.front().find('/') != std::string::npos) {
    const bool is_built_here = ::access("build/CMakeCache.txt", F_OK) == 0;
    if (settings.watches && is_built_here) how_ = How::whole_project;
  } else if (Project::is_here()) {
    how_ = How::one_target;
    target_ = program_.front();
  }
}

std::optional<Arguments> Plan::step(std::size_t done) {
  switch (how_) {
    case How::not_at_all:
      return std::nullopt;
    case How::by_command:
      return done == 0 ? std::optional(Arguments{"sh", "-c", command_}) : std::nullopt;
    case How::whole_project:
      return done == 0 ? std::optional(Project::build_command()) : std::nullopt;
    case How::one_target:
      break;
  }
  if (done == 0) {
    std::optional<Arguments> configures = Project::configure_command();
    before_ = configures ? 1 : 0;
    if (configures) return configures;
  }
  return done == before_ ? std::optional(build_target()) : std::nullopt;
}

Arguments Plan::build_target() {
  const std::optional<Project::Executable> chosen = Project::choose(target_);
  if (!chosen) return Project::build_command();  // it may be any command
  program_.front() = chosen->path;
  return Project::build_command(chosen->target);
}

}  // namespace squall::tools
