// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"
#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <string>
#include <string_view>

namespace squall::http {
namespace {

using namespace std::string_view_literals;
using enum HeadError;

struct Malformed {
  std::string_view bytes;
  HeadError error;
};

// What a request line and nothing else is wrong with.
constexpr Malformed lines[] = {
    // RFC 9112 §3: method SP target SP version, nothing else
    {" GET / HTTP/1.1\r\n"sv, bad_request_line},
    {"\tGET / HTTP/1.1\r\n"sv, bad_request_line},
    {"GET\r\n"sv, bad_request_line},
    {"GET \r\n"sv, bad_request_line},
    {"GET /\r\n"sv, bad_request_line},
    {"GET / \r\n"sv, bad_request_line},
    {"GET  / HTTP/1.1\r\n"sv, bad_request_line},
    {"GET /  HTTP/1.1\r\n"sv, bad_request_line},
    {"GET\t/ HTTP/1.1\r\n"sv, bad_request_line},
    {"GET / HTTP/1.1 \r\n"sv, bad_request_line},
    {"GET / HTTP/1.1\t\r\n"sv, bad_request_line},
    {"GET / x HTTP/1.1\r\n"sv, bad_request_line},
    {"GET  HTTP/1.1\r\n"sv, bad_request_line},
    {"GET HTTP/1.1\r\n"sv, bad_request_line},
    {"/ HTTP/1.1\r\n"sv, bad_request_line},
    {"\r\n\r\nGET / HTTP/1.1\r\n"sv, bad_request_line},
    {"\r\n GET / HTTP/1.1\r\n"sv, bad_request_line},
    {"G=T / HTTP/1.1\r\n"sv, bad_request_line},
    {"GET: / HTTP/1.1\r\n"sv, bad_request_line},
    {"\"GET\" / HTTP/1.1\r\n"sv, bad_request_line},
    {"(GET) / HTTP/1.1\r\n"sv, bad_request_line},
    {"GE\0T / HTTP/1.1\r\n"sv, bad_request_line},
    {"GE\x7fT / HTTP/1.1\r\n"sv, bad_request_line},
    {"G\xc3\x89T / HTTP/1.1\r\n"sv, bad_request_line},
    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv, bad_request_line},
    {"123456789012345678901234567890123 / HTTP/1.1\r\n"sv, bad_request_line},
    {"GET / HTTP\r\n"sv, bad_request_line},
    {"GET / HTTP/\r\n"sv, bad_request_line},
    {"GET / HTTP/1\r\n"sv, bad_request_line},
    {"GET / HTTP/1.\r\n"sv, bad_request_line},
    {"GET / HTTP/.1\r\n"sv, bad_request_line},
    {"GET / HTTP/1.10\r\n"sv, bad_request_line},
    {"GET / HTTP/01.1\r\n"sv, bad_request_line},
    {"GET / HTTP/1,1\r\n"sv, bad_request_line},
    {"GET / HTTP-1.1\r\n"sv, bad_request_line},
    {"GET / http/1.1\r\n"sv, bad_request_line},
    {"GET / HTTPS/1.1\r\n"sv, bad_request_line},
    {"GET / ICY/1.0\r\n"sv, bad_request_line},
    {"GET / HTTP/x.1\r\n"sv, bad_request_line},
    {"GET / HTTP/1.x\r\n"sv, bad_request_line},
    {"GET / HTTP/+1.1\r\n"sv, bad_request_line},
    {"GET / HTTP/1.1\0\r\n"sv, bad_request_line},
    // RFC 9110 §15.6.6
    {"GET / HTTP/0.9\r\n"sv, unsupported_version},
    {"GET / HTTP/2.0\r\n"sv, unsupported_version},
    {"GET / HTTP/3.0\r\n"sv, unsupported_version},
    {"GET / HTTP/9.9\r\n"sv, unsupported_version},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, unsupported_version},
    // RFC 9112 §2.2: a bare LF or CR is not a line ending
    {"\nGET / HTTP/1.1\r\n"sv, bad_line_ending},
    {"\rGET / HTTP/1.1\r\n"sv, bad_line_ending},
    {"\r\n\nGET / HTTP/1.1\r\n"sv, bad_line_ending},
    {"\r\n\rGET / HTTP/1.1\r\n"sv, bad_line_ending},
    {"GET\n/ HTTP/1.1\r\n"sv, bad_line_ending},
    {"G\rET / HTTP/1.1\r\n"sv, bad_line_ending},
    {"GET /\n"sv, bad_line_ending},
    {"GET /a\nb HTTP/1.1\r\n"sv, bad_line_ending},
    {"GET /a\rb HTTP/1.1\r\n"sv, bad_line_ending},
    {"GET / HTTP/1.1\n"sv, bad_line_ending},
    {"GET / HTTP/1.1\nHost: a\r\n"sv, bad_line_ending},
    {"GET / HTTP/1.1\rHost: a\r\n"sv, bad_line_ending},
    {"GET / HTTP/1.1\r\r\n"sv, bad_line_ending},
    {"GET / HT\nTP/1.1\r\n"sv, bad_line_ending},
    {"GET / HT\rTP/1.1\r\n"sv, bad_line_ending},
    // RFC 9112 §3.2
    {"GET a HTTP/1.1\r\n"sv, bad_target},
    {"GET a/b HTTP/1.1\r\n"sv, bad_target},
    {"GET ?a HTTP/1.1\r\n"sv, bad_target},
    {"GET * HTTP/1.1\r\n"sv, bad_target},
    {"OPTIONS ** HTTP/1.1\r\n"sv, bad_target},
    {"OPTIONS *?a HTTP/1.1\r\n"sv, bad_target},
    {"GET host:80 HTTP/1.1\r\n"sv, bad_target},
    {"CONNECT / HTTP/1.1\r\n"sv, bad_target},
    {"CONNECT host HTTP/1.1\r\n"sv, bad_target},
    {"CONNECT host: HTTP/1.1\r\n"sv, bad_target},
    {"CONNECT :80 HTTP/1.1\r\n"sv, bad_target},
    {"CONNECT host:80/ HTTP/1.1\r\n"sv, bad_target},
    {"CONNECT host:80?q HTTP/1.1\r\n"sv, bad_target},
    {"CONNECT http://host:80 HTTP/1.1\r\n"sv, bad_target},
    {"GET /a#b HTTP/1.1\r\n"sv, bad_target},
    {"GET /a\tb HTTP/1.1\r\n"sv, bad_target},
    {"GET /a\0b HTTP/1.1\r\n"sv, bad_target},
    {"GET /a\x7f HTTP/1.1\r\n"sv, bad_target},
    {"GET /a\x1b[m HTTP/1.1\r\n"sv, bad_target},
    {"GET /% HTTP/1.1\r\n"sv, bad_target},
    {"GET /%4 HTTP/1.1\r\n"sv, bad_target},
    {"GET /%4g HTTP/1.1\r\n"sv, bad_target},
    {"GET /%g4 HTTP/1.1\r\n"sv, bad_target},
    {"GET /%%41 HTTP/1.1\r\n"sv, bad_target},
    {"GET /?%u0041 HTTP/1.1\r\n"sv, bad_target},
    {"GET http: HTTP/1.1\r\n"sv, bad_target},
    {"GET http:/a HTTP/1.1\r\n"sv, bad_target},
    {"GET http:// HTTP/1.1\r\n"sv, bad_target},
    {"GET http:///a HTTP/1.1\r\n"sv, bad_target},
    {"GET http://?a HTTP/1.1\r\n"sv, bad_target},
    {"GET https:///a HTTP/1.1\r\n"sv, bad_target},
    {"GET ftp://host/ HTTP/1.1\r\n"sv, bad_target},
    {"GET ws://host/ HTTP/1.1\r\n"sv, bad_target},
    {"GET http://user@host/ HTTP/1.1\r\n"sv, bad_target},
    {"GET http://user:pw@host/ HTTP/1.1\r\n"sv, bad_target},
    {"GET http://host:99999/ HTTP/1.1\r\n"sv, bad_target},
    {"GET http://ho\\st/ HTTP/1.1\r\n"sv, bad_target},
    {"GET http://[::1/ HTTP/1.1\r\n"sv, bad_target},
};

