// SPDX-License-Identifier: Apache-2.0
#include "http/content_coding.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

constexpr ContentCoding dynamic[] = {ContentCoding::zstd, ContentCoding::br, ContentCoding::gzip,
                                     ContentCoding::identity};

std::string ranked(const AcceptEncoding& accept) {
  std::string text;
  for (const ContentCoding coding : accept.rank(dynamic)) {
    if (!text.empty()) text += ' ';
    text += to_string(coding);
  }
  return text;
}

std::string ranked(std::string_view field) {
  AcceptEncoding accept;
  accept.add(field);
  return ranked(accept);
}

TEST(AcceptEncoding, RanksByWeightThenByTheServersPreference) {  // RFC 9110 §12.5.3
  struct {
    std::string_view field, want;
  } const table[] = {
      {"gzip", "gzip identity"},
      {"GZip, BR", "br gzip identity"},
      {"gzip, deflate, br, zstd", "zstd br gzip identity"},
      {"gzip;q=0.9, br;q=0.8, zstd;q=0.7", "gzip br zstd identity"},
      {"gzip;q=0", "identity"},
      {"gzip;q=0.000", "identity"},
      {"gzip;q=0.001", "gzip identity"},
      {"br;q=0, *", "zstd gzip identity"},
      {"*", "zstd br gzip identity"},
      {"*;q=0", ""},
      {"*;q=0, gzip", "gzip"},
      {"identity;q=0", ""},
      {"gzip, identity;q=0", "gzip"},
      {"identity;q=0.5, *;q=0", "identity"},
      {"identity, gzip;q=0.5", "identity gzip"},
      {"identity;q=0.2, gzip;q=0.5", "gzip identity"},
      {"identity;q=0.001, gzip;q=0.001", "gzip identity"},
      {"x-gzip", "gzip identity"},
      {"gzip ; q=1.000", "gzip identity"},
      {"gzip;Q=0.5, br;q=0.4", "gzip br identity"},
      {"", "identity"},
      {" , ,gzip,", "gzip identity"},
      {"compress, sdch", "identity"},
      {"gzip;q=0, gzip", "gzip identity"},
  };
  for (const auto& row : table) EXPECT_EQ(ranked(row.field), row.want) << row.field;
}

TEST(AcceptEncoding, PassesOverMalformedMembers) {
  for (const std::string_view member :
       {"gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=.5", "gzip;q=", "gzip;q", "gzip;",
        "gzip;q=0,5", "gzip;q=-1", "gzip;level=6", "gzip q=1", "gz ip", "gzip;q= 1",
        "gzip;q=1;x"}) {
    EXPECT_EQ(ranked(std::string(member) + ", br"), "br identity") << member;
  }
}

TEST(AcceptEncoding, IsMadeOfAllFields) {
  const ParsedHead parsed(
      "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\naccept-encoding: br;q=0.5\r\n\r\n");
  ASSERT_EQ(parsed.status, HeadStatus::done);
  EXPECT_EQ(ranked(AcceptEncoding(parsed.head)), "gzip br identity");
}

TEST(AcceptEncoding, WithoutAFieldTakesAllAndWantsIdentity) {
  const AcceptEncoding accept;
  EXPECT_TRUE(accept.accepts(ContentCoding::br));
  EXPECT_EQ(ranked(accept), "identity zstd br gzip");
  EXPECT_EQ(accept.choose(dynamic), ContentCoding::identity);
}

TEST(AcceptEncoding, ChoosesAmongWhatIsThere) {
  AcceptEncoding accept;
  accept.add("br, identity;q=0");
  constexpr ContentCoding siblings[] = {ContentCoding::gzip, ContentCoding::identity};
  EXPECT_FALSE(accept.choose(siblings));
  EXPECT_FALSE(accept.choose({}));
  EXPECT_EQ(accept.choose(dynamic), ContentCoding::br);
}

TEST(ContentCodingNames, AreReadInAnyCase) {
  for (std::size_t i = 0; i < content_coding_count; ++i) {
    const auto coding = static_cast<ContentCoding>(i);
    EXPECT_EQ(content_coding(to_string(coding)), coding);
  }
  EXPECT_EQ(content_coding("X-GZIP"), ContentCoding::gzip);
  EXPECT_FALSE(content_coding("compress"));
  EXPECT_FALSE(content_coding(""));
}

TEST(IsCompressible, KnowsTextInEveryForm) {
  for (const std::string_view type :
       {"text/html", "TEXT/HTML; charset=UTF-8", "text/event-stream", "application/json",
        "application/javascript;charset=utf-8", "application/xml", "image/svg+xml",
        "application/problem+json", "application/atom+xml ; x=y", "application/wasm", "font/ttf",
        "application/x-javascript", "application/manifest+json", "application/x-ndjson"}) {
    EXPECT_TRUE(is_compressible(type)) << type;
  }
  for (const std::string_view type :
       {"image/png", "image/jpeg", "video/mp4", "font/woff2", "application/zip", "", "text",
        "application/octet-stream", "application/epub+zip", "multipart/form-data; a=text/html",
        "application/pdf", "application/jsonp"}) {
    EXPECT_FALSE(is_compressible(type)) << type;
  }
}

}  // namespace
}  // namespace squall::http
