// SPDX-License-Identifier: Apache-2.0
#include "http/parameters.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

std::string read(std::string_view text) {
  ParameterReader reader(text);
  std::string out;
  while (reader.next()) out.append(reader.name).append("=").append(reader.value).append("|");
  return reader.is_malformed() ? "malformed" : out;
}

TEST(ParameterReader, ReadsTokensAndQuotedStrings) {  // RFC 9110 §5.6.6
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read(";a=b"), "a=b|");
  EXPECT_EQ(read("; a=b ;c = \"d; e\" ;; ; F=\"\";"), "a=b|c=d; e|F=|");
  EXPECT_EQ(read("; a=b c; d=e/f:g"), "a=b c|d=e/f:g|");
}

TEST(ParameterReader, ReadsBackslashesAsClientsWriteThem) {
  EXPECT_EQ(read(R"(; a="x\"y")"), R"(a=x"y|)");
  EXPECT_EQ(read(R"(; a="x\\y")"), R"(a=x\y|)");
  EXPECT_EQ(read(R"(; a="C:\dir\file.txt")"), R"(a=C:\dir\file.txt|)");
  EXPECT_EQ(read(R"(; a="b"; c="C:\dir\")"), R"(a=b|c=C:\dir\|)");
  EXPECT_EQ(read(R"(; a="\\")"), R"(a=\|)");
}

TEST(ParameterReader, RefusesWhatIsNone) {
  for (const std::string_view text : {"a=b", ";a", ";=b", ";a b=c", R"(;a="b)", R"(;a="b"c)",
                                      R"(;a=")", R"(;a="b\)", ";a;b=c", "; \"a\"=b"}) {
    EXPECT_EQ(read(text), "malformed") << text;
  }
}

}  // namespace
}  // namespace squall::http
