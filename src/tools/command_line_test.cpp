// SPDX-License-Identifier: Apache-2.0
#include "tools/command_line.hpp"

#include <squall/options/parser.hpp>

#include <gtest/gtest.h>

#include <string>
#include <system_error>

namespace squall::tools {
namespace {

constexpr CommandEntry known[] = {
    {"add", "adds numbers",
     [](const Arguments& arguments) {
       OptionParser parser({.name = "squall add"});
       const auto base = parser.define("base", 0, "begin with this");
       int sum = 0;
       for (const std::string& word : parser.parse_command_line(arguments)) sum += std::stoi(word);
       return sum + *base;
     }},
    {"fail", "fails",
     [](const Arguments&) -> int {
       throw std::system_error(std::make_error_code(std::errc::permission_denied), "cannot fail");
     }},
};

struct CommandLine : testing::Test {
  int run(const Arguments& arguments) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_command_line(arguments, known);
    output = testing::internal::GetCapturedStdout();
    errors = testing::internal::GetCapturedStderr();
    return code;
  }
  std::string output, errors;
};

TEST_F(CommandLine, RunsTheCommandWithWhatFollows) {
  EXPECT_EQ(run({"add", "--base=4", "2", "3"}), 9);
  EXPECT_EQ(errors, "");
}

TEST_F(CommandLine, HelpListsTheCommands) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_NE(output.find("  add   adds numbers\n  fail  fails\n"), std::string::npos) << output;
}

TEST_F(CommandLine, HelpOfACommandIsItsOwn) {
  EXPECT_EQ(run({"add", "--help"}), 0);
  EXPECT_NE(output.find("begin with this"), std::string::npos) << output;
}

TEST_F(CommandLine, TellsItsVersion) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(output, "squall " SQUALL_VERSION "\n");
}

TEST_F(CommandLine, WhatTheUserGotWrongIsALineAndTwo) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(errors, "squall: a command is missing; see squall --help\n");
  EXPECT_EQ(run({"subtract"}), 2);
  EXPECT_EQ(errors, "squall: unknown command subtract; see squall --help\n");
  EXPECT_EQ(run({"--fast"}), 2);
  EXPECT_EQ(errors, "squall: unknown option --fast; see squall --help\n");
  EXPECT_EQ(run({"add", "--bases=1"}), 2);
  EXPECT_NE(errors.find("squall: unknown option --bases"), std::string::npos) << errors;
  EXPECT_NE(errors.find("; see squall add --help\n"), std::string::npos) << errors;
}

TEST_F(CommandLine, WhatCannotBeDoneIsALineAndOne) {
  EXPECT_EQ(run({"fail"}), 1);
  EXPECT_EQ(errors, "squall: cannot fail: Permission denied\n");
}

}  // namespace
}  // namespace squall::tools
