// SPDX-License-Identifier: Apache-2.0
#include "tools/commands.hpp"

#include <squall/base/error.hpp>
#include <squall/options/parser.hpp>

#include <cerrno>
#include <string>
#include <system_error>
#include <unistd.h>

namespace squall::tools {

int run_command(const Arguments& arguments) {
  OptionParser parser({.name = "squall run", .description = "Runs a program."});
  const Arguments program = parser.parse_command_line(arguments);
  if (program.empty()) throw OptionError("a program is missing");
  std::vector<char*> words;
  for (const std::string& word : program) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  throw std::system_error(errno, std::generic_category(), "cannot run \"" + program[0] + "\"");
}

}  // namespace squall::tools
