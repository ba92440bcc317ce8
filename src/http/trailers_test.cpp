// SPDX-License-Identifier: Apache-2.0
#include "http/trailers.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

Trailers of(std::initializer_list<std::string_view> lines) {
  Trailers trailers;
  for (const std::string_view line : lines) {
    trailers.append(line);
    trailers.end_line();
  }
  return trailers;
}

std::string text_of(const Trailers& trailers) {
  std::string text;
  for (const auto& [name, value] : trailers) {
    text.append(name).append("=").append(value).append("|");
  }
  return text;
}

TEST(Trailers, AreEmptyAtFirst) {
  const Trailers trailers;
  EXPECT_TRUE(trailers.empty());
  EXPECT_EQ(text_of(trailers), "");
  EXPECT_EQ(trailers.field("A"), "");
}

TEST(Trailers, GiveNamesAndValuesInOrder) {
  const Trailers trailers = of({"Digest: sha=1", "a:", "B:\t x:y \t", "a:second"});
  EXPECT_FALSE(trailers.empty());
  EXPECT_EQ(text_of(trailers), "Digest=sha=1|a=|B=x:y|a=second|");
  EXPECT_EQ(trailers.field("dIGEST"), "sha=1");
  EXPECT_EQ(trailers.field("A"), "");
  EXPECT_EQ(trailers.field("b"), "x:y");
  EXPECT_EQ(trailers.field("c"), "");
}

TEST(Trailers, ShowOnlyLinesThatHaveEnded) {
  Trailers trailers = of({"a:1"});
  trailers.append("b:");
  EXPECT_EQ(text_of(trailers), "a=1|");
  trailers.append("2");
  trailers.end_line();
  EXPECT_EQ(text_of(trailers), "a=1|b=2|");
}

TEST(Trailers, SurviveBeingMoved) {
  Trailers from = of({"a:1"});  // so short that it lies within the object
  const Trailers to = std::move(from);
  EXPECT_EQ(text_of(to), "a=1|");
}

TEST(Trailers, DropFieldsThatMustStandInTheHead) {  // RFC 9110 §6.5.1
  const Trailers trailers = of({"Content-Length: 5", "X: kept", "transfer-encoding: chunked",
                                "HOST: evil", "Authorization: x", "Y: kept too", "Cookie: a=b"});
  EXPECT_EQ(text_of(trailers), "X=kept|Y=kept too|");
}

TEST(IsTrailerAllowed, KnowsWhatMayNotComeLate) {  // RFC 9110 §6.5.1
  for (const std::string_view name : {"Connection",
                                      "Keep-Alive",
                                      "TE",
                                      "Trailer",
                                      "Transfer-Encoding",
                                      "Upgrade",
                                      "Content-Type",
                                      "content-length",
                                      "Content-Encoding",
                                      "Content-Range",
                                      "Content-Anything",
                                      "Host",
                                      "Forwarded",
                                      "X-Forwarded-For",
                                      "X-Real-IP",
                                      "Via",
                                      "Max-Forwards",
                                      "Origin",
                                      "Authorization",
                                      "Proxy-Authorization",
                                      "WWW-Authenticate",
                                      "Cookie",
                                      "Set-Cookie",
                                      "If-Match",
                                      "if-none-match",
                                      "Range",
                                      "Expect",
                                      "Cache-Control",
                                      "Pragma",
                                      "Sec-WebSocket-Key"}) {
    EXPECT_FALSE(is_trailer_allowed(name)) << name;
  }
  for (const std::string_view name :
       {"Digest", "Content-Digest", "Repr-Digest", "Server-Timing", "ETag", "grpc-status",
        "X-Checksum", "Hostess", "If", "Iffy"}) {
    EXPECT_TRUE(is_trailer_allowed(name)) << name;
  }
}

}  // namespace
}  // namespace squall::http
