// SPDX-License-Identifier: Apache-2.0
#include "base/url.hpp"

#include <squall/base/limits.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall {
namespace {

TEST(ParseUrl, TellsTheParts) {
  const auto url = parse_url("WSS://us%40er:p%3Aw@Example.COM:8443/a/b%20c?q=1&r#frag");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "wss");
  EXPECT_TRUE(url->has_user);
  EXPECT_EQ(url->user, "us@er");
  EXPECT_EQ(url->password, "p:w");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/a/b%20c?q=1&r");
  EXPECT_EQ(url->authority(), "example.com:8443");
  EXPECT_EQ(url->text(), "wss://example.com:8443/a/b%20c?q=1&r");  // without the password
}

TEST(ParseUrl, KnowsDefaultPortsAndEmptyPaths) {
  struct {
    std::string_view text;
    std::uint16_t port;
    std::string_view authority;
    std::string_view target;
  } const table[] = {
      {"ws://a", 80, "a", "/"},
      {"http://a:80/", 80, "a", "/"},
      {"wss://a?x", 443, "a", "/?x"},
      {"https://a:/y", 443, "a", "/y"},
      {"ws://a:443", 443, "a:443", "/"},
      {"ws://[2001:DB8::1]:8080/z", 8080, "[2001:db8::1]:8080", "/z"},
      {"ws://[::1]/", 80, "[::1]", "/"},
      {"http://127.0.0.1:3128", 3128, "127.0.0.1:3128", "/"},
      {"socks5://p_1", 1080, "p_1", "/"},
      {"redis://cache:6379/0", 6379, "cache:6379", "/0"},
      {"redis://cache", 0, "cache:0", "/"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.text);
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->port, row.port);
    if (row.port != 0) {
      EXPECT_EQ(url->authority(), row.authority);
    }
    EXPECT_EQ(url->target, row.target);
    EXPECT_FALSE(url->has_user);
  }
}

TEST(ParseUrl, EncodesWhatPeopleWrite) {
  const auto url = parse_url("ws://a/gr\xc3\xbc\xc3\x9f e|x?q={1}");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->target, "/gr%C3%BC%C3%9F%20e%7Cx?q=%7B1%7D");
}

TEST(ParseUrl, RefusesWithTheReason) {
  struct {
    std::string_view text;
    UrlError error;
  } const table[] = {
      {"", UrlError::no_scheme},
      {"example.com/x", UrlError::no_scheme},
      {"//example.com", UrlError::no_scheme},
      {"/path", UrlError::no_scheme},
      {"localhost:8888", UrlError::no_host},
      {"ws:///path", UrlError::no_host},
      {"ws://:80/", UrlError::no_host},
      {"ws://a:0/", UrlError::bad_port},
      {"ws://a:65536/", UrlError::bad_port},
      {"ws://a:8x/", UrlError::malformed},
      {"ws://a%0d%0ab/", UrlError::bad_host},
      {"ws://a b/", UrlError::bad_host},
      {"ws://m\xc3\xbcnchen/", UrlError::bad_host},
      {"ws://a;b/", UrlError::bad_host},
      {"ws://[::1/", UrlError::malformed},
      {"ws://[v1.x]/", UrlError::bad_host},
      {"ws://a/%zz", UrlError::malformed},
      {"ws://a/\r\nX: y", UrlError::malformed},
      {"ws://a/\x7f", UrlError::malformed},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.text);
    const auto url = parse_url(row.text);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error(), row.error) << url.error().message();
  }
  const std::string longest = "ws://a/" + std::string(limits::url_bytes - 7, 'x');
  EXPECT_TRUE(parse_url(longest));
  EXPECT_EQ(parse_url(longest + "x").error(), UrlError::too_long);
}

TEST(ResolveUrl, FollowsTheReference) {  // RFC 3986 §5.4
  const auto base = parse_url("http://user:pw@a:81/b/c/d?q");
  ASSERT_TRUE(base);
  struct {
    std::string_view reference;
    std::string_view result;
  } const table[] = {
      {"wss://other/x", "wss://other/x"}, {"//other:8080", "http://other:8080/"},
      {"/top?y", "http://a:81/top?y"},    {"g", "http://a:81/b/c/g"},
      {"../g", "http://a:81/b/g"},        {"../../../g", "http://a:81/g"},
      {"?y", "http://a:81/b/c/d?y"},      {"#s", "http://a:81/b/c/d?q"},
      {"", "http://a:81/b/c/d?q"},        {"gr\xc3\xbc n", "http://a:81/b/c/gr%C3%BC%20n"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.reference);
    const auto url = resolve_url(*base, row.reference);
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->text(), row.result);
    EXPECT_FALSE(url->has_user);
  }
  EXPECT_EQ(resolve_url(*base, "http://a\r\nb/").error(), UrlError::malformed);
  EXPECT_EQ(resolve_url(*base, "mailto:me@example.com").error(), UrlError::no_host);
}

}  // namespace
}  // namespace squall
