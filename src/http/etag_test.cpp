// SPDX-License-Identifier: Apache-2.0
#include "http/etag.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

TEST(NoneMatch, IsFalseWhenATagMatches) {  // RFC 9110 §13.1.2
  for (const char* field :
       {"\"a\"", "W/\"a\"", " \"a\" ", "\"b\", \"a\"", "\"b\",\"a\",\"c\"", "\"b\" , W/\"a\"",
        ",, \"a\"", "\"x,y\", \"a\"", "\"x, \\\", \"a\"", "\"\",\"a\"", "*", " * "}) {
    EXPECT_FALSE(none_match(field, "\"a\"")) << field;
    EXPECT_FALSE(none_match(field, "W/\"a\"")) << field;
  }
}

TEST(NoneMatch, IsTrueWhenNoTagMatches) {
  for (const char* field :
       {"", " ", ",", "\"b\"", "a", "\"a", "a\"", "\"A\"", "w/\"a\"", "\"aa\"", "\"b, \"",
        "\"x,\"a\"", "\"b\" \"a\"", "b, \"a\"", "\"b\", *", "**", "W/", "W/a", "W/W/\"a\""}) {
    EXPECT_TRUE(none_match(field, "\"a\"")) << field;
  }
}

TEST(NoneMatch, LooksAtACommaWithinTheQuotes) {  // RFC 9110 §8.8.3
  EXPECT_FALSE(none_match("\"a,b\"", "\"a,b\""));
  EXPECT_FALSE(none_match("\"c\", W/\"a,b\"", "\"a,b\""));
  EXPECT_TRUE(none_match("\"a,b\"", "\"a\""));
}

TEST(NoneMatch, KnowsOfNoTagToMatch) {
  EXPECT_TRUE(none_match("\"a\"", ""));
  EXPECT_FALSE(none_match("*", ""));
}

}  // namespace
}  // namespace squall::http
