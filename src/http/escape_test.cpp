// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/escape.hpp>
#include <squall/httputil.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall {
namespace {

using Texts = std::vector<std::string>;

TEST(Escape, HTMLComesBackAsItWas) {
  const std::string_view text = "<a href=\"x\">Tom & Jerry's</a>";
  EXPECT_EQ(xhtml_escape(text), "&lt;a href=&quot;x&quot;&gt;Tom &amp; Jerry&#x27;s&lt;/a&gt;");
  EXPECT_EQ(xhtml_unescape(xhtml_escape(text)), text);
}

TEST(Escape, ReferencesAreReadAsBrowsersReadThem) {
  EXPECT_EQ(xhtml_unescape("&eacute;&#233;&#xE9;&#XE9"), "\u00e9\u00e9\u00e9\u00e9");
  EXPECT_EQ(xhtml_unescape("&notit; &notin; &amp;amp;"), "\u00acit; \u2209 &amp;");
  EXPECT_EQ(xhtml_unescape("&CounterClockwiseContourIntegral;&fjlig;"), "\u2233fj");
  EXPECT_EQ(xhtml_unescape("&#0;&#xD800;&#x110000;&#99999999999;"), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(xhtml_unescape("&#128;&#x9f;&#x1F600;"), "\u20ac\u0178\U0001F600");
}

TEST(Escape, WhatIsNoReferenceStays) {
  for (const std::string_view text :
       {"&", "&&", "&;", "&#", "&#;", "&#x;", "&nosuch;", "a&b", ""}) {
    EXPECT_EQ(xhtml_unescape(text), text);
  }
}

TEST(Escape, URLsAreEncodedForQueriesAndForPaths) {
  EXPECT_EQ(url_escape("a b/c?\u00e9~"), "a+b%2Fc%3F%C3%A9~");
  EXPECT_EQ(url_escape("a b/c?+", false), "a%20b/c%3F%2B");
  EXPECT_EQ(url_unescape("a+b%2Fc%"), "a b/c%");
  EXPECT_EQ(url_unescape("a+b%2fc", false), "a+b/c");
}

TEST(Escape, SqueezeLeavesSingleSpacesWithin) {
  EXPECT_EQ(squeeze(std::string_view("\t a \n\0 b\r\n", 9)), "a b");
  EXPECT_EQ(squeeze(" \n "), "");
}

TEST(Escape, QueriesBecomeListsByName) {
  const auto found = parse_qs("a=1&b=&a=two+words&%C3%A9=x");
  EXPECT_EQ(found.at("a"), (Texts{"1", "two words"}));
  EXPECT_EQ(found.at("\u00e9"), Texts{"x"});
  EXPECT_FALSE(found.contains("b"));
  EXPECT_EQ(parse_qs("b=&c", true).size(), 2U);
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "a=1&";
  EXPECT_THROW(static_cast<void>(parse_qs(many)), Error);
}

TEST(Linkify, URLsInTextBecomeLinks) {
  EXPECT_EQ(linkify("see http://a.com/x?y=1&z=2, or www.b.org."),
            "see <a href=\"http://a.com/x?y=1&amp;z=2\">http://a.com/x?y=1&amp;z=2</a>, or "
            "<a href=\"http://www.b.org\">www.b.org</a>.");
  EXPECT_EQ(linkify("(http://a.com/b_(c))"),
            "(<a href=\"http://a.com/b_(c)\">http://a.com/b_(c)</a>)");
  EXPECT_EQ(linkify("<http://a.com> \"http://b.com\""),
            "&lt;<a href=\"http://a.com\">http://a.com</a>&gt; &quot;<a "
            "href=\"http://b.com\">http://b.com</a>&quot;");
}

TEST(Linkify, OnlyPermittedSchemesAndWholeWordsAreLinks) {
  for (const std::string_view text :
       {"javascript:alert(1)", "ftp://a.com", "awww.a.com", "http:// www.", "http://", ":/x"}) {
    EXPECT_EQ(linkify(text), xhtml_escape(text));
  }
  EXPECT_EQ(linkify("www.a.com", {.require_protocol = true}), "www.a.com");
  EXPECT_EQ(linkify("ftp://a.com http://a.com", {.permitted_protocols = {"ftp"}}),
            "<a href=\"ftp://a.com\">ftp://a.com</a> http://a.com");
}

TEST(Linkify, ALinkIsDressedAndShortened) {
  EXPECT_EQ(linkify("http://a.com", {.extra_params = " rel=\"nofollow\" "}),
            "<a href=\"http://a.com\" rel=\"nofollow\">http://a.com</a>");
  EXPECT_EQ(linkify("http://a.com", {.extra_params_of =
                                         [](std::string_view href) {
                                           return "data-to=\"" + std::string(href) + "\"";
                                         }}),
            "<a href=\"http://a.com\" data-to=\"http://a.com\">http://a.com</a>");
  EXPECT_EQ(linkify("http://example.com/a-long-segment/and/more.html", {.shorten = true}),
            "<a href=\"http://example.com/a-long-segment/and/more.html\" "
            "title=\"http://example.com/a-long-segment/and/more.html\">"
            "http://example.com/a-long-s...</a>");
  EXPECT_EQ(linkify("http://example.com", {.shorten = true}),
            "<a href=\"http://example.com\">http://example.com</a>");
}

TEST(Linkify, TakesLinearTime) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "(www.";
  EXPECT_GT(linkify(text).size(), text.size() / 2);
  EXPECT_GT(linkify(std::string(1'000'000, ':')).size(), 0U);
  EXPECT_GT(linkify(std::string(1'000'000, '-') + ":/x").size(), 0U);
}

TEST(HTTPUtil, URLsGetMoreArgumentsBeforeTheFragment) {
  using httputil::url_concat;
  EXPECT_EQ(url_concat("http://a.com/p", {{"a", "1"}, {"b", "x y&"}}),
            "http://a.com/p?a=1&b=x+y%26");
  EXPECT_EQ(url_concat("/p?a=1#top", {{"b", "2"}}), "/p?a=1&b=2#top");
  EXPECT_EQ(url_concat("/p?", {{"b", ""}}), "/p?b=");
  EXPECT_EQ(url_concat("/p?a=1&", {{"a", "2"}}), "/p?a=1&a=2");
  EXPECT_EQ(url_concat("/p#x?y", std::vector<std::pair<std::string, std::string>>{}), "/p#x?y");
}

TEST(HTTPUtil, HostsAndPortsAreTakenApart) {
  const auto expect = [](std::string_view authority, std::string_view host, int port) {
    const httputil::HostAndPort got = httputil::split_host_and_port(authority);
    EXPECT_EQ(got.host, host);
    EXPECT_EQ(got.port, port);
  };
  expect("example.com:80", "example.com", 80);
  expect("example.com", "example.com", -1);
  expect("[::1]:8080", "[::1]", 8080);
  expect("[::1]", "[::1]", -1);
  expect("::1", "::1", -1);
  expect("a:65536", "a:65536", -1);
  expect(":80", ":80", -1);
}

TEST(HTTPUtil, DatesAndCookiesAreHTTPs) {
  EXPECT_EQ(httputil::format_timestamp(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  const auto cookies = httputil::parse_cookie("a=1; b=\"x\\073y\"; a=2");
  EXPECT_EQ(cookies.at("a"), "2");
  EXPECT_EQ(cookies.at("b"), "x;y");
  EXPECT_EQ(httputil::reason_phrase(404), "Not Found");
}

}  // namespace
}  // namespace squall
