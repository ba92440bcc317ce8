// SPDX-License-Identifier: Apache-2.0
#include "http/set_cookie.hpp"

#include "http/cookie.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace squall::http {
namespace {

using namespace std::string_view_literals;

TEST(SetCookie, IsWrittenWithItsAttributes) {  // RFC 6265 §4.1.1
  EXPECT_EQ(*serialize({.name = "a", .value = "b"}), "a=b; Path=/");
  EXPECT_EQ(*serialize({.name = "a"}), "a=; Path=/");
  EXPECT_EQ(*serialize({.name = "a", .value = "b", .path = ""}), "a=b");
  EXPECT_EQ(*serialize({.name = "a",
                        .value = "b",
                        .domain = "example.com",
                        .path = "/x",
                        .expires = 784'111'777,
                        .max_age = 60,
                        .secure = true,
                        .httponly = true,
                        .partitioned = true,
                        .samesite = "LAX"}),
            "a=b; Domain=example.com; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=60; Path=/x; "
            "Secure; HttpOnly; SameSite=Lax; Partitioned");
}

TEST(SetCookie, SendsAMaxAgeOfZero) {
  EXPECT_EQ(*serialize({.name = "a", .max_age = 0}), "a=; Max-Age=0; Path=/");
  EXPECT_EQ(*serialize({.name = "a", .max_age = -1}), "a=; Max-Age=-1; Path=/");
}

TEST(SetCookie, QuotesWhatIsNoCookieOctet) {
  EXPECT_EQ(*serialize({.name = "a", .value = "2|1:0|dg==|/x", .path = ""}), "a=2|1:0|dg==|/x");
  EXPECT_EQ(*serialize({.name = "a", .value = "b;c,d", .path = ""}), R"(a="b\073c\054d")");
  EXPECT_EQ(*serialize({.name = "a", .value = "\"\\", .path = ""}), R"(a="\"\\")");
  EXPECT_EQ(*serialize({.name = "a", .value = "\xc3\xa9\x7f", .path = ""}), R"(a="\303\251\177")");
}

TEST(SetCookie, IsReadBackAsItWas) {
  for (int code = 0x21; code < 256; ++code) {
    const std::string value = {'x', static_cast<char>(code), '7', '"'};
    const auto field = serialize({.name = "a", .value = value, .path = ""});
    ASSERT_TRUE(field) << code;
    const auto raw = find_cookie(*field, "a");
    ASSERT_TRUE(raw);
    EXPECT_EQ(unquote_cookie(*raw), value) << code;
  }
}

TEST(SetCookie, RefusesWhatWouldSayMoreThanItShould) {
  for (const std::string_view name :
       {""sv, "a b"sv, "a=b"sv, "a;b"sv, "a\n"sv, "a\0"sv, "\xc3\xa9"sv}) {
    EXPECT_EQ(serialize({.name = name}).error(), CookieError::bad_name) << name;
  }
  for (int code = 0; code <= 0x20; ++code) {
    const std::string value = {'x', static_cast<char>(code)};
    EXPECT_EQ(serialize({.name = "a", .value = value}).error(), CookieError::bad_value);
    EXPECT_EQ(serialize({.name = "a", .domain = value}).error(), CookieError::bad_attribute);
    EXPECT_EQ(serialize({.name = "a", .path = value}).error(), CookieError::bad_attribute);
  }
  EXPECT_EQ(serialize({.name = "a", .path = "/; Domain=b"}).error(), CookieError::bad_attribute);
  EXPECT_EQ(serialize({.name = "a", .domain = "b;"}).error(), CookieError::bad_attribute);
  EXPECT_EQ(serialize({.name = "a", .domain = "b\x7f"}).error(), CookieError::bad_attribute);
  EXPECT_EQ(serialize({.name = "a", .samesite = "laxx"}).error(), CookieError::bad_samesite);
  EXPECT_EQ(serialize({.name = "a", .samesite = "Lax; Secure"}).error(), CookieError::bad_samesite);
}

TEST(SetCookie, KeepsThePromisesOfItsNamesPrefix) {  // RFC 6265bis §4.1.3
  for (const std::string_view name : {"__Secure-a"sv, "__SECURE-a"sv}) {
    EXPECT_TRUE(has_secure_prefix(name));
    EXPECT_EQ(serialize({.name = name}).error(), CookieError::bad_secure_prefix);
    EXPECT_TRUE(serialize({.name = name, .domain = "a.b", .path = "/x", .secure = true}));
  }
  for (const std::string_view name : {"__Host-a"sv, "__host-a"sv}) {
    EXPECT_TRUE(has_secure_prefix(name));
    EXPECT_EQ(serialize({.name = name}).error(), CookieError::bad_host_prefix);
    EXPECT_EQ(serialize({.name = name, .path = "/x", .secure = true}).error(),
              CookieError::bad_host_prefix);
    EXPECT_EQ(serialize({.name = name, .path = "", .secure = true}).error(),
              CookieError::bad_host_prefix);
    EXPECT_EQ(serialize({.name = name, .domain = "a.b", .secure = true}).error(),
              CookieError::bad_host_prefix);
    EXPECT_TRUE(serialize({.name = name, .secure = true}));
  }
  EXPECT_FALSE(has_secure_prefix("__Hos"));
  EXPECT_TRUE(serialize({.name = "_Host-a"}));
}

TEST(CookieError, HasATextEach) {
  std::set<std::string> texts;
  for (const CookieError error :
       {CookieError::bad_name, CookieError::bad_value, CookieError::bad_attribute,
        CookieError::bad_samesite, CookieError::bad_secure_prefix, CookieError::bad_host_prefix}) {
    texts.insert(make_error_code(error).message());
  }
  EXPECT_EQ(texts.size(), 6u);
}

}  // namespace
}  // namespace squall::http