// What comes after a good request line of HTTP/1.1.
constexpr Malformed fields[] = {
    // RFC 9112 §3.2
    {"\r\n"sv, bad_host},
    {"X: y\r\n\r\n"sv, bad_host},
    {"Host:\r\n\r\n"sv, bad_host},
    {"Host: \r\n\r\n"sv, bad_host},
    {"Host: a\r\nHost: a\r\n\r\n"sv, bad_host},
    {"Host: a\r\nX: y\r\nhOST: b\r\n\r\n"sv, bad_host},
    {"Host: a, b\r\n\r\n"sv, bad_host},
    {"Host: a,b\r\n\r\n"sv, bad_host},
    {"Host: a b\r\n\r\n"sv, bad_host},
    {"Host: a/b\r\n\r\n"sv, bad_host},
    {"Host: http://a\r\n\r\n"sv, bad_host},
    {"Host: user@a\r\n\r\n"sv, bad_host},
    {"Host: a?b\r\n\r\n"sv, bad_host},
    {"Host: a#b\r\n\r\n"sv, bad_host},
    {"Host: a\\b\r\n\r\n"sv, bad_host},
    {"Host: <a>\r\n\r\n"sv, bad_host},
    {"Host: caf\xc3\xa9\r\n\r\n"sv, bad_host},
    {"Host: :80\r\n\r\n"sv, bad_host},
    {"Host: a:b\r\n\r\n"sv, bad_host},
    {"Host: a:-1\r\n\r\n"sv, bad_host},
    {"Host: a:65536\r\n\r\n"sv, bad_host},
    {"Host: a:80:80\r\n\r\n"sv, bad_host},
    {"Host: ::1\r\n\r\n"sv, bad_host},
    {"Host: [::1\r\n\r\n"sv, bad_host},
    {"Host: []\r\n\r\n"sv, bad_host},
    {"Host: [::1]a\r\n\r\n"sv, bad_host},
    {"Host: a%4\r\n\r\n"sv, bad_host},
    // RFC 9112 §5.1
    {"Host : a\r\n\r\n"sv, bad_field_name},
    {"Host\t: a\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nContent-Length : 5\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nTransfer-Encoding : chunked\r\n\r\n"sv, bad_field_name},
    {": a\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\n:\r\n\r\n"sv, bad_field_name},
    {"Host\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB C: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB(C): d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\n\"B\": d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB@C: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB/C: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB[]: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\n{B}: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB=C\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB\0: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB\x7f: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB\xc3\xa9: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nB\x0b: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\n\0B: d\r\n\r\n"sv, bad_field_name},
    {"Host: a\r\nGET / HTTP/1.1\r\n\r\n"sv, bad_field_name},
    // RFC 9110 §5.5
    {"Host: a\r\nB: \0\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\0d\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\x01\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\x08\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\x0b\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\x0c\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\x1b[31m\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\x1f\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: c\x7f\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: 0123456789abcdefghijklmnopq\x7f\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nB: 0123456789abcdefghijklmnopq\x01rstuvwxyz\r\n\r\n"sv, bad_field_value},
    {"Host: a\r\nTransfer-Encoding: \x0b"
     "chunked\r\n\r\n"sv,
     bad_field_value},
    // RFC 9112 §5.2
    {" Host: a\r\n\r\n"sv, obsolete_folding},
    {"\tHost: a\r\n\r\n"sv, obsolete_folding},
    {"Host: a\r\n b\r\n\r\n"sv, obsolete_folding},
    {"Host: a\r\n\tb\r\n\r\n"sv, obsolete_folding},
    {"Host: a\r\nB: c\r\n \r\n\r\n"sv, obsolete_folding},
    {"Host: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"sv, obsolete_folding},
    // RFC 9112 §2.2
    {"\n"sv, bad_line_ending},
    {"\rX"sv, bad_line_ending},
    {"Host: a\n\r\n"sv, bad_line_ending},
    {"Host: a\n\n"sv, bad_line_ending},
    {"Host: a\r\n\n"sv, bad_line_ending},
    {"Host: a\r\n\r\r\n"sv, bad_line_ending},
    {"Host: a\r\r\n\r\n"sv, bad_line_ending},
    {"Host: a\rB: c\r\n\r\n"sv, bad_line_ending},
    {"Host: a\r\nB: c\rd\r\n\r\n"sv, bad_line_ending},
    {"Host: a\r\nB: c\nd: e\r\n\r\n"sv, bad_line_ending},
    {"Host: a\r\nB\n: c\r\n\r\n"sv, bad_line_ending},
    {"Host: a\r\nB\r: c\r\n\r\n"sv, bad_line_ending},
    {"Host: a\r\nB:\rc\r\n\r\n"sv, bad_line_ending},
    {"Host: a\r\nB:\n\r\n"sv, bad_line_ending},
    {"Host: a\r\nContent-Length: 5\nTransfer-Encoding: chunked\r\n\r\n"sv, bad_line_ending},
};

