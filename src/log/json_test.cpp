// SPDX-License-Identifier: Apache-2.0
#include "log/json.hpp"

#include "base/utf8.hpp"

#include <squall/base/limits.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace squall {
namespace {

std::string json(const log::Line& line) {
  std::string text;
  log::append_json(text, line, 0);
  return text;
}

std::string message(std::string_view text) {
  std::string all = json({.channel = "app", .message = text});
  const std::string_view start =
      R"({"time":"1970-01-01T00:00:00.000000Z","level":"info","channel":"app","message":)";
  EXPECT_EQ(all.substr(0, start.size()), start);
  return all.substr(start.size());
}

TEST(LogJson, TimesAreThoseOfRfc3339) {
  std::string text;
  log::append_time(text, 1'767'323'045'678'901);
  EXPECT_EQ(text, "2026-01-02T03:04:05.678901Z");
  text.clear();
  log::append_time(text, -1);
  EXPECT_EQ(text, "1969-12-31T23:59:59.999999Z");
}

TEST(LogJson, ControlBytesAndQuotesAreEscaped) {  // RFC 8259 section 7
  EXPECT_EQ(message("a\"b\\c\nd\te\rf\x01\x1b\x7f"),
            "\"a\\\"b\\\\c\\nd\\te\\rf\\u0001\\u001b\\u007f\"}\n");
  EXPECT_EQ(message(std::string_view("\0x", 2)), "\"\\u0000x\"}\n");
}

TEST(LogJson, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(message("gr\xc3\xbc\xc3\x9f \xff \xc3( \xed\xa0\x80 \xf0\x9f\x98\x80 \xe2\x82"),
            "\"gr\xc3\xbc\xc3\x9f \xEF\xBF\xBD \xEF\xBF\xBD( \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD "
            "\xf0\x9f\x98\x80 \xEF\xBF\xBD\xEF\xBF\xBD\"}\n");
}

TEST(LogJson, AnyBytesMakeOneLineOfUtf8) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second)};
      const std::string line = message({bytes, 2});
      ASSERT_TRUE(is_utf8(line)) << first << " " << second;
      ASSERT_EQ(line.find('\n'), line.size() - 1) << first << " " << second;
    }
  }
}

TEST(LogJson, FieldsAreMembers) {
  const log::Field fields[] = {{"user", "ann"},
                               {"id", -7},
                               {"big", std::uint64_t{1} << 63},
                               {"ms", 1.25},
                               {"ok", true},
                               {"level", "a clash"},
                               {"odd \"name", 1},
                               {"nan", std::numeric_limits<double>::quiet_NaN()}};
  const std::string text = json({.level = log::Level::warning,
                                 .channel = "shop",
                                 .message = "m",
                                 .fields = fields,
                                 .field_count = std::size(fields)});
  EXPECT_NE(text.find(R"("level":"warning","channel":"shop","message":"m","user":"ann","id":-7,)"
                      R"("big":9223372036854775808,"ms":1.25,"ok":true,"_level":"a clash",)"
                      R"("odd \"name":1,"nan":null})"),
            std::string::npos)
      << text;
}

TEST(LogJson, LongTextsAreCutBetweenCharacters) {  // limits::log_line_bytes
  const std::string text = message(std::string(limits::log_line_bytes - 1, 'x') + "\xc3\xbc");
  EXPECT_NE(text.find("x ... (2 bytes more)\"}"), std::string::npos);
  EXPECT_TRUE(is_utf8(text));
}

}  // namespace
}  // namespace squall
