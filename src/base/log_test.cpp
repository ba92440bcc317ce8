// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"

#include <squall/base/limits.hpp>
#include <squall/base/log.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall {
namespace {

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    log::set_sink(
        [](void* out, log::Level, std::string_view channel, std::string_view message) {
          static_cast<std::string*>(out)->append(channel).append(": ").append(message).append("\n");
        },
        &lines);
  }
  ~LogTest() override {
    log::set_sink(nullptr, nullptr);
    log::set_level(log::Level::info);
    log::clear_channel_levels();
  }
  std::string lines;
};

TEST_F(LogTest, LinesBelowTheLevelAreDropped) {
  log::debug("hidden");
  log::info("seen");
  log::set_level(log::Level::error);
  log::warning("hidden");
  log::error("seen too");
  log::set_level(log::Level::none);
  log::error("hidden");
  EXPECT_EQ(lines, "app: seen\napp: seen too\n");
}

TEST_F(LogTest, FormatsItsArguments) {
  log::format(log::Level::info, "server", "{} of {}", 1, "two");
  EXPECT_EQ(lines, "server: 1 of two\n");
}

TEST_F(LogTest, FieldsArePartOfTheText) {
  log::info("login", {{"user", "ann lee"}, {"id", 7}, {"ok", true}, {"ms", 1.5}, {"none", ""}});
  EXPECT_EQ(lines, "app: login user=\"ann lee\" id=7 ok=true ms=1.5 none=\"\"\n");
  lines.clear();
  log::info("x", {{"a", "q\"\\\n\x1b[0m"}, {"b", "k=v"}, {"size", std::uint64_t{1} << 63}});
  EXPECT_EQ(lines, "app: x a=\"q\\\"\\\\\\n\\x1b[0m\" b=\"k=v\" size=9223372036854775808\n");
}

TEST_F(LogTest, ASinkOfLinesGetsTheFieldsThemselves) {
  log::set_line_sink(
      [](void* out, const log::Line& line) {
        auto& text = *static_cast<std::string*>(out);
        text.append(line.message).append("|").append(std::to_string(line.field_count));
        text.append(line.fields[0].name()).append(std::to_string(line.fields[0].whole()));
      },
      &lines);
  log::info("message\n", {{"id", -7}});
  EXPECT_EQ(lines, "message\n|1id-7");
}

TEST(Log, WhatIsNotUtf8OrMovesATerminalIsEscaped) {
  ::testing::internal::CaptureStderr();
  log::info("gr\xc3\xbc\xc3\x9f \xff\xc3( \xc2\x9b");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("gr\xc3\xbc\xc3\x9f \\xff\\xc3( \\xc2\\x9b\n"), std::string::npos) << text;
}

TEST(Log, ALineHasAnEnd) {  // limits::log_line_bytes
  ::testing::internal::CaptureStderr();
  log::info(std::string(limits::log_line_bytes + 5, 'x'));
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("x ... (5 bytes more)\n"), std::string::npos);
  EXPECT_LT(text.size(), limits::log_line_bytes + 100);
}

TEST(Log, StandardErrorThatIsNoTerminalHasNoColours) {
  ::testing::internal::CaptureStderr();
  log::info("plain");
  EXPECT_EQ(::testing::internal::GetCapturedStderr().find('\x1b'), std::string::npos);
}

// The default sink writes to standard error, where a client's bytes must not become control
// sequences.
TEST(Log, ControlCharactersAreWrittenEscaped) {
  ::testing::internal::CaptureStderr();
  log::info("path \x1b[31m and\r bell \x07 end");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find(R"(path \x1b[31m and\x0d bell \x07 end)"), std::string::npos) << text;
  EXPECT_NE(text.find("app] "), std::string::npos) << text;
}

TEST(Log, ALineBreakCannotForgeALine) {
  ::testing::internal::CaptureStderr();
  log::info("first\n[I 260101 00:00:00 app] forged");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("first\n    [I"), std::string::npos) << text;
}

}  // namespace
}  // namespace squall
