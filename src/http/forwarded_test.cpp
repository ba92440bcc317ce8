// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall::http {
namespace {

using namespace std::string_view_literals;

// "for|proto|host|by" of each element, or "malformed".
std::string read(std::string_view value) {
  const ExactBuffer buffer(value);
  std::vector<ForwardedElement> elements;
  if (!parse_forwarded(buffer.view(), elements)) {
    EXPECT_TRUE(elements.empty());
    return "malformed";
  }
  std::string text;
  for (const ForwardedElement& element : elements) {
    if (!text.empty()) text += " ";
    text += element.forwarded_for + "|" + element.proto + "|" + element.host + "|" + element.by;
  }
  return text;
}

TEST(Forwarded, ReadsTheExamplesOfTheRFC) {  // RFC 7239 §4
  EXPECT_EQ(read("for=\"_gazonk\""), "_gazonk|||");
  EXPECT_EQ(read("For=\"[2001:db8:cafe::17]:4711\""), "[2001:db8:cafe::17]:4711|||");
  EXPECT_EQ(read("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60|http||203.0.113.43");
  EXPECT_EQ(read("for=192.0.2.43, for=198.51.100.17"), "192.0.2.43||| 198.51.100.17|||");
  EXPECT_EQ(read("for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown"),
            "192.0.2.43||| [2001:db8:cafe::17]||| unknown|||");
  EXPECT_EQ(read("for=_hidden, for=_SEVKISEK"), "_hidden||| _SEVKISEK|||");
}

TEST(Forwarded, IsLenientWhereListsAre) {  // RFC 9110 §5.6.1.2; RFC 7239 §4: pairs may be empty
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read(" , ,\t"), "");
  EXPECT_EQ(read(";;"), "");
  EXPECT_EQ(read(";for=a;;proto=b; ,,for=c"), "a|b|| c|||");
  EXPECT_EQ(read(" for=a ; proto=b ,\tfor=c "), "a|b|| c|||");
  EXPECT_EQ(read("HOST=example.com;PROTO=https;FOR=1.2.3.4"), "1.2.3.4|https|example.com|");
  EXPECT_EQ(read("for=a;secret=\"x,y;z\";ext=1"), "a|||");
  EXPECT_EQ(read("ext=1"), "|||");  // a proxy that says nothing of interest is a proxy still
}

TEST(Forwarded, QuotedStringsMayHoldWhatSeparates) {
  EXPECT_EQ(read("for=\"a,b;c\", for=d"), "a,b;c||| d|||");
  EXPECT_EQ(read("for=\"a\\\"b\\\\c\""), "a\"b\\c|||");
  EXPECT_EQ(read("for=\"\""), "|||");
}

TEST(Forwarded, MalformedOnesAreRefusedWhole) {
  for (const std::string_view value : {"for"sv,
                                       "for="sv,
                                       "=a"sv,
                                       "for =a"sv,
                                       "for= a"sv,
                                       "for=a b"sv,
                                       "for=a for=b"sv,
                                       "for=\"a"sv,
                                       "for=\"a\\"sv,
                                       "for=\"a\\\""sv,
                                       "for=\"a\"b"sv,
                                       "for=[::1]"sv,
                                       "for=1.2.3.4:80"sv,
                                       "for=a;for=b"sv,
                                       "for=a;FOR=b"sv,
                                       "proto=a;proto=a"sv,
                                       "for=a, for"sv,
                                       "good=1, \"bad\""sv,
                                       "for=\"\x01\""sv,
                                       "for=a\0"sv,
                                       "for=\xff"sv,
                                       "f:r=a"sv,
                                       "for=a/b"sv}) {
    EXPECT_EQ(read(value), "malformed") << value;
  }
  EXPECT_EQ(read("for=a;by=b, for=c;by=d"), "a|||b c|||d");  // a name may stand in each element
}

TEST(Forwarded, ACutNeverReadsPastItsEnd) {  // under AddressSanitizer
  constexpr std::string_view whole =
      "for=\"[2001:db8::17]:4711\";proto=https;host=\"a\\\"b\", for=192.0.2.43;by=_x";
  EXPECT_EQ(read(whole), "[2001:db8::17]:4711|https|a\"b| 192.0.2.43|||_x");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_NE(read(whole.substr(0, cut)), read(whole)) << cut;
  }
}

TEST(NodeAddress, IsWithoutBracketsAndPort) {  // RFC 7239 §6
  constexpr std::string_view good[][2] = {
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1:4711", "192.0.2.1"},
      {"192.0.2.1:_port", "192.0.2.1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:80", "2001:db8::1"},
      {"2001:db8::1", "2001:db8::1"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::", "::"},
  };
  for (const auto& [node, address] : good) EXPECT_EQ(node_address(node), address) << node;
}

TEST(NodeAddress, OthersHaveNone) {
  for (const std::string_view node :
       {""sv, "unknown"sv, "_hidden"sv, "localhost"sv, "[::1"sv, "[::1]x"sv, "[::1]:"sv,
        "[::1]:x"sv, "192.0.2.1:"sv, "192.0.2.1:123456"sv, "192.0.2.1:-1"sv, "[192.0.2.1]"sv,
        "fe80::1%eth0"sv, "192.0.2.1 "sv, "\"192.0.2.1\""sv, ":80"sv, "192.0.2.1\0"sv, "[]"sv}) {
    EXPECT_EQ(node_address(node), "") << node;
  }
}

std::string backwards(std::string_view fields) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
  const ParsedHead parsed(text);
  EXPECT_EQ(parsed.status, HeadStatus::done) << fields;
  ReverseFieldList list(parsed.head, "X-Forwarded-For");
  std::string all;
  for (std::string_view one = list.next(); !one.empty(); one = list.next()) {
    all.append(one).append("|");
  }
  EXPECT_EQ(list.next(), "");
  return all;
}

TEST(ReverseFieldList, GivesTheNearestProxysElementFirst) {
  EXPECT_EQ(backwards(""), "");
  EXPECT_EQ(backwards("X-Forwarded-For:\r\n"), "");
  EXPECT_EQ(backwards("X-Forwarded-For: a\r\n"), "a|");
  EXPECT_EQ(backwards("X-Forwarded-For: a, b,c\r\n"), "c|b|a|");
  EXPECT_EQ(backwards("X-Forwarded-For: a, b\r\nx-forwarded-for: c\r\nOther: d\r\n"), "c|b|a|");
  EXPECT_EQ(backwards("X-Forwarded-For: ,, a,\t,\r\nX-Forwarded-For: ,\r\n"), "a|");
}

}  // namespace
}  // namespace squall::http