void expect_refused(std::string_view bytes, HeadError error) {
  SCOPED_TRACE(::testing::PrintToString(std::string(bytes)));
  const ParsedHead parsed(bytes);
  ASSERT_EQ(parsed.status, HeadStatus::failed);
  EXPECT_EQ(make_error_code(parsed.parser.error()).message(), make_error_code(error).message());
  const std::string expected = "error " + std::to_string(static_cast<int>(error));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ASSERT_EQ(parse_in_pieces(bytes, cut, 1), expected) << cut;
  }
}

TEST(RequestHeadParser, RefusesMalformedRequestLines) {  // RFC 9112 §2.2, §3
  for (const Malformed& row : lines) {
    expect_refused(std::string(row.bytes) + "Host: a\r\n\r\n", row.error);
  }
}

TEST(RequestHeadParser, RefusesMalformedFields) {  // RFC 9112 §2.2, §3.2, §5
  static_assert(std::size(lines) + std::size(fields) >= 120);
  for (const Malformed& row : fields) {
    expect_refused("GET / HTTP/1.1\r\n" + std::string(row.bytes), row.error);
  }
}

TEST(RequestHeadParser, RefusesABadHostInHttp10Too) {  // RFC 9112 §3.2
  expect_refused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", bad_host);
  expect_refused("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", bad_host);
  expect_refused("GET http://a/ HTTP/1.1\r\n\r\n", bad_host);
  expect_refused("GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n", bad_host);
}

