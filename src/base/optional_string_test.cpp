// SPDX-License-Identifier: Apache-2.0
#include <squall/base/optional_string.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace squall {
namespace {

OptionalString from_std(std::optional<std::string> from) { return from; }
std::optional<std::string> to_std(const OptionalString& from) { return from; }

TEST(OptionalString, TellsTheEmptyTextFromNone) {
  const OptionalString none;
  const OptionalString empty("");
  EXPECT_FALSE(none);
  EXPECT_FALSE(none.has_value());
  EXPECT_TRUE(empty.has_value());
  EXPECT_EQ(*none, "");
  EXPECT_EQ(*empty, "");
  EXPECT_FALSE(none == empty);
  EXPECT_FALSE(none == "");
  EXPECT_TRUE(empty == "");
  EXPECT_EQ(none.value_or("other"), "other");
  EXPECT_EQ(empty.value_or("other"), "");
}

TEST(OptionalString, IsMadeOfAnyText) {
  EXPECT_EQ(OptionalString("a"), "a");
  EXPECT_EQ(OptionalString(std::string("a")), "a");
  EXPECT_EQ(OptionalString(std::string_view("a")), OptionalString("a"));
  OptionalString text = "long enough to live on the heap, as names may";
  EXPECT_EQ(text->size(), 45u);
  text.reset();
  EXPECT_FALSE(text);
  text = "b";
  EXPECT_EQ(text, "b");
}

TEST(OptionalString, GoesBothWaysToTheStandardsOptional) {
  EXPECT_EQ(from_std("a"), "a");
  EXPECT_FALSE(from_std(std::nullopt));
  EXPECT_EQ(to_std("a"), std::optional<std::string>("a"));
  EXPECT_EQ(to_std(""), std::optional<std::string>(""));
  EXPECT_EQ(to_std({}), std::nullopt);
}

}  // namespace
}  // namespace squall
