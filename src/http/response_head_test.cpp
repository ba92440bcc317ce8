// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace squall::http {
namespace {

using Status = HeadParser::Status;
using Body = ResponseFraming::Body;

constexpr std::string_view upgrade_head =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "connection:Upgrade\r\n"
    "Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"
    "X-Empty:\r\n"
    "X-Latin: caf\xe9\r\n\r\n";

struct ParsedResponse {
  explicit ParsedResponse(std::string_view text, const HeadLimits& limits = {}) : buffer(text) {
    status = parser.parse(buffer.view(), head, limits);
  }
  ExactBuffer buffer;
  ResponseHead head;
  ResponseHeadParser parser;
  Status status;
};

std::string describe(const ResponseHead& head) {
  std::string text = std::to_string(head.status()) + "|" + std::string(head.reason()) + "|" +
                     std::to_string(head.minor_version()) + "|";
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    text.append(head.field_name(i)).append("=").append(head.field_value(i)).append("|");
  }
  return text.append(head.bytes());
}

/// In pieces of `piece` bytes after a first one of `first`, each time from a buffer elsewhere.
std::string parse_response(std::string_view text, std::size_t first, std::size_t piece,
                           const HeadLimits& limits = {}) {
  ResponseHead head;
  ResponseHeadParser parser;
  std::unique_ptr<ExactBuffer> buffer;
  for (std::size_t size = first;; size += piece) {
    if (size > text.size()) size = text.size();
    auto moved = std::make_unique<ExactBuffer>(text.substr(0, size));
    buffer = std::move(moved);
    switch (parser.parse(buffer->view(), head, limits)) {
      case Status::done:
        return describe(head) + std::to_string(parser.head_bytes());
      case Status::failed:
        return "error " + std::to_string(static_cast<int>(parser.error()));
      case Status::need_more:
        if (size == text.size()) return "need more";
    }
  }
}

TEST(ResponseHeadParser, ReadsTheAnswerToAHandshake) {
  const std::string all = std::string(upgrade_head) + "\x81\x02hi";
  const ParsedResponse parsed(all);
  ASSERT_EQ(parsed.status, Status::done);
  const ResponseHead& head = parsed.head;
  EXPECT_EQ(parsed.parser.head_bytes(), upgrade_head.size());
  EXPECT_EQ(head.bytes(), upgrade_head);
  EXPECT_EQ(head.status(), 101u);
  EXPECT_EQ(head.reason(), "Switching Protocols");
  EXPECT_EQ(head.minor_version(), 1u);
  ASSERT_EQ(head.field_count(), 5u);
  EXPECT_EQ(head.field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(head.field(FieldId::connection), "Upgrade");
  EXPECT_TRUE(head.has("X-Empty"));
  EXPECT_EQ(head.field("x-latin"), "caf\xe9");
}

TEST(ResponseHeadParser, ReadsStatusLinesAsTheyAreSent) {  // RFC 9112 §4
  struct {
    std::string_view line;
    unsigned status;
    std::string_view reason;
    unsigned minor_version;
  } const table[] = {
      {"HTTP/1.1 200 OK", 200, "OK", 1},
      {"HTTP/1.1 200 ", 200, "", 1},
      {"HTTP/1.1 200", 200, "", 1},  // without the space, as some servers do
      {"HTTP/1.0 404 Not Found", 404, "Not Found", 0},
      {"HTTP/1.5 299 x", 299, "x", 1},
      {"HTTP/1.1 999  two  spaces ", 999, " two  spaces ", 1},
      {"HTTP/1.1 500 gr\xc3\xbc\xc3\x9f\tdich", 500, "gr\xc3\xbc\xc3\x9f\tdich", 1},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.line);
    const ParsedResponse parsed(std::string(row.line) + "\r\n\r\n");
    ASSERT_EQ(parsed.status, Status::done);
    EXPECT_EQ(parsed.head.status(), row.status);
    EXPECT_EQ(parsed.head.reason(), row.reason);
    EXPECT_EQ(parsed.head.minor_version(), row.minor_version);
    EXPECT_EQ(parsed.head.field_count(), 0u);
  }
}

TEST(ResponseHeadParser, RefusesWhatIsNoResponse) {
  struct {
    std::string_view text;
    HeadError error;
  } const table[] = {
      {"SSH-2.0-OpenSSH_9.2\r\n", HeadError::bad_status_line},
      {"S", HeadError::bad_status_line},
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", HeadError::bad_status_line},
      {" HTTP/1.1 200 OK\r\n\r\n", HeadError::bad_status_line},
      {"http/1.1 200 OK\r\n\r\n", HeadError::bad_status_line},
      {"HTTP/1.1  200 OK\r\n\r\n", HeadError::bad_status_line},
      {"HTTP/1.1 20 OK\r\n\r\n", HeadError::bad_status_line},
      {"HTTP/1.1 2000 OK\r\n\r\n", HeadError::bad_status_line},
      {"HTTP/1.1 099 OK\r\n\r\n", HeadError::bad_status_line},
      {"HTTP/1.1 200 a\x01\r\n\r\n", HeadError::bad_status_line},
      {"HTTP/1.1\r\n\r\n", HeadError::bad_status_line},
      {"HTTP/1.1 200 OK\n\n", HeadError::bad_line_ending},
      {"HTTP/1.1 200\n\n", HeadError::bad_line_ending},
      {"HTTP/1.1 200 O\rK\r\n\r\n", HeadError::bad_line_ending},
      {"HTTP/2.0 200 OK\r\n\r\n", HeadError::unsupported_version},
      {"HTTP/0.9 200 OK\r\n\r\n", HeadError::unsupported_version},
      {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", HeadError::bad_field_name},
      {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", HeadError::bad_field_name},
      {"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", HeadError::obsolete_folding},
      {"HTTP/1.1 200 OK\r\nA: b\x01"
       "c\r\n\r\n",
       HeadError::bad_field_value},
      {"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n", HeadError::bad_line_ending},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.text);
    const ParsedResponse parsed(row.text);
    EXPECT_EQ(parsed.status, Status::failed);
    EXPECT_EQ(parsed.parser.error(), row.error);
  }
}

TEST(ResponseHeadParser, AnySplitGivesTheSame) {
  for (const std::string_view text :
       {upgrade_head, std::string_view("HTTP/1.1 200\r\nA:b\r\n\r\n"),
        std::string_view("HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n"),
        std::string_view("HTTP/1.1 200 O\rK\r\n\r\n"), std::string_view("HTTP/1.1 20x\r\n\r\n")}) {
    const std::string whole = parse_response(text, text.size(), 1);
    EXPECT_NE(whole, "need more");
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      EXPECT_EQ(parse_response(text, cut, text.size()), whole) << cut;
    }
    EXPECT_EQ(parse_response(text, 0, 1), whole);
  }
}

