// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"
#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

using Body = RequestFraming::Body;

RequestFraming frame(std::string_view fields, std::string_view version = "1.1") {
  const ParsedHead parsed("POST / HTTP/" + std::string(version) + "\r\nHost: a\r\n" +
                          std::string(fields) + "\r\n");
  EXPECT_EQ(parsed.status, HeadStatus::done) << fields;
  return frame_request(parsed.head);
}

TEST(RequestFraming, HasNoBodyWithoutLengthAndEncoding) {  // RFC 9112 §6.3
  const RequestFraming framing = frame("");
  EXPECT_EQ(framing.body, Body::none);
  EXPECT_EQ(framing.error, HeadError{});
  EXPECT_TRUE(framing.keep_alive);
  EXPECT_FALSE(framing.expect_continue);
  EXPECT_FALSE(framing.upgrade);
}

TEST(RequestFraming, ReadsContentLength) {  // RFC 9112 §6.2, §6.3
  struct {
    std::string_view fields;
    std::uint64_t length;
  } const table[] = {
      {"Content-Length: 0\r\n", 0},
      {"Content-Length: 5\r\n", 5},
      {"content-length:\t00042 \r\n", 42},
      {"Content-Length: 9223372036854775807\r\n", 9'223'372'036'854'775'807},
      {"Content-Length: 000000000000000000000000000007\r\n", 7},
      {"Content-Length: 5, 5\r\n", 5},
      {"Content-Length: 5,5,5\r\n", 5},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 5},
      {"Content-Length: 5\r\nX: y\r\nCONTENT-LENGTH: 5 , 5\r\n", 5},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.fields);
    const RequestFraming framing = frame(row.fields);
    EXPECT_EQ(framing.error, HeadError{});
    EXPECT_EQ(framing.content_length, row.length);
    EXPECT_EQ(framing.body, row.length == 0 ? Body::none : Body::length);
    EXPECT_EQ(frame(row.fields, "1.0").content_length, row.length);
  }
}

TEST(RequestFraming, ReadsChunkedInAnyCase) {  // RFC 9112 §7.1
  for (const char* coding : {"chunked", "CHUNKED", "Chunked", " chunked\t"}) {
    const RequestFraming framing = frame("Transfer-Encoding:" + std::string(coding) + "\r\n");
    EXPECT_EQ(framing.error, HeadError{}) << coding;
    EXPECT_EQ(framing.body, Body::chunked) << coding;
  }
}

TEST(RequestFraming, RefusesWhatFramesABodyInTwoWays) {  // RFC 9112 §6.1, §6.3, §11.2
  using enum HeadError;
  struct {
    std::string_view fields;
    HeadError error;
  } const table[] = {
      {"Content-Length:\r\n", bad_content_length},
      {"Content-Length: \r\n", bad_content_length},
      {"Content-Length: +5\r\n", bad_content_length},
      {"Content-Length: -5\r\n", bad_content_length},
      {"Content-Length: 5 5\r\n", bad_content_length},
      {"Content-Length: 5;a\r\n", bad_content_length},
      {"Content-Length: 5.0\r\n", bad_content_length},
      {"Content-Length: 0x5\r\n", bad_content_length},
      {"Content-Length: 5e1\r\n", bad_content_length},
      {"Content-Length: \"5\"\r\n", bad_content_length},
      {"Content-Length: five\r\n", bad_content_length},
      {"Content-Length: 5,\r\n", bad_content_length},
      {"Content-Length: ,5\r\n", bad_content_length},
      {"Content-Length: 5,,5\r\n", bad_content_length},
      {"Content-Length: 5, 6\r\n", bad_content_length},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", bad_content_length},
      {"Content-Length: 0\r\nContent-Length: 6\r\n", bad_content_length},
      {"Content-Length: 6\r\nContent-Length: 0\r\n", bad_content_length},
      {"Content-Length: 5\r\nContent-Length:\r\n", bad_content_length},
      {"Content-Length: \xb2\r\n", bad_content_length},
      {"Content-Length: 9223372036854775808\r\n", content_too_large},
      {"Content-Length: 18446744073709551616\r\n", content_too_large},
      {"Content-Length: 18446744073709551621\r\n", content_too_large},
      {"Content-Length: 99999999999999999999999999999999999999\r\n", content_too_large},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ambiguous_length},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", ambiguous_length},
      {"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", ambiguous_length},
      {"Transfer-Encoding: chunked\r\nContent-Length: x\r\n", ambiguous_length},
      {"Transfer-Encoding: x\r\nContent-Length: 5\r\n", ambiguous_length},
      {"Transfer-Encoding:\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: \r\n", bad_transfer_encoding},
      {"Transfer-Encoding: gzip\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: identity\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: xchunked\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunkedx\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunk\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: \"chunked\"\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked;a=b\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked ;a=b, chunked\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked, gzip\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked, identity\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked, chunked\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked,\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: ,chunked\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: chunked chunked\r\n", bad_transfer_encoding},
      {"Transfer-Encoding: gzip, chunked\r\n", unknown_coding},
      {"Transfer-Encoding: identity, chunked\r\n", unknown_coding},
      {"Transfer-Encoding: a;b=c, chunked\r\n", unknown_coding},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", unknown_coding},
      {"Expect: 200-ok\r\n", unknown_expectation},
      {"Expect:\r\n", unknown_expectation},
      {"Expect: 100-continue, x\r\n", unknown_expectation},
      {"Expect: 100-continue\r\nExpect: x\r\n", unknown_expectation},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.fields);
    EXPECT_EQ(make_error_code(frame(row.fields).error).message(),
              make_error_code(row.error).message());
  }
}

