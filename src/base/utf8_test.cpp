// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall {
namespace {

using namespace std::string_view_literals;

const std::vector<std::string_view> good_texts = {
    ""sv,
    "plain"sv,
    "\0"sv,
    "\x7F"sv,
    "\xC2\x80"sv,          // first of two bytes
    "\xDF\xBF"sv,          // last of two bytes
    "\xE0\xA0\x80"sv,      // first of three bytes
    "\xED\x9F\xBF"sv,      // last before the surrogates
    "\xEE\x80\x80"sv,      // first after the surrogates
    "\xEF\xBF\xBD"sv,      // the replacement character
    "\xEF\xBF\xBE"sv,      // a noncharacter is UTF-8 nevertheless
    "\xEF\xBF\xBF"sv,      // last of three bytes
    "\xF0\x90\x80\x80"sv,  // first of four bytes
    "\xF4\x8F\xBF\xBF"sv,  // U+10FFFF
    "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"sv,
    "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!"sv,
};

struct BadText {
  std::string_view text;
  std::size_t wrong_at;  // the byte that rules everything out
};

const std::vector<BadText> bad_texts = {
    {"\x80"sv, 0},              // continuation without a lead
    {"\xBF"sv, 0},              //
    {"\xC0\x80"sv, 0},          // overlong U+0000
    {"\xC1\xBF"sv, 0},          // overlong U+007F
    {"\xC2\x41"sv, 1},          // lead without its continuation
    {"\xC2\xC2\x80"sv, 1},      //
    {"\xE0\x80\x80"sv, 1},      // overlong
    {"\xE0\x9F\xBF"sv, 1},      // overlong U+07FF
    {"\xE1\x80\x41"sv, 2},      //
    {"\xED\xA0\x80"sv, 1},      // first surrogate
    {"\xED\xBF\xBF"sv, 1},      // last surrogate
    {"\xF0\x80\x80\x80"sv, 1},  // overlong
    {"\xF0\x8F\xBF\xBF"sv, 1},  // overlong U+FFFF
    {"\xF1\x80\x80\x41"sv, 3},  //
    {"\xF4\x90\x80\x80"sv, 1},  // U+110000
    {"\xF5\x80\x80\x80"sv, 0},  //
    {"\xF8\x88\x80\x80\x80"sv, 0},
    {"\xFC\x84\x80\x80\x80\x80"sv, 0},
    {"\xFE"sv, 0},
    {"\xFF"sv, 0},
    {"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80\x65\x64\x69\x74\x65\x64"sv, 12},
    {"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4\x90\x80\x80\x65\x64\x69\x74\x65\x64"sv, 12},
};

TEST(Utf8Validator, TakesGoodTextSplitAtEveryByte) {  // RFC 3629 §4
  for (const std::string_view text : good_texts) {
    EXPECT_TRUE(is_utf8(text)) << text;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Utf8Validator validator;
      EXPECT_TRUE(validator.feed(text.substr(0, cut))) << text << " at " << cut;
      EXPECT_TRUE(validator.feed(text.substr(cut))) << text << " at " << cut;
      EXPECT_TRUE(validator.complete()) << text << " at " << cut;
    }
  }
}

TEST(Utf8Validator, RefusesBadTextAtTheEarliestByteAndForEver) {  // RFC 3629 §3, §4
  for (const auto& [text, wrong_at] : bad_texts) {
    SCOPED_TRACE(testing::PrintToString(text));
    EXPECT_FALSE(is_utf8(text));
    Utf8Validator validator;
    for (std::size_t i = 0; i < text.size(); ++i) {
      EXPECT_EQ(validator.feed(text.substr(i, 1)), i < wrong_at) << i;
    }
    EXPECT_FALSE(validator.feed("a"));
    EXPECT_FALSE(validator.feed("\x80"));
    EXPECT_FALSE(validator.complete());
  }
}

TEST(Utf8Validator, IsNotCompleteInsideACharacter) {
  for (const std::string_view whole : {"\xC3\xA9"sv, "\xE2\x82\xAC"sv, "\xF0\x9F\x98\x80"sv}) {
    for (std::size_t size = 1; size < whole.size(); ++size) {
      Utf8Validator validator;
      EXPECT_TRUE(validator.feed(whole.substr(0, size)));
      EXPECT_FALSE(validator.complete());
      EXPECT_FALSE(is_utf8(whole.substr(0, size)));
    }
  }
}

// Places characters and bad bytes at every position around the blocks of the ASCII scan.
TEST(Utf8Validator, FindsWhatStandsAnywhereInARunOfAscii) {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text.insert(at, "\xE2\x82\xAC");
      EXPECT_TRUE(is_utf8(text));
      text[at + 2] = 'a';
      EXPECT_FALSE(is_utf8(text)) << size << " at " << at;
      std::string lone(size, 'a');
      lone[at] = '\x80';
      EXPECT_FALSE(is_utf8(lone)) << size << " at " << at;
    }
  }
}

// All sequences of two bytes, and all of three with a lead of three, against the definition: alone,
// and among letters.
TEST(Utf8Validator, AgreesWithTheDefinitionForShortSequences) {  // RFC 3629 §3
  const auto judges = [](const std::string& text, bool good) {
    return is_utf8(text) == good && is_utf8("\xD0\xB6" + text + "\xE4\xB8\xAD\xD0\xB6") == good;
  };
  for (unsigned a = 0x80; a < 0x100; ++a) {
    for (unsigned b = 0; b < 0x100; ++b) {
      const std::string two = {static_cast<char>(a), static_cast<char>(b)};
      EXPECT_TRUE(judges(two, a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF)) << a << ' ' << b;
      if (a < 0xE0 || a > 0xEF) continue;
      for (const unsigned c : {0x00U, 0x7FU, 0x80U, 0xBFU, 0xC0U, 0xFFU}) {
        const std::string three = two + static_cast<char>(c);
        const unsigned value = (a & 0xFU) << 12 | (b & 0x3FU) << 6 | (c & 0x3FU);
        const bool continued = (b & 0xC0U) == 0x80 && (c & 0xC0U) == 0x80;
        const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
        EXPECT_TRUE(judges(three, continued && value >= 0x800 && !surrogate)) << value;
      }
    }
  }
}

}  // namespace
}  // namespace squall
