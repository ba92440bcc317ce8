// SPDX-License-Identifier: Apache-2.0
#include "http/percent.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

TEST(Percent, IsDecoded) {  // RFC 3986 §2.1
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("a%2Fb%2f%C3%a9"), "a/b/\xc3\xa9");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b%2B", Plus::space), "a b+");
  EXPECT_EQ(percent_decode("%2541"), "%41");
}

TEST(Percent, IsKeptWhenMalformed) {
  for (const char* text : {"%", "a%", "%4", "%4g", "%g4", "100%!", "%%", "% 41", "%+1"}) {
    EXPECT_EQ(percent_decode(text), text);
  }
  EXPECT_EQ(percent_decode("%%41"), "%A");
  EXPECT_EQ(percent_decode("%4%41"), "%4A");
}

TEST(Percent, EncodesAllButUnreserved) {  // RFC 3986 §2.3
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b/c?d&e=f+g%"), "a%20b%2Fc%3Fd%26e%3Df%2Bg%25");
  EXPECT_EQ(percent_encode("\xc3\xa9"), "%C3%A9");
}

TEST(Percent, SurvivesARoundTrip) {
  std::string all;
  for (int code = 0; code < 256; ++code) all += static_cast<char>(code);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_decode(percent_encode(all), Plus::space), all);
}

}  // namespace
}  // namespace squall::http
