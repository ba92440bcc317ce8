// SPDX-License-Identifier: Apache-2.0
#include "http/range.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

using Outcome = RangeSet::Outcome;

/// "whole", "416", or the ranges as they would stand in Content-Range.
std::string chosen(std::string_view field, std::uint64_t size) {
  const RangeSet set = select_ranges(field, size);
  if (set.outcome() == Outcome::whole) return "whole";
  if (set.outcome() == Outcome::unsatisfiable) return "416";
  std::string text;
  for (const ByteRange& range : set.ranges()) {
    if (!text.empty()) text += ' ';
    text += std::to_string(range.first) + "-" + std::to_string(range.end() - 1);
  }
  return text;
}

TEST(SelectRanges, OneRange) {  // RFC 9110 §14.1.2
  struct {
    const char* field;
    const char* expected;
  } const table[] = {
      {"bytes=0-0", "0-0"},
      {"bytes=0-499", "0-499"},
      {"bytes=500-999", "500-999"},
      {"bytes=-500", "500-999"},
      {"bytes=-1", "999-999"},
      {"bytes=900-", "900-999"},
      {"bytes=999-", "999-999"},
      {"bytes=0-998", "0-998"},
      {"bytes=1-", "1-999"},
      {"bytes=990-5000", "990-999"},  // the end is clipped
      {"bytes=1-18446744073709551615", "1-999"},
      {"bytes=1-99999999999999999999999999", "1-999"},
      {"BYTES=0-9", "0-9"},  // RFC 9110 §14.1: units are compared without regard to case
      {"bytes= 0-9 ", "0-9"},
      {"bytes=0-9,", "0-9"},  // RFC 9110 §5.6.1.2
      {"bytes=,,0-9", "0-9"},
  };
  for (const auto& row : table) EXPECT_EQ(chosen(row.field, 1000), row.expected) << row.field;
}

TEST(SelectRanges, TheWholeIsNoPart) {
  for (const char* field : {"bytes=0-", "bytes=0-999", "bytes=0-5000", "bytes=-1000", "bytes=-5000",
                            "bytes=0-499,500-999", "bytes=500-999,0-499", "bytes=0-0,0-",
                            "bytes=-99999999999999999999999"}) {
    EXPECT_EQ(chosen(field, 1000), "whole") << field;
  }
}

