// SPDX-License-Identifier: Apache-2.0
#include "http/html.hpp"

#include <gtest/gtest.h>

namespace squall::http {
namespace {

TEST(EscapeHtml, ReplacesTheFiveCharacters) {
  EXPECT_EQ(escape_html(""), "");
  EXPECT_EQ(escape_html("plain \xc3\xa9"), "plain \xc3\xa9");
  EXPECT_EQ(escape_html("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;&#x27;&lt;/a&gt;");
  EXPECT_EQ(escape_html("&amp;"), "&amp;amp;");
  EXPECT_EQ(escape_html("a<"), "a&lt;");
}

}  // namespace
}  // namespace squall::http
