// SPDX-License-Identifier: Apache-2.0
#include "testing/cookie_jar.hpp"

#include <gtest/gtest.h>

namespace squall::testing {
namespace {

TEST(CookieJar, SendsWhatWasSetLast) {
  CookieJar jar;
  EXPECT_EQ(jar.field(), "");
  jar.take("b=2; Path=/; HttpOnly");
  jar.take("a = one ;Max-Age=60");
  jar.take("b=3");
  EXPECT_EQ(jar.field(), "a=one; b=3");
  EXPECT_EQ(jar.value("b"), "3");
  EXPECT_EQ(jar.value("c"), "");
}

TEST(CookieJar, ForgetsWhatIsOver) {
  CookieJar jar;
  for (const char* const over :
       {"a=; Max-Age=0", "a=x; max-age=-1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "a=; expires=Fri, 31 Dec 2100 00:00:00 GMT; Max-Age=0"}) {
    jar.take("a=1");
    jar.take(over);
    EXPECT_EQ(jar.field(), "") << over;
  }
  jar.take("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60");
  jar.take("b=2; Expires=whenever; Max-Age=soon");
  EXPECT_EQ(jar.field(), "a=1; b=2");
}

TEST(CookieJar, UnquotesValues) {
  CookieJar jar;
  jar.take("a=\"x\\073y\"; Path=/");
  EXPECT_EQ(jar.value("a"), "x;y");
  EXPECT_EQ(jar.field(), "a=\"x\\073y\"");
}

}  // namespace
}  // namespace squall::testing
