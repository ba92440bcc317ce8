// SPDX-License-Identifier: Apache-2.0
#include <squall/http/method.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

TEST(Method, NamesAndValuesCorrespond) {  // RFC 9110 §9.3, RFC 5789
  for (unsigned index = 0; index < method_count; ++index) {
    const auto method = static_cast<Method>(index);
    EXPECT_NE(to_string(method), "");
    EXPECT_EQ(parse_method(to_string(method)), method) << to_string(method);
  }
  EXPECT_EQ(to_string(Method::delete_), "DELETE");
  EXPECT_EQ(to_string(Method::unknown), "");
}

TEST(Method, IsCaseSensitiveAndExact) {  // RFC 9110 §9.1
  for (const char* name : {"", "G", "get", "Get", "GOT", "PUS", "HEAT", "POSS", "PATCHY", "TRACK",
                           "DELETF", "CONNECX", "OPTIONZ", "GET ", "PROPFIND"}) {
    EXPECT_EQ(parse_method(name), Method::unknown) << name;
  }
}

}  // namespace
}  // namespace squall::http
