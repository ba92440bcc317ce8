// SPDX-License-Identifier: Apache-2.0
#include "http/etag.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

std::string tags(std::string_view field) {
  EntityTagReader reader(field);
  if (reader.is_any()) return reader.next() ? "* and more" : "*";
  std::string text;
  while (reader.next()) text.append("<").append(reader.tag()).append(">");
  return text;
}

TEST(EntityTag, IsQuotedAndMayBeWeak) {  // RFC 9110 §8.8.3
  for (const char* tag :
       {"\"a\"", "W/\"a\"", "\"\"", "W/\"\"", "\"a,b\"", "\"a\\\"", "\"\xc3\xa9\"", "\"a b\""}) {
    EXPECT_TRUE(is_entity_tag(tag)) << tag;
  }
  for (const char* tag : {"", "a", "\"", "\"a", "a\"", "w/\"a\"", "W/", "W/a", "W /\"a\"", "\"a\"b",
                          "\"a\" ", "*", "'a'", "\"a\x01\"", "\"a\r\"", "\"a\x7f\""}) {
    EXPECT_FALSE(is_entity_tag(tag)) << tag;
  }
}

TEST(EntityTag, IsComparedInTwoWays) {  // RFC 9110 §8.8.3.2, its table
  EXPECT_FALSE(strongly_equal("W/\"1\"", "W/\"1\""));
  EXPECT_TRUE(weakly_equal("W/\"1\"", "W/\"1\""));
  EXPECT_FALSE(strongly_equal("W/\"1\"", "W/\"2\""));
  EXPECT_FALSE(weakly_equal("W/\"1\"", "W/\"2\""));
  EXPECT_FALSE(strongly_equal("W/\"1\"", "\"1\""));
  EXPECT_TRUE(weakly_equal("W/\"1\"", "\"1\""));
  EXPECT_TRUE(strongly_equal("\"1\"", "\"1\""));
  EXPECT_TRUE(weakly_equal("\"1\"", "\"1\""));
  EXPECT_FALSE(strongly_equal("\"a\"", "\"A\""));
  EXPECT_FALSE(weakly_equal("\"a\"", "\"A\""));
}

TEST(EntityTagReader, ReadsListsAndTheStar) {  // RFC 9110 §13.1.1
  EXPECT_EQ(tags("*"), "*");
  EXPECT_EQ(tags(" * "), "*");
  EXPECT_EQ(tags("\"a\""), "<\"a\">");
  EXPECT_EQ(tags("\"a\", W/\"b\",\"c\""), "<\"a\"><W/\"b\"><\"c\">");
  EXPECT_EQ(tags("\"a,b\" , \"c\""), "<\"a,b\"><\"c\">");
  EXPECT_EQ(tags(",, \"a\" ,\t, \"b\" ,"), "<\"a\"><\"b\">");
  EXPECT_EQ(tags(""), "");
  EXPECT_EQ(tags("\"*\""), "<\"*\">");
}

TEST(EntityTagReader, GivesWhatStandsBeforeAFault) {
  EXPECT_EQ(tags("abc"), "");
  EXPECT_EQ(tags("\"a\", b, \"c\""), "<\"a\">");
  EXPECT_EQ(tags("\"a\" \"b\""), "<\"a\">");
  EXPECT_EQ(tags("\"a\"b, \"c\""), "<\"a\">");
  EXPECT_EQ(tags("\"a\", \"b"), "<\"a\">");
  EXPECT_EQ(tags("*, \"a\""), "");
  EXPECT_EQ(tags("\"a\", *"), "<\"a\">");
  EXPECT_EQ(tags("w/\"a\""), "");
}

TEST(EntityTagReader, EndsWhereverAListIsCut) {
  const std::string list = " \"a\", W/\"b,c\" ,, \"\" ";
  for (std::size_t cut = 0; cut <= list.size(); ++cut) {
    const std::string begun = tags(std::string_view(list).substr(0, cut));
    EXPECT_TRUE(tags(list).starts_with(begun)) << cut;
  }
}

}  // namespace
}  // namespace squall::http