TEST(SelectRanges, WhatIsNotThereIsUnsatisfiable) {  // RFC 9110 §15.5.17
  for (const char* field :
       {"bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=5-4", "bytes=2000-1999",
        "bytes=0-9,5-4", "bytes=1000-,-0", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(chosen(field, 1000), "416") << field;
  }
}

TEST(SelectRanges, OfNothingAnyRangeIsAll) {
  for (const char* field : {"bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=7-9"}) {
    EXPECT_EQ(chosen(field, 0), "whole") << field;
  }
}

TEST(SelectRanges, WhatIsMalformedDoesNotCount) {  // RFC 9110 §14.2
  for (const char* field : {"",
                            "bytes",
                            "bytes=",
                            "bytes=-",
                            "bytes=,",
                            "bytes 0-9",
                            "bytes=a-b",
                            "bytes=0-9x",
                            "bytes=0x1-9",
                            "bytes=+0-9",
                            "bytes=0--9",
                            "bytes=--9",
                            "bytes=0 - 9",
                            "bytes=0-9;1-2",
                            "bytes=0-9,a",
                            "bytes=1.5-9",
                            "items=0-9",
                            " bytes=0-9",
                            "bytes =0-9",
                            "=0-9",
                            "bytes=0"}) {
    EXPECT_EQ(chosen(field, 1000), "whole") << field;
  }
}

TEST(SelectRanges, SeveralRangesKeepTheirOrder) {
  EXPECT_EQ(chosen("bytes=0-99,500-599,-100", 1000), "0-99 500-599 900-999");
  EXPECT_EQ(chosen("bytes=-100, 0-99", 1000), "900-999 0-99");
  EXPECT_EQ(chosen("bytes=0-99,2000-", 1000), "0-99") << "what is not there is left out";
  EXPECT_EQ(chosen("bytes=2000-,0-99", 1000), "0-99");
  EXPECT_EQ(chosen("bytes=0-0,-1", 1000), "0-0 999-999");
}

TEST(SelectRanges, OverlapsAndSmallGapsBecomeOne) {  // RFC 9110 §14.2, §15.3.7.2
  EXPECT_EQ(chosen("bytes=0-99,50-149", 1000), "0-149");
  EXPECT_EQ(chosen("bytes=0-99,100-149", 1000), "0-149");
  EXPECT_EQ(chosen("bytes=0-99,180-189", 1000), "0-189") << "a gap of 80 bytes";
  EXPECT_EQ(chosen("bytes=0-99,181-189", 1000), "0-99 181-189");
  EXPECT_EQ(chosen("bytes=0-0,2-2,4-4", 1000), "0-4");
  EXPECT_EQ(chosen("bytes=500-509,0-9,5-505", 1000), "0-509") << "in the place of the first";
  EXPECT_EQ(chosen("bytes=800-809,300-309,305-399,310-800", 1000), "300-809");
  EXPECT_EQ(chosen("bytes=0-,0-,0-,0-", 1000), "whole") << "asked for again and again";
  EXPECT_EQ(chosen("bytes=600-700,0-10,300-310,605-606", 1000), "600-700 0-10 300-310");
}

TEST(SelectRanges, MoreThanTheLimitDoNotCount) {
  std::string field = "bytes=";
  for (std::size_t i = 0; i < limits::range_count; ++i) {
    if (i != 0) field += ',';
    field += std::to_string(i * 1000) + "-" + std::to_string(i * 1000);
  }
  const RangeSet most = select_ranges(field, 1'000'000);
  ASSERT_EQ(most.outcome(), Outcome::partial);
  EXPECT_EQ(most.ranges().size(), limits::range_count);
  EXPECT_EQ(chosen(field + ",500000-500000", 1'000'000), "whole");
}

TEST(SelectRanges, WhateverIsAskedForNothingIsSentTwice) {
  // All sets of three ranges over a small representation, spread so that gaps count.
  constexpr std::uint64_t step = 50;
  constexpr std::uint64_t size = 6 * step;
  const auto spec = [&](unsigned code) {
    return std::to_string(code / 6 * step) + "-" + std::to_string((code % 6 + 1) * step - 1);
  };
  for (unsigned a = 0; a < 36; ++a) {
    for (unsigned b = 0; b < 36; ++b) {
      for (unsigned c = 0; c < 36; ++c) {
        const std::string field = "bytes=" + spec(a) + "," + spec(b) + "," + spec(c);
        const RangeSet set = select_ranges(field, size);
        const bool reversed = a / 6 > a % 6 || b / 6 > b % 6 || c / 6 > c % 6;
        ASSERT_EQ(set.outcome() == Outcome::unsatisfiable, reversed) << field;
        for (std::uint64_t at = 0; at < size && set.outcome() == Outcome::partial; at += step) {
          std::size_t times = 0;
          for (const ByteRange& range : set.ranges()) {
            times += range.first <= at && at < range.end() ? 1 : 0;
          }
          bool wanted = false;
          for (const unsigned code : {a, b, c}) {
            wanted = wanted || (code / 6 * step <= at && at < (code % 6 + 1) * step);
          }
          ASSERT_LE(times, 1U) << field;
          ASSERT_TRUE(!wanted || times == 1) << field;
        }
      }
    }
  }
}

TEST(ContentRange, NamesThePartAndTheWhole) {  // RFC 9110 §14.4
  EXPECT_EQ(content_range({0, 500}, 1000), "bytes 0-499/1000");
  EXPECT_EQ(content_range({999, 1}, 1000), "bytes 999-999/1000");
  EXPECT_EQ(unsatisfied_range(1000), "bytes */1000");
}

TEST(MultipartRanges, KnowsItsLengthBeforehand) {  // RFC 9110 §14.6
  const std::string body = "abcdefghijklmnopqrstuvwxyz";
  const ByteRange ranges[] = {{0, 3}, {23, 3}, {10, 1}};
  const MultipartRanges parts(ranges, body.size(), "text/plain", "0123456789abcdef");
  EXPECT_EQ(parts.content_type(), "multipart/byteranges; boundary=0123456789abcdef");
  std::string all;
  for (std::size_t i = 0; i < 3; ++i) {
    all += parts.head(i);
    all += body.substr(ranges[i].first, ranges[i].size);
  }
  all += parts.tail();
  EXPECT_EQ(
      all,
      "--0123456789abcdef\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/26\r\n\r\n"
      "abc\r\n"
      "--0123456789abcdef\r\nContent-Type: text/plain\r\nContent-Range: bytes 23-25/26\r\n\r\n"
      "xyz\r\n"
      "--0123456789abcdef\r\nContent-Type: text/plain\r\nContent-Range: bytes 10-10/26\r\n\r\n"
      "k\r\n"
      "--0123456789abcdef--\r\n");
  EXPECT_EQ(parts.content_length(), all.size());
}

TEST(MultipartRanges, HasNoTypeWhereTheWholeHasNone) {
  const ByteRange ranges[] = {{0, 1}, {500, 1}};
  const MultipartRanges parts(ranges, 1000, "", "b");
  EXPECT_EQ(parts.head(0), "--b\r\nContent-Range: bytes 0-0/1000\r\n\r\n");
}

}  // namespace
}  // namespace squall::http
