// SPDX-License-Identifier: Apache-2.0
#include "options/options_testing.hpp"

#include <squall/options.hpp>

#include <chrono>
#include <map>

namespace paint {

struct Colour {
  int rgb = 0;
};
void parse_option(std::string_view text, Colour& into) {
  if (text != "red") throw squall::OptionError("is not a colour");
  into.rgb = 0xff0000;
}
std::string format_option(const Colour& value) { return value.rgb == 0 ? "black" : "red"; }

}  // namespace paint

namespace squall {
namespace {

using namespace std::chrono_literals;
using Dict = std::map<std::string, std::string>;

enum class Mode { fast, safe };

TEST(OptionParser, TellsTheTypeFromTheDefault) {
  OptionParser parser;
  const Option<int> workers = parser.define("workers", 1);
  const Option<std::string> name = parser.define("name", "squall");
  const Option<Duration> wait = parser.define<Duration>("wait", 5s);
  EXPECT_EQ(*workers, 1);
  EXPECT_EQ(name->size(), 6U);
  EXPECT_EQ(*wait, Duration(5s));
}

TEST(OptionParser, ChoicesAreNames) {
  OptionParser parser;
  const auto mode =
      parser.define_choice("mode", Mode::safe, {{"fast", Mode::fast}, {"safe", Mode::safe}}, "how");
  EXPECT_EQ(parser.text("mode"), "safe");
  parser.parse_command_line({"--mode=fast"});
  EXPECT_EQ(*mode, Mode::fast);
  EXPECT_EQ(refusal(parser, {"--mode=0"}), "--mode: '0' is not one of fast|safe");
  EXPECT_NE(parser.help().find("--mode=fast|safe"), std::string::npos);
}

TEST(OptionParser, TypesOfOnesOwnAreReadByTheirFunctions) {
  OptionParser parser;
  const auto colours = parser.define<std::vector<paint::Colour>>("colours", {});
  parser.parse_command_line({"--colours=red,red"});
  EXPECT_EQ(colours->size(), 2U);
  EXPECT_EQ(parser.text("colours"), "red,red");
  EXPECT_EQ(refusal(parser, {"--colours=loud"}), "--colours: 'loud' is not a colour");
}

TEST(OptionParser, ValuesAreChecked) {
  OptionParser parser;
  const auto rooms = parser.define("rooms", 2)
                         .at_least(2)
                         .at_most(10)
                         .check([](int n) { return n % 2 == 0; }, "is not even");
  EXPECT_EQ(refusal(parser, {"--rooms=1"}), "--rooms: '1' is less than 2");
  EXPECT_EQ(refusal(parser, {"--rooms=11"}), "--rooms: '11' is more than 10");
  EXPECT_EQ(refusal(parser, {"--rooms=3"}), "--rooms: '3' is not even");
  EXPECT_THROW(rooms.set(12), OptionError);
  EXPECT_THROW(parser.set("rooms", "x"), OptionError);
  EXPECT_EQ(*rooms, 2);
  parser.set("rooms", "4");
  EXPECT_EQ(*rooms, 4);
}

TEST(OptionParser, CallbacksHearEachValueThatCounts) {
  OptionParser parser;
  std::string heard;
  parser.define("port", 1).on_set([&heard](int port) { heard += std::to_string(port) + " "; });
  parser.parse_command_line({"--port=2", "--port=3"});
  parser.parse_config_text("port = 4", "x");  // weaker
  parser.find<int>("port").set(5);
  EXPECT_EQ(heard, "2 3 5 ");
}

TEST(OptionParser, WhatTheProgramSetsIsReplacedByWhatIsReadLater) {
  OptionParser parser;
  const auto port = parser.define("port", 1);
  port.set(2);
  parser.parse_config_text("port = 3", "x");
  EXPECT_EQ(*port, 3);
  port.reset();
  EXPECT_EQ(*port, 1);
  EXPECT_FALSE(port.is_set());
}

TEST(OptionParser, ParseCallbacksRunOnceAtTheEnd) {
  OptionParser parser;
  std::string heard;
  parser.add_parse_callback([&] {
    heard += "a";
    if (heard == "a") parser.add_parse_callback([&heard] { heard += "b"; });
  });
  parser.parse_config_text("", "x", {.final = false});
  EXPECT_EQ(heard, "");
  parser.parse_command_line(std::vector<std::string>{});
  EXPECT_EQ(heard, "ab");
  parser.run_parse_callbacks();
  EXPECT_EQ(heard, "abab");
}

TEST(OptionParser, LookingUpWhatIsNotThereSaysWhatIs) {
  OptionParser parser;
  parser.define("port", 1);
  EXPECT_EQ(parser.get<int>("port"), 1);
  EXPECT_EQ(thrown<UsageError>([&] { (void)parser.get<int>("prot"); }),
            "there is no option 'prot'; did you mean port?");
  EXPECT_NE(thrown<UsageError>([&] {
              (void)parser.get<std::string>("port");
            }).find("option 'port' is a whole number, defined at parser_test.cpp:"),
            std::string::npos);
  EXPECT_THROW((void)parser.text("x"), UsageError);
  EXPECT_THROW(parser.set("x", "1"), UsageError);
  EXPECT_FALSE(parser.contains("x"));
}

TEST(OptionParser, ANameBelongsToOne) {
  OptionParser parser;
  parser.define("log_file", 1);
  const std::string why = thrown<UsageError>([&] { parser.define("log-file", 2); });
  EXPECT_NE(why.find("defined twice, at parser_test.cpp:"), std::string::npos) << why;
  for (const auto* name : {"", "-x", "a b", "a=b", "help", "h"}) {
    EXPECT_THROW(parser.define(name, 1), UsageError) << name;
  }
}

TEST(OptionParser, GroupsAreTheFilesThatDefineUnlessNamed) {
  OptionParser parser;
  parser.define("port", 8888, "", {.group = "server"});
  parser.define("static_path", "www", "", {.group = "application"});
  parser.define("debug", false, "", {.group = "application"});
  parser.define("here", 1.5);
  EXPECT_EQ(parser.groups(),
            (std::vector<std::string>{"server", "application", "parser_test.cpp"}));
  EXPECT_EQ(parser.group_dict("application"), (Dict{{"debug", "false"}, {"static_path", "www"}}));
  EXPECT_TRUE(parser.group_dict("none").empty());
  EXPECT_EQ(parser.as_dict().size(), 4U);
  EXPECT_EQ(parser.items().front(), (std::pair<std::string, std::string>{"debug", "false"}));
}

TEST(OptionParser, HelpIsGroupedAndFitsTheScreen) {
  OptionParser parser({.name = "shop", .description = "Sells things.", .version = "1"});
  parser.define<std::uint16_t>("port", 8888,
                               "listen on this port; 0 takes a free one, which is what tests do",
                               {.group = "server"});
  parser.define("log_file", "", "where", {.metavar = "FILE", .group = "server"});
  parser.define("debug", false, "tell more", {.group = "server"});
  parser.define("a_name_that_is_rather_long", 5, "help", {.group = "server"});
  parser.define("password", "hunter2", "of the database", {.group = "server", .secret = true});
  parser.define("internal", 1, "nobody's", {.group = "server", .hidden = true});
  parser.argument("url", "", "where to go", {.required = true});
  EXPECT_EQ(parser.help(), R"(usage: shop [options] URL

Sells things.

arguments:
  URL                         where to go

server options:
  --port=N                    listen on this port; 0 takes a free one, which is
                              what tests do (default: 8888)
  --log-file=FILE             where
  --[no-]debug                tell more
  --a-name-that-is-rather-long=N
                              help (default: 5)
  --password=TEXT             of the database (default: not shown)

other options:
  --help                      print this text
  --version                   print the version
)");
}

TEST(OptionParser, SecretsAreNotInErrors) {
  OptionParser parser;
  parser.define("pin", 0, "", {.secret = true});
  EXPECT_EQ(refusal(parser, {"--pin=hunter2"}),
            "--pin: the value is not a whole number between -2147483648 and 2147483647");
}

TEST(OptionParser, ScopedOptionsGiveTheValueBack) {
  OptionParser parser;
  const auto port = parser.define("port", 1);
  {
    const ScopedOption scoped(port, 2);
    EXPECT_EQ(*port, 2);
  }
  EXPECT_EQ(*port, 1);
}

TEST(OptionParser, TheGlobalOneIsAParserLikeOthers) {
  const auto answer = options().define("parser_test_answer", 42);
  options().parse_command_line({"--parser-test-answer=43"});
  EXPECT_EQ(*answer, 43);
  OptionParser own;
  EXPECT_FALSE(own.contains("parser_test_answer"));
}

}  // namespace
}  // namespace squall
