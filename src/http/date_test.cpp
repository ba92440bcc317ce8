// SPDX-License-Identifier: Apache-2.0
#include "http/date.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace squall::http {
namespace {

std::string formatted(std::int64_t seconds) {
  std::string out(http_date_size + 1, '#');
  format_http_date(seconds, out.data());
  EXPECT_EQ(out.back(), '#') << "wrote too much";
  out.pop_back();
  return out;
}

TEST(HttpDate, IsWrittenAsImfFixdate) {  // RFC 9110 §5.6.7
  EXPECT_EQ(formatted(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(formatted(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(formatted(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(formatted(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(formatted(4'107'542'400), "Mon, 01 Mar 2100 00:00:00 GMT");
}

TEST(HttpDate, StaysWithinFourDigitsOfYear) {
  EXPECT_EQ(formatted(std::numeric_limits<std::int64_t>::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(formatted(std::numeric_limits<std::int64_t>::min()), "Mon, 01 Jan 0001 00:00:00 GMT");
}

TEST(HttpDate, ReadsAllThreeForms) {  // RFC 9110 §5.6.7
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), 784'111'777) << text;
  }
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), 784'111'777 + 10 * 86'400);
}

TEST(HttpDate, SurvivesARoundTrip) {
  // A prime step visits every month, day of week and hour between the years 1 and 9999.
  for (std::int64_t second = -62'135'596'800; second <= 253'402'300'799; second += 12'345'701) {
    ASSERT_EQ(parse_http_date(formatted(second)), second) << formatted(second);
  }
  EXPECT_EQ(parse_http_date(formatted(253'402'300'799)), 253'402'300'799);
}

TEST(HttpDate, PutsTwoDigitYearsWithinFiftyYearsOfNow) {  // RFC 9110 §5.6.7
  const auto year_of = [](const char* text, std::int64_t now) {
    return formatted(parse_http_date(text, now).value()).substr(12, 4);
  };
  const std::int64_t in_2020 = 1'577'836'800;
  const std::int64_t in_2075 = 3'313'526'400;
  EXPECT_EQ(year_of("Monday, 01-Jun-69 00:00:00 GMT", in_2020), "2069");
  EXPECT_EQ(year_of("Monday, 01-Jun-70 00:00:00 GMT", in_2020), "1970");
  EXPECT_EQ(year_of("Monday, 01-Jun-99 00:00:00 GMT", in_2020), "1999");
  EXPECT_EQ(year_of("Monday, 01-Jun-20 00:00:00 GMT", in_2020), "2020");
  EXPECT_EQ(year_of("Monday, 01-Jun-19 00:00:00 GMT", in_2020), "2019");
  EXPECT_EQ(year_of("Monday, 01-Jun-99 00:00:00 GMT", in_2075), "2099");
  EXPECT_EQ(year_of("Monday, 01-Jun-24 00:00:00 GMT", in_2075), "2124");
  EXPECT_EQ(year_of("Monday, 01-Jun-26 00:00:00 GMT", in_2075), "2026");
  EXPECT_EQ(year_of("Monday, 01-Jun-70 00:00:00 GMT", 0), "1970");
  EXPECT_TRUE(
      parse_http_date("Monday, 01-Jun-70 00:00:00 GMT", std::numeric_limits<std::int64_t>::max()));
}

TEST(HttpDate, TakesALeapSecond) {
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), 1'483'228'800);
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const char* text : {"",
                           "Sun",
                           "Sun,",
                           "0",
                           "784111777",
                           "1994-11-06T08:49:37Z",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 06 Nov 1994 8:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49 GMT",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           "Sun, 06 Nov 1994 08:49:37 +0000",
                           " Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun,06 Nov 1994 08:49:37 GMT",
                           "Xyz, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Xyz 1994 08:49:37 GMT",
                           "Sun, 06 anF 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 29 Feb 1900 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, +6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov -994 08:49:37 GMT",
                           "Sunday, 06 Nov 1994 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sundae, 06-Nov-94 08:49:37 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 94",
                           "Sun Nov  6 08:49:37 1994 GMT",
                           "sun, 06 nov 1994 08:49:37 gmt"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

}  // namespace
}  // namespace squall::http
