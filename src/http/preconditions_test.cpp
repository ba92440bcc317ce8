// SPDX-License-Identifier: Apache-2.0
#include "http/preconditions.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

constexpr std::int64_t modified = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t now = modified + 1000;
constexpr const char* at_that_time = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* later = "Sun, 06 Nov 1994 08:49:38 GMT";

std::string request(std::string_view method, const std::string& fields) {
  return std::string(method) + " / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

/// A request with these fields, parsed by the real parser.
struct Parsed : ParsedHead {
  Parsed(std::string_view method, const std::string& fields) : ParsedHead(request(method, fields)) {
    EXPECT_EQ(status, HeadStatus::done) << fields;
  }
};

std::string outcome(const std::string& fields, std::string_view method = "GET",
                    const Validators& current = {"\"v1\"", modified, true}) {
  const Parsed parsed(method, fields);
  switch (evaluate_preconditions(parsed.head, current, now)) {
    case Precondition::proceed:
      return "200";
    case Precondition::not_modified:
      return "304";
    case Precondition::failed:
      return "412";
  }
  return "?";
}

std::string line(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + std::string(value) + "\r\n";
}

TEST(Preconditions, WithoutFieldsAllProceeds) {
  EXPECT_EQ(outcome(""), "200");
  EXPECT_FALSE(is_conditional(Parsed("GET", "").head));
  EXPECT_FALSE(is_conditional(Parsed("GET", "If-Range: \"v1\"\r\n").head)) << "without Range";
  for (const char* name :
       {"If-Match", "if-none-match", "IF-MODIFIED-SINCE", "If-Unmodified-Since", "range"}) {
    EXPECT_TRUE(is_conditional(Parsed("GET", line(name, "x")).head)) << name;
  }
}

TEST(Preconditions, IfNoneMatchComparesWeakly) {  // RFC 9110 §13.1.2
  EXPECT_EQ(outcome(line("If-None-Match", "\"v1\"")), "304");
  EXPECT_EQ(outcome(line("If-None-Match", "W/\"v1\"")), "304");
  EXPECT_EQ(outcome(line("If-None-Match", "\"v0\", \"v1\"")), "304");
  EXPECT_EQ(outcome(line("If-None-Match", "\"v0\"")), "200");
  EXPECT_EQ(outcome(line("If-None-Match", "*")), "304");
  EXPECT_EQ(outcome(line("If-None-Match", "\"v0\"") + line("If-None-Match", "\"v1\"")), "304")
      << "several lines are one list";
  EXPECT_EQ(outcome(line("If-None-Match", "\"v1\""), "HEAD"), "304");
  EXPECT_EQ(outcome(line("If-None-Match", "\"v1\""), "GET", {"W/\"v1\"", modified, true}), "304");
  EXPECT_EQ(outcome(line("If-None-Match", "\"v1\""), "GET", {"", modified, true}), "200");
  EXPECT_EQ(outcome(line("If-None-Match", ""), "GET", {"", modified, true}), "200");
}

TEST(Preconditions, IfNoneMatchRefusesOtherMethods) {
  EXPECT_EQ(outcome(line("If-None-Match", "\"v1\""), "PUT"), "412");
  EXPECT_EQ(outcome(line("If-None-Match", "*"), "PUT"), "412") << "create only";
  EXPECT_EQ(outcome(line("If-None-Match", "*"), "PUT", {"", {}, false}), "200");
  EXPECT_EQ(outcome(line("If-None-Match", "\"v0\""), "DELETE"), "200");
}

TEST(Preconditions, IfMatchComparesStrongly) {  // RFC 9110 §13.1.1
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "POST"}) {
    EXPECT_EQ(outcome(line("If-Match", "\"v1\""), method), "200") << method;
    EXPECT_EQ(outcome(line("If-Match", "\"v0\", \"v1\""), method), "200") << method;
    EXPECT_EQ(outcome(line("If-Match", "\"v0\""), method), "412") << method;
    EXPECT_EQ(outcome(line("If-Match", "W/\"v1\""), method), "412") << method;
    EXPECT_EQ(outcome(line("If-Match", "*"), method), "200") << method;
  }
  EXPECT_EQ(outcome(line("If-Match", "\"v1\""), "PUT", {"W/\"v1\"", modified, true}), "412");
  EXPECT_EQ(outcome(line("If-Match", "*"), "PUT", {"", {}, false}), "412") << "nothing is there";
  EXPECT_EQ(outcome(line("If-Match", "\"v1\""), "PUT", {"\"v1\"", {}, false}), "412");
  EXPECT_EQ(outcome(line("If-Match", "\"v0\"") + line("If-Match", "\"v1\""), "PUT"), "200");
  EXPECT_EQ(outcome(line("If-Match", "v1"), "PUT"), "412") << "no tag, so none of them";
  EXPECT_EQ(outcome(line("If-Match", ""), "PUT"), "412");
}

