// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"

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
