// SPDX-License-Identifier: Apache-2.0
#include <squall/base/limits.hpp>
#include <squall/locale/accept_language.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall::locale {
namespace {

std::string ranges(std::string_view field) {
  std::string out;
  for (const LanguageRange& range : parse_accept_language(field)) {
    out.append(out.empty() ? "" : " ").append(range.tag).append("=");
    out += std::to_string(range.weight);
  }
  return out;
}

TEST(AcceptLanguageTest, WhatIsWantedMostComesFirst) {
  EXPECT_EQ(ranges("da, en-GB;q=0.8, en;q=0.7"), "da=1000 en-GB=800 en=700");  // RFC 9110 §12.5.4
  EXPECT_EQ(ranges("en;q=0.1,fr;q=1.0 , de ;q=0.999"), "fr=1000 de=999 en=100");
}

TEST(AcceptLanguageTest, EqualWeightsKeepTheirOrder) {
  EXPECT_EQ(ranges("a;q=0.5,b,c;q=0.5,d,e;q=0.5"), "b=1000 d=1000 a=500 c=500 e=500");
}

TEST(AcceptLanguageTest, WeightsOfZeroAreNotWanted) {
  EXPECT_EQ(ranges("en;q=0, de;q=0.000, fr;q=0."), "");
  EXPECT_EQ(ranges("de;q=0.001"), "de=1");
}

TEST(AcceptLanguageTest, MalformedMembersAreLeftOut) {
  EXPECT_EQ(ranges("en;q=x, de;q=-1, fr;q=1.5, es;q=0.1234, it;q=, pt;level=1, , ;q=1, nl"),
            "nl=1000");
  EXPECT_EQ(ranges("e n, 1a, en--US, -en, en-, abcdefghi, en_US, \xc3\xa4, en-toolong12"), "");
  EXPECT_EQ(ranges(""), "");
  EXPECT_EQ(ranges("zh-Hant-TW, es-419, *;Q=0.1, x-klingon"),
            "zh-Hant-TW=1000 es-419=1000 x-klingon=1000 *=100");
}

TEST(AcceptLanguageTest, OnlySoManyAreLookedAt) {
  std::string field;
  for (std::size_t i = 0; i < limits::language_ranges; ++i) field += "en,";
  EXPECT_EQ(parse_accept_language(field + "de").size(), limits::language_ranges);
}

}  // namespace
}  // namespace squall::locale
