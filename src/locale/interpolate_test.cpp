// SPDX-License-Identifier: Apache-2.0
#include <squall/locale/interpolate.hpp>

#include <gtest/gtest.h>

namespace squall::locale {
namespace {

TEST(InterpolateTest, NamedPlaceholdersAreReplaced) {
  EXPECT_EQ(interpolate("%(name)s has %(count)d, %(name)s", {{"name", "Ada"}, {"count", "3"}}),
            "Ada has 3, Ada");
  EXPECT_EQ(interpolate("100%% of %(what)s", {{"what", "it"}}), "100% of it");
  EXPECT_EQ(interpolate("", {{"name", "Ada"}}), "");
}

TEST(InterpolateTest, ValuesAreNotLookedInto) {
  EXPECT_EQ(interpolate("%(a)s%(b)s", {{"a", "%(b)s"}, {"b", "%%"}}), "%(b)s%%");
}

TEST(InterpolateTest, WhatIsNotAPlaceholderStays) {
  for (const char* const text : {"%(other)s", "%(name)", "%(name)x", "%(name", "%s 5%", "%"}) {
    EXPECT_EQ(interpolate(text, {{"name", "Ada"}}), text);
  }
}

}  // namespace
}  // namespace squall::locale
