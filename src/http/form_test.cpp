// SPDX-License-Identifier: Apache-2.0
#include "http/form.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace squall::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs parsed(std::string_view text) {
  Pairs out;
  EXPECT_TRUE(parse_form(text, out));
  return out;
}

TEST(Form, IsReadInOrder) {
  EXPECT_EQ(parsed(""), Pairs{});
  EXPECT_EQ(parsed("a=1&b=2&a=3"), (Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}));
  EXPECT_EQ(parsed("a=b=c"), (Pairs{{"a", "b=c"}}));
}

TEST(Form, KeepsBlanksAndSkipsEmptyPieces) {
  EXPECT_EQ(parsed("a&b=&=c&="), (Pairs{{"a", ""}, {"b", ""}, {"", "c"}, {"", ""}}));
  EXPECT_EQ(parsed("&&a=1&&&b=2&"), (Pairs{{"a", "1"}, {"b", "2"}}));
}

TEST(Form, IsSeparatedByAmpersandsOnly) { EXPECT_EQ(parsed("a=1;b=2"), (Pairs{{"a", "1;b=2"}})); }

TEST(Form, IsDecodedAfterItWasTakenApart) {
  EXPECT_EQ(parsed("a%3Db=c%26d+e"), (Pairs{{"a=b", "c&d e"}}));
  EXPECT_EQ(parsed("caf%C3%A9=%zz%"), (Pairs{{"caf\xc3\xa9", "%zz%"}}));
}

TEST(Form, TakesExactlyTheLimitOfArguments) {
  std::string text;
  for (std::size_t i = 0; i < limits::argument_count; ++i) text += "a&&";
  EXPECT_EQ(parsed(text).size(), limits::argument_count);
  Pairs out;
  const auto result = parse_form(text + "a", out);
  EXPECT_EQ(result.error(), FormError::too_many_arguments);
  EXPECT_EQ(status_for(FormError::too_many_arguments), 400);
  EXPECT_EQ(result.error().message(), "too many arguments");
  EXPECT_EQ(out.size(), limits::argument_count);
}

TEST(Form, AppendsToWhatIsThere) {
  Pairs out{{"x", "y"}};
  ASSERT_TRUE(parse_form("a=1", out, 1));
  EXPECT_EQ(out, (Pairs{{"x", "y"}, {"a", "1"}}));
}

}  // namespace
}  // namespace squall::http
