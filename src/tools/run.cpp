// SPDX-License-Identifier: Apache-2.0
#include "tools/run_settings.hpp"

#include <squall/options/parser.hpp>

#include <cerrno>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;  // NOLINT: POSIX

namespace squall::tools {
namespace {

std::vector<char*> pointers(const Arguments& words) {
  std::vector<char*> all;
  for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

/// Runs a command of the build in the terminal; gives its exit code. What it says is no output of
/// this program.
int run_step(const Arguments& words) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, words.front().c_str(), &actions, nullptr,
                                   pointers(words).data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "cannot run \"" + words.front() + "\"");
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Builds the program and becomes it.
int run_once(const RunSettings& settings) {
  Plan plan(settings);
  if (const int code = build_now(plan); code != 0) return code;
  ::execvp(plan.program().front().c_str(), pointers(plan.program()).data());
  throw std::system_error(errno, std::generic_category(),
                          "cannot run \"" + plan.program().front() + "\"");
}

}  // namespace

int build_now(Plan& plan) {
  for (std::size_t done = 0; const std::optional<Arguments> step = plan.step(done); ++done) {
    if (const int code = run_step(*step); code != 0) return code;
  }
  return 0;
}

int run_command(const Arguments& arguments) {
  OptionParser parser(
      {.name = "squall run",
       .description =
           "squall run [OPTIONS] [--] [PROGRAM [ARGUMENTS]]: runs a program. In the folder of a "
           "CMake project PROGRAM may be one of its executables, and the only one needs no name: "
           "it "
           "is built in build/ first. With --watch it is built and started again after each change "
           "of its source, with its listening sockets kept, and open pages load again."});
  const OptionSettings watching{.group = "Watching"};
  const auto watches =
      parser.define("watch", false, "build and start it again when its source changes", watching);
  const auto build =
      parser.define("build", "", "build with this command of the shell in place of CMake",
                    {.metavar = "COMMAND"});
  const auto paths =
      parser.define("path", std::vector<std::string>(),
                    "a folder to watch with all below it, in place of this one; may be given again",
                    {.metavar = "DIR", .group = "Watching"});
  const auto port = parser.define<std::uint16_t>(
      "port", 8888, "where pages show the error while the program has not listened yet", watching);
  const auto address = parser.define(
      "address", "", "the address of that port; by default all of this machine", watching);
  RunSettings settings;
  settings.program = parser.parse_command_line(arguments);
  settings.watches = *watches;
  settings.build = *build;
  settings.paths = *paths;
  if (settings.paths.empty()) settings.paths.emplace_back(".");
  settings.port = *port;
  settings.address = *address;
  return settings.watches ? watch(settings) : run_once(settings);
}

}  // namespace squall::tools
