// SPDX-License-Identifier: Apache-2.0
#include "tools/command_line.hpp"

#include <squall/options/parser.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace squall::tools {
namespace {

constexpr CommandEntry all_commands[] = {
    {"new", "make the folder of a new application", new_command},
    {"routes", "list the routes of a program", routes_command},
    {"run", "run a program, and with --watch again after each change of its source", run_command},
};

std::string help(std::span<const CommandEntry> known) {
  std::string text = "Usage: squall COMMAND [ARGUMENTS]\n\nCommands:\n\n";
  std::size_t width = 0;
  for (const CommandEntry& command : known) width = std::max(width, command.name.size());
  for (const CommandEntry& command : known) {
    text.append("  ").append(command.name).append(width - command.name.size() + 2, ' ');
    text.append(command.summary) += '\n';
  }
  return text +
         "\n`squall COMMAND --help` tells what a command takes; `squall --version` this version.\n";
}

int complain(const std::string& what, const std::string& where) {
  std::fprintf(stderr, "squall: %s; see %s --help\n", what.c_str(), where.c_str());
  return 2;
}

}  // namespace

std::span<const CommandEntry> commands() noexcept { return all_commands; }

int run_command_line(const Arguments& arguments, std::span<const CommandEntry> known) {
  if (arguments.empty()) return complain("a command is missing", "squall");
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(help(known).c_str(), stdout);
    return 0;
  }
  if (name == "--version") {
    std::puts("squall " SQUALL_VERSION);
    return 0;
  }
  const auto command = std::find_if(known.begin(), known.end(),
                                    [&](const CommandEntry& one) { return one.name == name; });
  if (command == known.end()) {
    return complain((name.starts_with('-') ? "unknown option " : "unknown command ") + name,
                    "squall");
  }
  try {
    return command->main({arguments.begin() + 1, arguments.end()});
  } catch (const OptionExit& asked) {
    std::fputs(asked.what(), stdout);
    return 0;
  } catch (const OptionError& error) {
    return complain(error.what(), "squall " + name);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "squall: %s\n", error.what());
    return 1;
  }
}

}  // namespace squall::tools
