// SPDX-License-Identifier: Apache-2.0
#include "http/host.hpp"

#include <gtest/gtest.h>

namespace squall::http {
namespace {

TEST(Authority, TakesHostsWithAndWithoutPort) {  // RFC 3986 §3.2.2, §3.2.3
  for (const char* text :
       {"a", "localhost", "localhost:8080", "www.example.com", "127.0.0.1:80", "a:", "a:0",
        "a:65535", "a:00080", "my_host-1.test~", "a%20b", "xn--caf-dma.example", "[::]", "[::1]:80",
        "[2001:db8::1]:443", "[v1.a:b]", "[1:2:3:4:5:6:7:8]:", "a!$&'()*+;=b"}) {
    EXPECT_TRUE(is_authority(text)) << text;
  }
}

TEST(Authority, RefusesEverythingElse) {
  for (const char* text :
       {"",        ":",       ":80",       "a:b",          "a:65536", "a:99999999999", "a:8 0",
        "a:80:80", "a,b",     "a b",       " a",           "a/",      "a@b",           "a?b",
        "a#b",     "a\\b",    "a%",        "a%4",          "a%4g",    "a%zz",          "\xc3\xa9",
        "[",       "]",       "[]",        "[::1",         "::1]",    "::1",           "[::1]x",
        "[::1]80", "[::1]:x", "[1.2.3.4]", "[a]",          "[v]",     "[v1]",          "[v1.]",
        "[v.a]",   "[vg.a]",  "[v1.a b]",  "[::1%25eth0]", "[[::1]]", "a[::1]"}) {
    EXPECT_FALSE(is_authority(text)) << text;
  }
}

TEST(Authority, CanRequireAPort) {  // RFC 9112 §3.2.3
  EXPECT_TRUE(is_authority("a:1", PortRule::required));
  EXPECT_TRUE(is_authority("[::1]:1", PortRule::required));
  EXPECT_FALSE(is_authority("a", PortRule::required));
  EXPECT_FALSE(is_authority("a:", PortRule::required));
  EXPECT_FALSE(is_authority("[::1]", PortRule::required));
}

TEST(Ipv6, TakesTheFormsOfTheGrammar) {  // RFC 3986 §3.2.2
  for (const char* text :
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8",
        "fe80::aBcD", "::1.2.3.4", "::ffff:1.2.3.4", "1:2:3:4:5:6:255.255.255.255",
        "1:2:3:4:5::1.2.3.4", "1::3:4:5:6:1.2.3.4"}) {
    EXPECT_TRUE(is_ipv6(text)) << text;
  }
}

TEST(Ipv6, RefusesEverythingElse) {
  for (const char* text : {"",
                           ":",
                           ":::",
                           "1",
                           "1:",
                           ":1",
                           "1:2",
                           "1::2::3",
                           "::1::",
                           "12345::",
                           "g::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1:2:3:4::5:6:7:8",
                           "1.2.3.4",
                           "::1.2.3",
                           "::1.2.3.4.5",
                           "::1.2.3.256",
                           "::1.2.3.04",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "1:2:3:4:5:6::1.2.3.4",
                           "::1 ",
                           "::1%1",
                           "::.1.2.3"}) {
    EXPECT_FALSE(is_ipv6(text)) << text;
  }
}

}  // namespace
}  // namespace squall::http
