// SPDX-License-Identifier: Apache-2.0
#include "options/options_testing.hpp"

#include <squall/base/limits.hpp>
#include <squall/options/parser.hpp>

#include <cstdio>
#include <cstdlib>

namespace squall {
namespace {

using Strings = std::vector<std::string>;

class ConfigFile : public ::testing::Test {
 protected:
  std::string refused(std::string_view text) {
    return thrown<OptionError>([&] { parser.parse_config_text(text, "app.conf"); });
  }
  OptionParser parser;
  Option<int> port = parser.define("port", 8888);
  Option<std::string> name = parser.define("name", "squall");
  Option<Strings> hosts = parser.define<Strings>("hosts", {});
  Option<bool> debug = parser.define("debug", false);
};

TEST_F(ConfigFile, HasALineForEachOption) {
  parser.parse_config_text(
      "\xEF\xBB\xBF# a comment\r\n\r\n; another\n  port=80 # of the proxy\n"
      "name = a b;c#d ; e\nhosts = x, y\ndebug = True",
      "app.conf");
  EXPECT_EQ(*port, 80);
  EXPECT_EQ(*name, "a b;c#d");
  EXPECT_EQ(*hosts, (Strings{"x", "y"}));
  EXPECT_TRUE(*debug);
  EXPECT_EQ(port.source(), OptionSource::config_file);
}

TEST_F(ConfigFile, QuotesKeepBlanksCommentsAndCommas) {
  parser.parse_config_text(R"(name = "  # \"q\" \\ \x41\n\t"  # end)"
                           "\nhosts = ['a,b', \"c\" , d ,] ; end\n",
                           "app.conf");
  EXPECT_EQ(*name, "  # \"q\" \\ A\n\t");
  EXPECT_EQ(*hosts, (Strings{"a,b", "c", "d"}));
  parser.parse_config_text(R"(name = 'C:\new')", "app.conf");
  EXPECT_EQ(*name, R"(C:\new)");
  parser.parse_config_text("name =\n", "app.conf");
  EXPECT_EQ(*name, "");
}

TEST_F(ConfigFile, ListsGrowInOneFile) {
  parser.parse_config_text("hosts = a\nhosts = b\n", "app.conf");
  EXPECT_EQ(*hosts, (Strings{"a", "b"}));
  parser.parse_config_text("hosts = c\n", "app.conf");
  EXPECT_EQ(*hosts, Strings{"c"});
}

TEST_F(ConfigFile, MistakesAreExplainedWithTheirLine) {
  EXPECT_EQ(refused("\nport = x\n"),
            "app.conf:2: port: 'x' is not a whole number between -2147483648 and 2147483647");
  EXPECT_EQ(refused("prot = 1"), "app.conf:1: unknown option 'prot'; did you mean port?");
  EXPECT_EQ(refused("debug"), "app.conf:1: 'debug' is not of the form name = value");
  EXPECT_EQ(refused("[server]"),
            "app.conf:1: '[server]' would begin a section; there are none, every line is name = "
            "value");
  EXPECT_EQ(refused("port = 1\nport = 2"), "app.conf:2: port is set twice in this file");
  EXPECT_EQ(refused("name = \"a"), "app.conf:1: name: a \" is not closed");
  EXPECT_EQ(refused("name = 'a' b"), "app.conf:1: name: there is something after the value: 'b'");
  EXPECT_EQ(refused("hosts = [a, b"), "app.conf:1: hosts: the list does not end in this line");
  EXPECT_EQ(refused("hosts = ['a' 'b']"), "app.conf:1: hosts: a list has a ',' between its values");
  EXPECT_EQ(refused("port = [1]"), "app.conf:1: port: is a list where one value belongs");
  EXPECT_NE(refused(R"(name = "\q")"), "nothing was thrown");
  EXPECT_EQ(refused("name = \xff"), "app.conf:1: this is not UTF-8");
}

TEST_F(ConfigFile, UnknownNamesArePassedOverWhereAskedFor) {
  parser.parse_config_text("other = 1\nport = 2\n", "app.conf",
                           {.unknown = UnknownOptions::ignore});
  EXPECT_EQ(*port, 2);
}

TEST_F(ConfigFile, IsWeakerThanTheEnvironmentAndThatThanTheCommandLine) {
  parser.parse_command_line({"--port=3"});
  ::setenv("OPTIONS_TEST_PORT", "2", 1);
  ::setenv("OPTIONS_TEST_NAME", "environment", 1);
  parser.parse_environment("OPTIONS_TEST_");
  parser.parse_config_text("port = 1\nname = file\nhosts = file\n", "app.conf");
  EXPECT_EQ(*port, 3);
  EXPECT_EQ(*name, "environment");
  EXPECT_EQ(*hosts, Strings{"file"});
  EXPECT_NE(refused("port = x"), "nothing was thrown");  // a mistake is one all the same
  ::unsetenv("OPTIONS_TEST_PORT");
  ::unsetenv("OPTIONS_TEST_NAME");
}

TEST_F(ConfigFile, MistakesInTheEnvironmentNameTheVariable) {
  ::setenv("OPTIONS_TEST_PORT", "x", 1);
  EXPECT_EQ(thrown<OptionError>([&] { parser.parse_environment("OPTIONS_TEST_"); }),
            "OPTIONS_TEST_PORT: 'x' is not a whole number between -2147483648 and 2147483647");
  ::unsetenv("OPTIONS_TEST_PORT");
  ::setenv("OPTIONS_TEST_PROT", "1", 1);
  parser.parse_environment("OPTIONS_TEST_");
  EXPECT_EQ(thrown<OptionError>([&] {
              parser.parse_environment("OPTIONS_TEST_", {.unknown = UnknownOptions::error});
            }),
            "the variable OPTIONS_TEST_PROT sets no option; did you mean port?");
  ::unsetenv("OPTIONS_TEST_PROT");
}

TEST_F(ConfigFile, AVariableMayHaveANameOfItsOwn) {
  const auto url = parser.define("database", "", {}, {.environment = "OPTIONS_TEST_URL"});
  ::setenv("OPTIONS_TEST_URL", "sqlite:x", 1);
  parser.parse_environment("");
  EXPECT_EQ(*url, "sqlite:x");
  EXPECT_EQ(url.source(), OptionSource::environment);
  ::unsetenv("OPTIONS_TEST_URL");
}

TEST_F(ConfigFile, IsReadWhenTheCommandLineNamesIt) {
  const std::string path = ::testing::TempDir() + "options_config_file_test.conf";
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("port = 1\nname = file\n", file);
  std::fclose(file);
  parser.define_config_option();
  int finals = 0;
  parser.add_parse_callback([&finals] { ++finals; });
  // The order does not matter: the command line is stronger.
  parser.parse_command_line({"--port=5", "--config=" + path});
  EXPECT_EQ(*port, 5);
  EXPECT_EQ(*name, "file");
  EXPECT_EQ(finals, 1);
  std::remove(path.c_str());
  EXPECT_EQ(refusal(parser, {"--config=" + path}),
            "cannot read the configuration file " + path + ": No such file or directory");
}

TEST_F(ConfigFile, AFileThatIsTooLargeIsRefused) {  // limits::config_file_bytes
  const std::string path = ::testing::TempDir() + "options_large_file_test.conf";
  const auto write = [&](std::size_t size) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    const std::string text = "#" + std::string(size - 1, 'x');
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  };
  write(limits::config_file_bytes);
  parser.parse_config_file(path);
  write(limits::config_file_bytes + 1);
  EXPECT_EQ(thrown<OptionError>([&] { parser.parse_config_file(path); }),
            "cannot read the configuration file " + path + ": it is larger than 1048576 bytes");
  std::remove(path.c_str());
  EXPECT_NE(thrown<OptionError>([&] { parser.parse_config_file(::testing::TempDir()); }),
            "nothing was thrown");
}

}  // namespace
}  // namespace squall
