// SPDX-License-Identifier: Apache-2.0
#include "options/options_testing.hpp"

#include <squall/options/parser.hpp>

#include <cstdlib>

namespace squall {
namespace {

using Strings = std::vector<std::string>;

TEST(CommandLine, ValuesStandAfterAnEqualsSignOrInTheNextArgument) {
  for (const Strings& line : {Strings{"--port=80"}, Strings{"--port", "80"}, Strings{"-port=80"},
                              Strings{"-port", "80"}}) {
    OptionParser parser;
    const auto port = parser.define<std::uint16_t>("port", 8888);
    EXPECT_EQ(*port, 8888);
    EXPECT_FALSE(port.is_set());
    EXPECT_TRUE(parser.parse_command_line(line).empty());
    EXPECT_EQ(*port, 80);
    EXPECT_EQ(port.source(), OptionSource::command_line);
  }
}

TEST(CommandLine, DashesAndUnderscoresAreAlike) {
  OptionParser parser;
  const auto size = parser.define<ByteCount>("log_file-max_size", ByteCount{1});
  parser.parse_command_line({"--log-file_max-size=2"});
  EXPECT_EQ(size->count, 2U);
  EXPECT_TRUE(parser.contains("log-file-max-size"));
}

TEST(CommandLine, FlagsTakeNoArgumentAndHaveAnOpposite) {
  OptionParser parser;
  const auto debug = parser.define("debug", false);
  const auto color = parser.define("color", true);
  EXPECT_EQ(parser.parse_command_line({"--debug", "--no-color", "rest"}), Strings{"rest"});
  EXPECT_TRUE(*debug);
  EXPECT_FALSE(*color);
  parser.parse_command_line({"--nodebug", "--color=yes"});
  EXPECT_FALSE(*debug);
  EXPECT_TRUE(*color);
  EXPECT_EQ(refusal(parser, {"--no-color=1"}), "--no-color takes no value");
  EXPECT_EQ(refusal(parser, {"--debug=maybe"}), "--debug: 'maybe' is neither true nor false");
}

TEST(CommandLine, ANameThatBeginsWithNoIsFoundFirst) {
  OptionParser parser;
  const auto tify = parser.define("tify", true);
  const auto notify = parser.define("notify", false);
  parser.parse_command_line({"--notify"});
  EXPECT_TRUE(*notify);
  EXPECT_TRUE(*tify);
}

TEST(CommandLine, StopsAtTheFirstArgumentAndAfterTwoDashes) {
  OptionParser parser;
  const auto port = parser.define("port", 1);
  EXPECT_EQ(parser.parse_command_line({"--port=2", "run", "--port=3"}),
            (Strings{"run", "--port=3"}));
  EXPECT_EQ(*port, 2);
  EXPECT_EQ(parser.parse_command_line({"--", "--port=3"}), Strings{"--port=3"});
  EXPECT_EQ(parser.parse_command_line({"-", "a"}), (Strings{"-", "a"}));
  EXPECT_EQ(parser.parse_command_line({"-5"}), Strings{"-5"});
  EXPECT_EQ(*port, 2);
}

TEST(CommandLine, OptionsMayStandAfterArgumentsWhereAProgramSaysSo) {
  OptionParser parser({.interspersed = true});
  const auto port = parser.define("port", 1);
  EXPECT_EQ(parser.parse_command_line({"a", "--port=2", "b", "--", "--port=3"}),
            (Strings{"a", "b", "--port=3"}));
  EXPECT_EQ(*port, 2);
}

TEST(CommandLine, MistakesAreExplained) {
  OptionParser parser;
  parser.define<std::uint16_t>("port", 8888);
  parser.define("offset", 0);
  EXPECT_EQ(refusal(parser, {"--port=70000"}),
            "--port: '70000' is not a whole number between 0 and 65535");
  EXPECT_EQ(refusal(parser, {"--port", "abc"}),
            "--port: 'abc' is not a whole number between 0 and 65535");
  EXPECT_EQ(refusal(parser, {"--port"}), "--port needs a value");
  EXPECT_EQ(refusal(parser, {"--port", "--offset=1"}),
            "--port needs a value; one that begins with a dash is written --port=--offset=1");
  EXPECT_EQ(refusal(parser, {"--prot=1"}), "unknown option --prot; did you mean --port?");
  EXPECT_EQ(refusal(parser, {"--completely-else"}), "unknown option --completely-else");
  parser.parse_command_line({"--offset", "-5"});
  EXPECT_EQ(parser.get<int>("offset"), -5);
}

TEST(CommandLine, ARefusedValueLeavesTheOldOne) {
  OptionParser parser;
  const auto list = parser.define<std::vector<int>>("list", {1, 2});
  refusal(parser, {"--list=3,x"});
  EXPECT_EQ(*list, (std::vector<int>{1, 2}));
}

TEST(CommandLine, ListsAreSeparatedByCommasAndAddedToByFurtherOptions) {
  OptionParser parser;
  const auto names = parser.define<Strings>("name", {"default"});
  const auto ids = parser.define<std::vector<int>>("id", {});
  parser.parse_command_line({"--name=a, b", "--name=c", "--id=1-3,7", "--id=-2:-1"});
  EXPECT_EQ(*names, (Strings{"a", "b", "c"}));
  EXPECT_EQ(*ids, (std::vector<int>{1, 2, 3, 7, -2, -1}));
  parser.parse_command_line({"--name=z"});  // another command line begins anew
  EXPECT_EQ(*names, Strings{"z"});
  parser.parse_command_line({"--name="});
  EXPECT_TRUE(names->empty());
  EXPECT_EQ(refusal(parser, {"--id=3-1"}), "--id: '3-1' is a range that ends before it begins");
  EXPECT_EQ(refusal(parser, {"--id=1,,2"}),
            "--id: '1,,2' is not a whole number between -2147483648 and 2147483647");
}

TEST(CommandLine, ARangeMayNotFillTheMemory) {  // limits::option_values
  OptionParser parser;
  const auto ids = parser.define<std::vector<std::uint64_t>>("id", {});
  EXPECT_EQ(refusal(parser, {"--id=0-18446744073709551615"}),
            "--id: '0-18446744073709551615' has more than 10000 values");
  parser.parse_command_line({"--id=1-10000"});
  EXPECT_EQ(ids->size(), 10'000U);
  parser.parse_command_line({"--id=18446744073709551614-18446744073709551615"});
  EXPECT_EQ(ids->size(), 2U);
}

TEST(CommandLine, ArgumentsHaveTypesToo) {
  OptionParser parser;
  const auto port = parser.argument<std::uint16_t>("port", 8888);
  const auto files = parser.argument<Strings>("file", {});
  parser.parse_command_line(Strings{"80", "a,b", "c"});
  EXPECT_EQ(*port, 80);
  EXPECT_EQ(*files, (Strings{"a,b", "c"}));
  EXPECT_EQ(refusal(parser, {"70000"}), "PORT: '70000' is not a whole number between 0 and 65535");
  EXPECT_THROW(parser.argument("more", 1), UsageError);
}

TEST(CommandLine, WhatIsRequiredIsMissed) {
  OptionParser parser;
  parser.define("user", "", {}, {.required = true});
  parser.argument("url", "", {}, {.required = true});
  EXPECT_EQ(refusal(parser, {"--"}), "--user is required");
  EXPECT_EQ(refusal(parser, {"--user=a"}), "URL is missing");
  EXPECT_TRUE(parser.parse_command_line(Strings{"--user=a", "http://x/"}).empty());
}

TEST(CommandLine, HelpAndVersionAreForTheCallerToPrint) {
  OptionParser parser({.name = "shop", .version = "1.2"});
  parser.define("port", 1, "listen on this port");
  EXPECT_EQ(thrown<OptionExit>([&] { parser.parse_command_line({"--version"}); }), "shop 1.2\n");
  for (const auto* word : {"--help", "-h"}) {
    EXPECT_EQ(thrown<OptionExit>([&] { parser.parse_command_line({word}); }), parser.help());
  }
  OptionParser plain;
  EXPECT_EQ(refusal(plain, {"--version"}), "unknown option --version");
}

TEST(CommandLineExit, HelpGoesToStandardOutputWithZero) {
  OptionParser parser;
  const char* const argv[] = {"/usr/bin/shop", "--help", nullptr};
  EXPECT_EXIT(
      {
        std::freopen("/dev/stderr", "w", stdout);
        parser.parse_command_line_or_exit(2, argv);
      },
      ::testing::ExitedWithCode(0), "usage: shop \\[options\\]");
}

TEST(CommandLineExit, AMistakeIsOneLineWithTwo) {
  OptionParser parser;
  parser.define("port", 1);
  const char* const argv[] = {"/usr/bin/shop", "--port=x", nullptr};
  EXPECT_EXIT(parser.parse_command_line_or_exit(2, argv), ::testing::ExitedWithCode(2),
              "^shop: --port: 'x' is not a whole number .*; see shop --help\n$");
}

TEST(CommandLineExit, ArgumentsThatNothingTakesAreNotLost) {
  OptionParser parser;
  parser.define("port", 1);
  parser.argument("file", "");
  const char* const argv[] = {"shop", "a", "--port=1", nullptr};
  EXPECT_EXIT(parser.parse_command_line_or_exit(3, argv), ::testing::ExitedWithCode(2),
              "unexpected argument '--port=1'; options go before arguments");
  const char* const good[] = {"shop", "--port=2", "a", nullptr};
  parser.parse_command_line_or_exit(3, good);
  EXPECT_EQ(parser.get<int>("port"), 2);
}

}  // namespace
}  // namespace squall