TEST(RequestFraming, RefusesTransferEncodingBeforeHttp11) {  // RFC 9112 §6.1
  EXPECT_EQ(frame("Transfer-Encoding: chunked\r\n", "1.0").error, HeadError::bad_transfer_encoding);
}

TEST(RequestFraming, KeepsTheConnectionAsTheVersionAndTheFieldSay) {  // RFC 9112 §9.3
  struct {
    std::string_view fields;
    bool in_11, in_10;
  } const table[] = {
      {"", true, false},
      {"Connection: close\r\n", false, false},
      {"Connection: Close\r\n", false, false},
      {"Connection: keep-alive\r\n", true, true},
      {"Connection: Keep-Alive\r\n", true, true},
      {"Connection: foo, close\r\n", false, false},
      {"Connection: foo , keep-alive,bar\r\n", true, true},
      {"Connection: keep-alive, close\r\n", false, false},
      {"Connection: close\r\nConnection: keep-alive\r\n", false, false},
      {"Connection: foo\r\nConnection: close\r\n", false, false},
      {"Connection: closed\r\n", true, false},
      {"Connection: clos\r\n", true, false},
      {"Connection:\r\n", true, false},
      {"Connection: ,,\r\n", true, false},
      {"Keep-Alive: timeout=5\r\n", true, false},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.fields);
    EXPECT_EQ(frame(row.fields).keep_alive, row.in_11);
    EXPECT_EQ(frame(row.fields, "1.0").keep_alive, row.in_10);
  }
}

TEST(RequestFraming, AnswersAnExpectationOfHttp11Only) {  // RFC 9110 §10.1.1
  EXPECT_TRUE(frame("Expect: 100-continue\r\n").expect_continue);
  EXPECT_TRUE(frame("Expect: 100-Continue\r\n").expect_continue);
  EXPECT_FALSE(frame("Expect: 100-continue\r\n", "1.0").expect_continue);
  EXPECT_EQ(frame("Expect: x\r\n", "1.0").error, HeadError{});
}

TEST(RequestFraming, UpgradesOnlyWhenConnectionNamesIt) {  // RFC 9110 §7.8
  EXPECT_TRUE(frame("Connection: Upgrade\r\nUpgrade: websocket\r\n").upgrade);
  EXPECT_TRUE(frame("Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n").upgrade);
  EXPECT_FALSE(frame("Upgrade: websocket\r\n").upgrade);
  EXPECT_FALSE(frame("Connection: upgrade\r\n").upgrade);
  EXPECT_FALSE(frame("Connection: upgrades\r\nUpgrade: websocket\r\n").upgrade);
  EXPECT_FALSE(frame("Connection: upgrade\r\nUpgrade: websocket\r\n", "1.0").upgrade);
}

}  // namespace
}  // namespace squall::http
