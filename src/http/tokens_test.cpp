// SPDX-License-Identifier: Apache-2.0
#include "http/tokens.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall::http {
namespace {

using namespace std::string_view_literals;

std::vector<std::string> elements(std::string_view list) {
  std::vector<std::string> out;
  for (ListReader reader(list); reader.next();) out.emplace_back(reader.element());
  return out;
}

TEST(Token, IsNotEmptyAndHasNoDelimiter) {  // RFC 9110 §5.6.2
  EXPECT_TRUE(is_token("Content-Type"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~"));
  EXPECT_FALSE(is_token(""));
  for (const char c : "\"(),/:;<=>?@[\\]{} \t\r\n\x7f\x80\xff"sv) {
    EXPECT_FALSE(is_token(std::string("a") + c + "b")) << static_cast<int>(c);
  }
  EXPECT_FALSE(is_token("a\0"sv));
}

TEST(FieldValue, HasNoControlButTab) {  // RFC 9110 §5.5
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a b\tc \xc3\xa9"));
  EXPECT_FALSE(is_field_value("a\r\nSet-Cookie: b"));  // response splitting
  EXPECT_FALSE(is_field_value("a\nb"));
  EXPECT_FALSE(is_field_value("a\0b"sv));
  EXPECT_FALSE(is_field_value("a\x7f"));
}

TEST(ListReader, GivesTrimmedElements) {  // RFC 9110 §5.6.1
  using Elements = std::vector<std::string>;
  EXPECT_EQ(elements("a"), (Elements{"a"}));
  EXPECT_EQ(elements("a, b\t,c"), (Elements{"a", "b", "c"}));
  EXPECT_EQ(elements(" a b ,"), (Elements{"a b", ""}));
  EXPECT_EQ(elements(",,"), (Elements{"", "", ""}));
  EXPECT_EQ(elements(""), (Elements{""}));
}

TEST(HasToken, ComparesWholeElementsWithoutCase) {
  EXPECT_TRUE(has_token("foo, Close", "close"));
  EXPECT_TRUE(has_token("close", "CLOSE"));
  EXPECT_TRUE(has_token(",close ,", "close"));
  EXPECT_FALSE(has_token("closed", "close"));
  EXPECT_FALSE(has_token("close x", "close"));
  EXPECT_FALSE(has_token("", "close"));
}

}  // namespace
}  // namespace squall::http
