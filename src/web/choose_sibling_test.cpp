// SPDX-License-Identifier: Apache-2.0
#include "web/choose_sibling.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::web {
namespace {

constexpr unsigned all = 0b1111;

std::string chosen(const std::string& fields, unsigned available = all) {
  const http::ParsedHead parsed("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
  EXPECT_EQ(parsed.status, http::HeadStatus::done);
  const std::size_t variant = choose_sibling(parsed.head, available);
  return variant == 0 ? "itself" : std::string(http::to_string(variants[variant].coding));
}
std::string accepting(const std::string& codings, unsigned available = all) {
  return chosen("Accept-Encoding: " + codings + "\r\n", available);
}

TEST(ChooseSibling, GoesByWeightThenByOrder) {  // RFC 9110 §12.5.3
  EXPECT_EQ(accepting("gzip, deflate, br, zstd"), "br");
  EXPECT_EQ(accepting("gzip, deflate, zstd"), "zstd");
  EXPECT_EQ(accepting("gzip"), "gzip");
  EXPECT_EQ(accepting("GZIP"), "gzip");
  EXPECT_EQ(accepting("x-gzip"), "gzip");
  EXPECT_EQ(accepting("br;q=0.5, gzip;q=0.8"), "gzip");
  EXPECT_EQ(accepting("br;q=0.5,gzip ; Q=0.501"), "gzip");
  EXPECT_EQ(accepting("br;q=1.000, gzip"), "br");
  EXPECT_EQ(accepting("*"), "br");
  EXPECT_EQ(accepting("*, br;q=0"), "zstd");
  EXPECT_EQ(accepting("gzip;q=0.1"), "gzip") << "named is wanted";
  EXPECT_EQ(chosen("Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: br\r\n"), "br");
}

TEST(ChooseSibling, TakesTheFileWhereNothingElseIsWanted) {
  EXPECT_EQ(chosen(""), "itself");
  EXPECT_EQ(accepting(""), "itself");
  EXPECT_EQ(accepting("deflate"), "itself");
  EXPECT_EQ(accepting("br;q=0, gzip;q=0, zstd;q=0.000"), "itself");
  EXPECT_EQ(accepting("identity, gzip;q=0.5"), "itself");
  EXPECT_EQ(accepting("*;q=0"), "itself") << "better than nothing";
  EXPECT_EQ(accepting("br, zstd", 0b1001), "itself");
  EXPECT_EQ(accepting("br, gzip", 0b1001), "gzip");
}

TEST(ChooseSibling, WhatIsMalformedIsNotWanted) {
  for (const char* bad : {"gzip;q=", "gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=a",
                          "gzip;x=1", "gzip;q=.5", "gzip;q=-1", "gzip q=1", "gzi", ";q=1"}) {
    EXPECT_EQ(accepting(bad), "itself") << bad;
  }
}

}  // namespace
}  // namespace squall::web
