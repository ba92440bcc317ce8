// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include "http/multipart_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=XX";

/// The same outcome wherever it is cut, and cut into single bytes and small pieces.
void expect_at_every_cut(std::string_view content_type, std::string_view body,
                         std::string_view want) {
  SCOPED_TRACE(body);
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    ASSERT_EQ(parse_multipart(content_type, body, cut, body.size() + 1), want) << cut;
  }
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 7U, 13U}) {
    ASSERT_EQ(parse_multipart(content_type, body, piece, piece), want) << piece;
  }
}

TEST(MultipartParser, TakesABodyApartAtEveryCut) {  // RFC 2046 §5.1.1
  struct {
    std::string_view body, want;
  } const table[] = {
      {"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--XX--\r\n",
       "[a||]value;done"},
      {"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--XX--",
       "[a||]value;done"},
      {"--XX\r\ncontent-disposition:form-data;name=a;filename=\"f.txt\"\r\n"
       "CONTENT-TYPE: text/plain\r\n\r\n1\r\n2\r\n\r\n--XX\r\n"
       "Content-Disposition: form-data; name=b\r\n\r\n3\r\n--XX--\r\n",
       "[a|f.txt|text/plain]1\r\n2\r\n;[b||]3;done"},
      // Preamble, epilogue, transport padding.
      {"hello\r\n--X\r\n\r\n--XX \t \r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n"
       "--XX-- \r\n\r\nthe rest\r\n--XX\r\n",
       "[a||]v;done"},
      // Data that looks like the delimiter for a while.
      {"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--X\r\n-\r\r\n\r\r\n--X-XX\r\n"
       "--XX--",
       "[a||]\r\n--X\r\n-\r\r\n\r\r\n--X-XX;done"},
      {"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--X--XX\n--XX\n\r\n--XX--",
       "[a||]--X--XX\n--XX\n;done"},
      // Empty data, with its own line end and without.
      {"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--", "[a||];done"},
      {"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--", "[a||];done"},
      {"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n\r\n--XX--", "[a||]\r\n;done"},
      // No part at all: what browsers send for an empty form.
      {"--XX--\r\n", "done"},
      {"\r\n--XX--", "done"},
  };
  for (const auto& row : table) expect_at_every_cut(type, row.body, row.want);
}

TEST(MultipartParser, KnowsTheBoundaryHoweverItIsWritten) {
  const std::string body =
      "--a'()+_,-./:=? b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--a'()+_,-./:=? b--";
  expect_at_every_cut("Multipart/Form-Data ; charset=utf-8; Boundary=\"a'()+_,-./:=? b\"", body,
                      "[x||]1;done");
  EXPECT_EQ(parse_multipart("multipart/form-data; boundary=a=b/c:d; x=y", "--a=b/c:d--", 99, 1),
            "done");
  const std::string longest(70, 'b');
  EXPECT_EQ(
      parse_multipart("multipart/form-data; boundary=" + longest, "--" + longest + "--", 1, 1),
      "done");
}

TEST(MultipartParser, RefusesAContentTypeWithoutALegalBoundary) {
  const std::string too_long(71, 'b');
  for (const std::string_view content_type :
       {std::string_view("multipart/form-data"), std::string_view("multipart/form-data; boundary="),
        std::string_view("multipart/form-data; boundary=\"\""),
        std::string_view("multipart/form-data; boundary=\"a"),
        std::string_view("multipart/form-data; boundary=a; boundary=b"),
        std::string_view("multipart/form-data; boundary=\"a \""),
        std::string_view("multipart/form-data; boundary=a{b"),
        std::string_view("multipart/form-data; boundary=\"a\rb\""),
        std::string_view("multipart/mixed; boundary=a"), std::string_view("text/plain; boundary=a"),
        std::string_view("")}) {
    const auto parser = MultipartParser::create(content_type);
    EXPECT_EQ(parser.error(), make_error_code(MultipartError::bad_boundary)) << content_type;
  }
  EXPECT_FALSE(MultipartParser::create("multipart/form-data; boundary=" + too_long));
  EXPECT_TRUE(is_multipart_form("multipart/form-data;boundary=x"));
  EXPECT_FALSE(is_multipart_form("multipart/form-data-x; boundary=x"));
}

TEST(MultipartParser, GivesDataWhereItLies) {
  Result<MultipartParser> parser = MultipartParser::create(type);
  ASSERT_TRUE(parser);
  const std::string body = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n" +
                           std::string(100'000, 'x') + "\r\n--XX--";
  std::string_view rest = body;
  std::size_t pieces = 0;
  for (;;) {
    const auto step = parser->next(rest);
    ASSERT_TRUE(step);
    if (step->event == MultipartParser::Event::done) break;
    if (step->event == MultipartParser::Event::data) {
      ++pieces;
      EXPECT_GE(step->data.data(), body.data());
      EXPECT_LE(step->data.data() + step->data.size(), body.data() + body.size());
    }
    rest.remove_prefix(step->consumed);
  }
  EXPECT_EQ(pieces, 1U);
}

// Quadratic work on any of these would take minutes.
TEST(MultipartParser, TakesLinearTimeForTheWorstThatItCanGet) {
  const std::string long_boundary(70, '-');
  const std::string content_type = "multipart/form-data; boundary=" + long_boundary;
  const std::string head =
      "--" + long_boundary + "\r\nContent-Disposition: form-data; name=a\r\n\r\n";
  const std::string end = "\r\n--" + long_boundary + "--";
  std::string nearly;
  while (nearly.size() < 4'000'000) nearly += "\r\n--" + long_boundary.substr(1);
  for (const std::string& data :
       {std::string(4'000'000, '\r'), std::string(4'000'000, '-'), nearly}) {
    const std::string body = head + "x" + data + end;
    for (const std::size_t piece : {std::size_t{1}, std::size_t{71}, body.size()}) {
      EXPECT_EQ(parse_multipart(content_type, body, piece, piece).size(), data.size() + 11);
    }
  }
}

}  // namespace
}  // namespace squall::http
