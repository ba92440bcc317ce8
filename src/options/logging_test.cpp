// SPDX-License-Identifier: Apache-2.0
#include "options/options_testing.hpp"

#include <squall/base/log.hpp>
#include <squall/log/output.hpp>
#include <squall/options/logging.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace squall {
namespace {

using log::Level;

class LoggingOptions : public ::testing::Test {
 protected:
  LoggingOptions() { define_logging_options(parser); }
  ~LoggingOptions() override {
    log::reset();
    log::clear_channel_levels();
    log::set_level(Level::info);
    for (const auto* end : {"", ".1", ".2"}) std::filesystem::remove(path + end);
  }
  static std::string text(const std::string& name) {
    std::ostringstream all;
    all << std::ifstream(name).rdbuf();
    return all.str();
  }
  OptionParser parser;
  std::string path =
      ::testing::TempDir() + "squall_logging_options_test." + std::to_string(::getpid()) + ".log";
};

TEST_F(LoggingOptions, HaveTornadosNamesAndDefaults) {
  const auto all = parser.group_dict("logging");
  EXPECT_EQ(parser.text("logging"), "info");
  EXPECT_EQ(parser.text("log_to_stderr"), "false");
  EXPECT_EQ(parser.text("log_file_prefix"), "");
  EXPECT_EQ(parser.get<ByteCount>("log_file_max_size").count, 100'000'000U);
  EXPECT_EQ(parser.text("log_file_num_backups"), "10");
  EXPECT_EQ(parser.text("log_rotate_when"), "midnight");
  EXPECT_EQ(parser.text("log_rotate_interval"), "1");
  EXPECT_EQ(parser.text("log_rotate_mode"), "size");
  EXPECT_EQ(all.size(), 9U);
}

TEST_F(LoggingOptions, SetTheLevelOfAllAndOfChannels) {
  parser.parse_command_line({"--logging=warning,access:none", "--logging=shop:debug"});
  EXPECT_EQ(log::level(), Level::warning);
  EXPECT_FALSE(log::is_on(Level::error, "access"));
  EXPECT_TRUE(log::is_on(Level::debug, "shop.orders"));
}

TEST_F(LoggingOptions, LeaveAloneWhatNobodyAskedFor) {
  log::set_level(Level::error);
  parser.parse_command_line(std::vector<std::string>{});
  EXPECT_EQ(log::level(), Level::error);
  parser.parse_command_line({"--logging=none", "--log-file-prefix=" + path});
  EXPECT_EQ(log::level(), Level::error);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(LoggingOptions, SendTheLogToAFileThatRotates) {
  parser.parse_command_line({"--log-file-prefix=" + path, "--log_file_max_size=1KB",
                             "--log-file-num-backups=1", "--log-format=json"});
  const std::string filler(400, 'x');
  for (int i = 0; i < 8; ++i) log::info(filler, {{"number", i}});
  EXPECT_NE(text(path).find("\"number\":7}\n"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path + ".1"));
  EXPECT_FALSE(std::filesystem::exists(path + ".2"));
  EXPECT_LE(std::filesystem::file_size(path + ".1"), 1000U);
}

TEST_F(LoggingOptions, ExplainWhatIsWrong) {
  EXPECT_EQ(refusal(parser, {"--logging=loud"}),
            "--logging: 'loud' is not one of debug|info|warning|error|none, nor CHANNEL:LEVEL");
  EXPECT_EQ(refusal(parser, {"--log-rotate-when=noon"}),
            "--log-rotate-when: 'noon' is not one of S|M|H|D|W0-W6|midnight");
  EXPECT_EQ(
      refusal(parser, {"--log-file-prefix=" + path + "/none/x"}),
      "--log-file-prefix: cannot open the log " + path + "/none/x: No such file or directory");
  OptionParser other;
  define_logging_options(other);
  EXPECT_NE(refusal(other, {"--no-log-to-stderr"}), "nothing was thrown");
}

}  // namespace
}  // namespace squall
