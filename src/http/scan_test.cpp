// SPDX-License-Identifier: Apache-2.0
#include "http/scan.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

using Skip = const char* (*)(const char*, const char*);

// The blocks must agree with the table for every byte, at every place of a block and its tail.
void expect_agreement(Skip skip, ascii::Class wanted) {
  for (int code = 0; code < 256; ++code) {
    for (std::size_t size = 1; size <= 36; ++size) {
      for (std::size_t place = 0; place < size; ++place) {
        std::string text(size, 'a');
        text[place] = static_cast<char>(code);
        const ExactBuffer buffer(text);
        const char* const begin = buffer.view().data();
        const char* const end = begin + size;
        ASSERT_EQ(skip(begin, end) - begin, scan::skip_class(begin, end, wanted) - begin)
            << code << " at " << place << " of " << size;
      }
    }
  }
}

TEST(Scan, SkipsTokensAsTheTableSays) { expect_agreement(scan::skip_token, ascii::token); }
TEST(Scan, SkipsValuesAsTheTableSays) { expect_agreement(scan::skip_value, ascii::value); }
TEST(Scan, SkipsTargetsAsTheTableSays) { expect_agreement(scan::skip_target, ascii::target); }

TEST(Scan, GoesOnAfterABlockThatARareByteEnded) {
  const std::string text = std::string(20, 'a') + "_" + std::string(40, 'b') + "!:";
  const char* const end = text.data() + text.size();
  EXPECT_EQ(*scan::skip_token(text.data(), end), ':');
}

TEST(Scan, KnowsTheClassesOfTheGrammar) {  // RFC 9110 §5.5, §5.6.2
  int tokens = 0, values = 0;
  for (int code = 0; code < 256; ++code) {
    tokens += ascii::is(static_cast<char>(code), ascii::token) ? 1 : 0;
    values += ascii::is(static_cast<char>(code), ascii::value) ? 1 : 0;
  }
  EXPECT_EQ(tokens, 77);
  EXPECT_EQ(values, 256 - 33 + 1);
}

}  // namespace
}  // namespace squall::http