TEST(ResponseHeadParser, HasLimits) {
  const std::size_t size = upgrade_head.size();
  EXPECT_EQ(ParsedResponse(upgrade_head, {.head_bytes = size}).status, Status::done);
  const ParsedResponse large(upgrade_head, {.head_bytes = size - 1});
  EXPECT_EQ(large.status, Status::failed);
  EXPECT_EQ(large.parser.error(), HeadError::head_too_large);
  // A status line that never ends is one, too.
  const std::string endless = "HTTP/1.1 200 " + std::string(500, 'x');
  EXPECT_EQ(ParsedResponse(endless, {.head_bytes = 400}).parser.error(), HeadError::head_too_large);
  EXPECT_EQ(ParsedResponse(upgrade_head, {.field_count = 5}).status, Status::done);
  EXPECT_EQ(ParsedResponse(upgrade_head, {.field_count = 4}).parser.error(),
            HeadError::too_many_fields);
}

TEST(ResponseHeadParser, IsReadyForTheNextAfterReset) {
  ResponseHead head;
  ResponseHeadParser parser;
  ASSERT_EQ(parser.parse("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n", head), Status::done);
  parser.reset();
  ASSERT_EQ(parser.parse("HTTP/1.0 204\r\n\r\n", head), Status::done);
  EXPECT_EQ(head.status(), 204u);
  EXPECT_EQ(head.reason(), "");
  EXPECT_EQ(head.field_count(), 0u);
  EXPECT_FALSE(head.has("A"));
}

ResponseFraming frame(std::string_view first, std::string_view fields,
                      Method method = Method::get) {
  const ParsedResponse parsed(std::string(first) + "\r\n" + std::string(fields) + "\r\n");
  EXPECT_EQ(parsed.status, Status::done) << first << fields;
  return frame_response(parsed.head, method);
}

TEST(ResponseFraming, KnowsWhereABodyEnds) {  // RFC 9112 §6.3
  struct {
    std::string_view first;
    std::string_view fields;
    Method method;
    Body body;
    bool keep_alive;
  } const table[] = {
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", Method::get, Body::length, true},
      {"HTTP/1.1 200 OK", "Content-Length: 0\r\n", Method::get, Body::none, true},
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", Method::head, Body::none, true},
      {"HTTP/1.1 204 x", "", Method::get, Body::none, true},
      {"HTTP/1.1 304 x", "Content-Length: 5\r\n", Method::get, Body::none, true},
      {"HTTP/1.1 103 x", "", Method::get, Body::none, true},
      {"HTTP/1.1 101 x", "", Method::get, Body::tunnel, true},
      {"HTTP/1.1 200 x", "Content-Length: 5\r\n", Method::connect, Body::tunnel, true},
      {"HTTP/1.1 407 x", "Content-Length: 5\r\n", Method::connect, Body::length, true},
      {"HTTP/1.1 200 x", "", Method::get, Body::until_close, false},
      {"HTTP/1.1 200 x", "Transfer-Encoding: chunked\r\n", Method::get, Body::chunked, true},
      {"HTTP/1.1 200 x", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Method::get,
       Body::chunked, false},
      {"HTTP/1.1 200 x", "Connection: close\r\nContent-Length: 5\r\n", Method::get, Body::length,
       false},
      {"HTTP/1.0 200 x", "Content-Length: 5\r\n", Method::get, Body::length, false},
      {"HTTP/1.0 200 x", "Connection: Keep-Alive\r\nContent-Length: 5\r\n", Method::get,
       Body::length, true},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(std::string(row.first) + " " + std::string(row.fields));
    const ResponseFraming framing = frame(row.first, row.fields, row.method);
    EXPECT_EQ(framing.error, HeadError{});
    EXPECT_EQ(framing.body, row.body);
    EXPECT_EQ(framing.keep_alive, row.keep_alive);
    EXPECT_EQ(framing.content_length, row.body == Body::length ? 5u : 0u);
  }
}

TEST(ResponseFraming, RefusesWhatCannotBeDelimited) {
  EXPECT_EQ(frame("HTTP/1.1 200 x", "Content-Length: 5\r\nContent-Length: 6\r\n").error,
            HeadError::bad_content_length);
  EXPECT_EQ(frame("HTTP/1.1 200 x", "Content-Length: -1\r\n").error, HeadError::bad_content_length);
  EXPECT_EQ(frame("HTTP/1.1 200 x", "Transfer-Encoding: gzip, chunked\r\n").error,
            HeadError::unknown_coding);
  EXPECT_EQ(frame("HTTP/1.0 200 x", "Transfer-Encoding: chunked\r\n").error,
            HeadError::bad_transfer_encoding);
}

}  // namespace
}  // namespace squall::http