TEST(RequestHeadParser, RefusesEveryControlInAValue) {  // RFC 9110 §5.5
  for (int code = 0; code < 256; ++code) {
    SCOPED_TRACE(code);
    if (code == '\r' || code == '\n') continue;
    for (const std::size_t before : {0u, 5u, 40u}) {
      const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nB: " + std::string(before, 'c') +
                               static_cast<char>(code) + "d\r\n\r\n";
      const bool control = (code < 0x20 && code != '\t') || code == 0x7f;
      const ParsedHead parsed(text);
      EXPECT_EQ(parsed.status, control ? HeadStatus::failed : HeadStatus::done);
      EXPECT_EQ(parsed.parser.error(), control ? bad_field_value : HeadError{});
    }
  }
}

TEST(HeadError, HasAStatusAndATextEach) {
  struct {
    HeadError error;
    unsigned status;
  } const table[] = {
      {bad_request_line, 400},
      {bad_target, 400},
      {bad_line_ending, 400},
      {bad_field_name, 400},
      {bad_field_value, 400},
      {obsolete_folding, 400},
      {bad_host, 400},
      {bad_content_length, 400},
      {ambiguous_length, 400},
      {bad_transfer_encoding, 400},
      {unknown_coding, 501},
      {unsupported_version, 505},
      {request_line_too_long, 414},
      {head_too_large, 431},
      {too_many_fields, 431},
      {unknown_expectation, 417},
      {content_too_large, 413},
  };
  std::set<std::string> texts;
  for (const auto& row : table) {
    EXPECT_EQ(status_for(row.error), row.status);
    const std::error_code code = row.error;
    EXPECT_STREQ(code.category().name(), "squall.http.head");
    texts.insert(code.message());
  }
  EXPECT_EQ(texts.size(), std::size(table));
  EXPECT_EQ(texts.count("unknown error"), 0u);
}

}  // namespace
}  // namespace squall::http