TEST(Preconditions, DatesAreComparedToTheSecond) {  // RFC 9110 §13.1.3, §13.1.4
  EXPECT_EQ(outcome(line("If-Modified-Since", at_that_time)), "304");
  EXPECT_EQ(outcome(line("If-Modified-Since", later)), "304");
  EXPECT_EQ(outcome(line("If-Modified-Since", earlier)), "200");
  EXPECT_EQ(outcome(line("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT")), "304");
  EXPECT_EQ(outcome(line("If-Modified-Since", "Sun Nov  6 08:49:37 1994")), "304");
  EXPECT_EQ(outcome(line("If-Modified-Since", at_that_time), "HEAD"), "304");
  EXPECT_EQ(outcome(line("If-Modified-Since", at_that_time), "POST"), "200") << "for GET and HEAD";
  EXPECT_EQ(outcome(line("If-Unmodified-Since", at_that_time)), "200");
  EXPECT_EQ(outcome(line("If-Unmodified-Since", later)), "200");
  EXPECT_EQ(outcome(line("If-Unmodified-Since", earlier)), "412");
  EXPECT_EQ(outcome(line("If-Unmodified-Since", earlier), "PUT"), "412");
}

TEST(Preconditions, DatesThatAreNoneAreIgnored) {
  for (const char* bad : {"", "yesterday", "0", "-1", "1994-11-06T08:49:37Z", "784111777"}) {
    EXPECT_EQ(outcome(line("If-Modified-Since", bad)), "200") << bad;
    EXPECT_EQ(outcome(line("If-Unmodified-Since", bad), "PUT"), "200") << bad;
  }
  EXPECT_EQ(outcome(line("If-Modified-Since", at_that_time), "GET", {"\"v1\"", {}, true}), "200");
  EXPECT_EQ(outcome(line("If-Unmodified-Since", earlier), "GET", {"\"v1\"", {}, true}), "200");
}

TEST(Preconditions, TagsGoBeforeDates) {  // RFC 9110 §13.2.2
  EXPECT_EQ(outcome(line("If-None-Match", "\"v0\"") + line("If-Modified-Since", at_that_time)),
            "200");
  EXPECT_EQ(outcome(line("If-None-Match", "\"v1\"") + line("If-Modified-Since", earlier)), "304");
  EXPECT_EQ(outcome(line("If-Match", "\"v1\"") + line("If-Unmodified-Since", earlier)), "200");
  EXPECT_EQ(outcome(line("If-Match", "\"v0\"") + line("If-Unmodified-Since", later)), "412");
}

TEST(Preconditions, ARefusalGoesBeforeNotModified) {  // RFC 9110 §13.2.2
  EXPECT_EQ(outcome(line("If-None-Match", "\"v1\"") + line("If-Match", "\"v0\"")), "412");
  EXPECT_EQ(outcome(line("If-Match", "\"v1\"") + line("If-None-Match", "\"v1\"")), "304");
  EXPECT_EQ(outcome(line("If-Unmodified-Since", earlier) + line("If-Modified-Since", later)),
            "412");
  EXPECT_EQ(outcome(line("If-Unmodified-Since", later) + line("If-Modified-Since", later)), "304");
  EXPECT_EQ(outcome(line("If-Unmodified-Since", later) + line("If-None-Match", "\"v1\"")), "304");
}

bool range_counts(const std::string& if_range,
                  const Validators& current = {"\"v1\"", modified, true}, std::int64_t at = now) {
  const Parsed parsed("GET", "Range: bytes=0-1\r\n" + line("If-Range", if_range));
  return if_range_holds(parsed.head, current, at);
}

TEST(IfRange, WantsAStrongTag) {  // RFC 9110 §13.1.5
  EXPECT_TRUE(range_counts("\"v1\""));
  EXPECT_FALSE(range_counts("\"v0\""));
  EXPECT_FALSE(range_counts("W/\"v1\""));
  EXPECT_FALSE(range_counts("W/\"v1\"", {"W/\"v1\"", modified, true}));
  EXPECT_FALSE(range_counts("\"v1\"", {"", modified, true}));
  EXPECT_FALSE(range_counts("*"));
  EXPECT_FALSE(range_counts("\"v1\", \"v2\""));
  EXPECT_FALSE(range_counts("v1"));
  EXPECT_FALSE(range_counts(""));
  EXPECT_TRUE(if_range_holds(Parsed("GET", "Range: bytes=0-1\r\n").head, {}, now));
}

TEST(IfRange, WantsTheVeryDate) {
  EXPECT_TRUE(range_counts(at_that_time));
  EXPECT_FALSE(range_counts(earlier));
  EXPECT_FALSE(range_counts(later)) << "not newer or older: the same";
  EXPECT_FALSE(range_counts(at_that_time, {"\"v1\"", {}, true}));
}

TEST(IfRange, ADateIsStrongASecondLater) {  // RFC 9110 §8.8.2.2
  EXPECT_FALSE(range_counts(at_that_time, {"", modified, true}, modified - 1));
  EXPECT_FALSE(range_counts(at_that_time, {"", modified, true}, modified));
  EXPECT_TRUE(range_counts(at_that_time, {"", modified, true}, modified + 1));
}

}  // namespace
}  // namespace squall::http
