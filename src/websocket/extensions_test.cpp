// SPDX-License-Identifier: Apache-2.0
#include "websocket/extensions.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace squall::websocket {
namespace {

// "name; parameter=value; flag, other", or "malformed" at the end of what was read before it.
std::string read(std::string_view text) {
  ExtensionReader reader(text);
  std::string all;
  while (reader.next_extension()) {
    if (!all.empty()) all += ", ";
    all += reader.extension;
    while (reader.next_parameter()) {
      all.append("; ").append(reader.name);
      if (reader.has_value) all.append("=").append(reader.value);
    }
  }
  return reader.is_malformed() ? "malformed" : all;
}

TEST(ExtensionReader, ReadsExtensionsInOrder) {  // RFC 6455 §9.1
  EXPECT_EQ(read("foo"), "foo");
  EXPECT_EQ(read("foo, bar; baz=2"), "foo, bar; baz=2");
  EXPECT_EQ(read("deflate-stream"), "deflate-stream");
  EXPECT_EQ(read("mux; max-channels=4; flow-control, deflate-stream"),
            "mux; max-channels=4; flow-control, deflate-stream");
  EXPECT_EQ(read("private-extension"), "private-extension");
  EXPECT_EQ(read("permessage-deflate; client_max_window_bits"),
            "permessage-deflate; client_max_window_bits");
}

TEST(ExtensionReader, TakesWhiteSpaceAroundSeparatorsAndEmptyElements) {
  EXPECT_EQ(read(" a ;\tb = 1 ; c ,\td"), "a; b=1; c, d");
  EXPECT_EQ(read(",, a,,b ,"), "a, b");
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read(" , "), "");
}

TEST(ExtensionReader, TakesQuotesAwayFromTokens) {  // RFC 6455 §9.1
  EXPECT_EQ(read(R"(a; b="1")"), "a; b=1");
  EXPECT_EQ(read(R"(a; b="1" ; c="\x\y", d)"), "a; b=1; c=xy, d");
  EXPECT_EQ(read(R"(a; b="")"), "malformed");
  EXPECT_EQ(read(R"(a; b="1 2")"), "malformed");
  EXPECT_EQ(read(R"(a; b="1,2")"), "malformed");
  EXPECT_EQ(read(R"(a; b="1)"), "malformed");
  EXPECT_EQ(read(R"(a; b="1\)"), "malformed");
  EXPECT_EQ(read(R"(a; b="1\")"), "malformed");
  EXPECT_EQ(read(R"(a; b="1"2)"), "malformed");
  EXPECT_EQ(read(R"("a"; b)"), "malformed");
}

TEST(ExtensionReader, RefusesWhatIsNotInTheGrammar) {
  for (const std::string_view text :
       {";", "a;", "a; ;b", "a; =1", "a; b=", "a; b=,c", "a b", "a; b c", "a; b=1 2", "a/b",
        "a; b:1", "a, ;b", "a=1", "a; b==1", "a; \x01", "\xC3\xA4", "a; b=\xC3\xA4", "a\r\n"}) {
    EXPECT_EQ(read(text), "malformed") << text;
  }
}

TEST(ExtensionReader, SkipsParametersThatWereNotAskedFor) {
  ExtensionReader reader("a; b=1; c, d; e=\"f\"");
  ASSERT_TRUE(reader.next_extension());
  ASSERT_TRUE(reader.next_extension());
  EXPECT_EQ(reader.extension, "d");
  EXPECT_FALSE(reader.next_extension());
  EXPECT_FALSE(reader.is_malformed());
  ExtensionReader bad("a; b=; c, d");
  ASSERT_TRUE(bad.next_extension());
  EXPECT_FALSE(bad.next_extension());
  EXPECT_TRUE(bad.is_malformed());
  EXPECT_FALSE(bad.next_parameter());
}

}  // namespace
}  // namespace squall::websocket
