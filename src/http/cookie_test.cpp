// SPDX-License-Identifier: Apache-2.0
#include "http/cookie.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace squall::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(std::string_view field) {
  Pairs out;
  parse_cookie(field, [&out](std::string_view name, std::string_view value) {
    out.emplace_back(name, value);
  });
  return out;
}

TEST(Cookie, IsReadAsBrowsersWriteIt) {  // RFC 6265 §5.4
  EXPECT_EQ(pairs(""), Pairs{});
  EXPECT_EQ(pairs("a=b"), (Pairs{{"a", "b"}}));
  EXPECT_EQ(pairs("a=b; c=d"), (Pairs{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(pairs("a=b;c=d;"), (Pairs{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(pairs(" a = b ;\tc\t=\td "), (Pairs{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(pairs("a=b=c=="), (Pairs{{"a", "b=c=="}}));
  EXPECT_EQ(pairs("a="), (Pairs{{"a", ""}}));
  EXPECT_EQ(pairs("=b"), (Pairs{{"", "b"}}));
  EXPECT_EQ(pairs("b"), (Pairs{{"", "b"}}));
  EXPECT_EQ(pairs(";; ; =;a=b"), (Pairs{{"a", "b"}}));
  EXPECT_EQ(pairs("a:b=c, d=e"), (Pairs{{"a:b", "c, d=e"}}));
  EXPECT_EQ(pairs("a=\"b c\""), (Pairs{{"a", "\"b c\""}}));
  EXPECT_EQ(pairs("a=1; a=2"), (Pairs{{"a", "1"}, {"a", "2"}}));
}

TEST(Cookie, IsFoundByNameTheLastOne) {
  EXPECT_EQ(find_cookie("a=1; b=2; a=3", "a"), "3");
  EXPECT_EQ(find_cookie("a=1; b=2", "b"), "2");
  EXPECT_EQ(find_cookie("a=", "a"), "");
  EXPECT_EQ(find_cookie("a=1; bare", ""), "bare");
  EXPECT_EQ(find_cookie("a=1", "A"), std::nullopt);
  EXPECT_EQ(find_cookie("", ""), std::nullopt);
}

TEST(Cookie, IsReadUpToTheLimit) {
  std::string field;
  for (std::size_t i = 0; i < limits::cookie_count; ++i) field += "; a=" + std::to_string(i);
  EXPECT_EQ(pairs(field).size(), limits::cookie_count);
  EXPECT_EQ(pairs(field + "; b=1").size(), limits::cookie_count);
  EXPECT_EQ(find_cookie(field + "; b=1", "b"), std::nullopt);
}

TEST(Cookie, IsUnquoted) {
  EXPECT_EQ(unquote_cookie("abc"), "abc");
  EXPECT_EQ(unquote_cookie(""), "");
  EXPECT_EQ(unquote_cookie("\""), "\"");
  EXPECT_EQ(unquote_cookie("\"\""), "");
  EXPECT_EQ(unquote_cookie("\"a b\""), "a b");
  EXPECT_EQ(unquote_cookie("a\\054b"), "a\\054b");
  EXPECT_EQ(unquote_cookie(R"("a\054b")"), "a,b");
  EXPECT_EQ(unquote_cookie(R"("\303\251\377\000")"), std::string("\xc3\xa9\xff\0", 4));
  EXPECT_EQ(unquote_cookie(R"("\"\\\a")"), "\"\\a");
  EXPECT_EQ(unquote_cookie(R"("\400\08\12")"), "4000812");
  EXPECT_EQ(unquote_cookie(R"("a\")"), "a\\");
}

}  // namespace
}  // namespace squall::http
