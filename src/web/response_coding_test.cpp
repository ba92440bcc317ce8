// SPDX-License-Identifier: Apache-2.0
#include "web/response_coding.hpp"

#include "http/content_coding_testing.hpp"
#include "web/exchange.hpp"
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace squall::web {
namespace {

using namespace std::chrono_literals;
using http::some_text;

class ResponseCodingTest : public WebTest {
 protected:
  std::string get(Application& app, std::string_view accept, std::string_view line = "GET /") {
    std::string fields;
    if (!accept.empty()) fields.append("Accept-Encoding: ").append(accept).append("\r\n");
    return request(app, line, fields);
  }
  static std::size_t count_of(std::string_view answer, std::string_view name) {
    std::size_t count = 0;
    const std::string wanted = "\r\n" + std::string(name) + ": ";
    for (std::size_t at = answer.find(wanted); at != std::string_view::npos;
         at = answer.find(wanted, at + 1)) {
      ++count;
    }
    return count;
  }
  /// The body, without its chunks and its coding.
  static std::string decoded_body(std::string_view answer) {
    std::string body = body_of(answer);
    if (field(answer, "Transfer-Encoding") == "chunked") body = unchunk(body);
    const std::string coding = field(answer, "Content-Encoding");
    return http::decode_in_pieces(coding, body, body.size(), 1,
                                  {.max_bytes = 1U << 30, .max_ratio = 1U << 20});
  }
  static std::string unchunk(std::string_view body) {
    std::string out;
    for (;;) {
      std::size_t line = body.find("\r\n");
      const std::size_t size = std::stoul(std::string(body.substr(0, line)), nullptr, 16);
      if (size == 0) return out;
      out += body.substr(line + 2, size);
      body.remove_prefix(line + 2 + size + 2);
    }
  }

  std::string text_ = some_text(20'000);
};

struct Page : RequestHandler {
  void get() {
    if (const std::string type = get_argument("type", ""); !type.empty()) {
      set_header("Content-Type", type);
    }
    if (const std::string name = get_argument("name", ""); !name.empty()) {
      set_header(name, get_argument("value"));
    }
    const std::string wish = get_argument("compress", "");
    if (!wish.empty()) set_compression(wish == "1");
    set_status(std::stoi(get_argument("status", "200")));
    if (get_status() == 304 || get_status() == 204) return;
    write(some_text(std::stoul(get_argument("size", "20000"))));
  }
};

TEST_F(ResponseCodingTest, TheClientsWeightsChoose) {  // RFC 9110 §12.5.3
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  struct {
    std::string_view accept, want;
  } const table[] = {
      {"gzip", "gzip"},
      {"br", "br"},
      {"zstd", "zstd"},
      {"gzip, deflate, br, zstd", "zstd"},
      {"gzip, deflate, br", "br"},
      {"gzip;q=1, br;q=0.5", "gzip"},
      {"gzip;q=0", ""},
      {"gzip;q=0.5, identity", ""},
      {"deflate", ""},
      {"*", "zstd"},
      {"", ""},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.accept);
    const std::string answer = get(app, row.accept);
    EXPECT_EQ(field(answer, "Content-Encoding"), row.want);
    EXPECT_EQ(field(answer, "Vary"), "Accept-Encoding");
    EXPECT_EQ(field(answer, "Content-Length"), std::to_string(body_of(answer).size()));
    EXPECT_TRUE(decoded_body(answer) == text_);
  }
}

TEST_F(ResponseCodingTest, ItIsOffUnlessTheSettingsSayOtherwise) {
  Application app({{"/", handler<Page>}});
  const std::string answer = get(app, "gzip");
  EXPECT_EQ(field(answer, "Content-Encoding"), "");
  EXPECT_EQ(field(answer, "Vary"), "");
  EXPECT_TRUE(body_of(answer) == text_);
  EXPECT_EQ(field(get(app, "gzip", "GET /?compress=1"), "Content-Encoding"), "gzip");
}

TEST_F(ResponseCodingTest, AHandlerMayRefuse) {
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  const std::string answer = get(app, "gzip", "GET /?compress=0");
  EXPECT_EQ(field(answer, "Content-Encoding"), "");
  EXPECT_EQ(field(answer, "Vary"), "");
}

TEST_F(ResponseCodingTest, OnlyWhatIsWorthItIsCoded) {
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  const auto coding = [&](std::string_view query, std::string_view vary) {
    const std::string answer = get(app, "gzip", "GET /?" + std::string(query));
    EXPECT_EQ(field(answer, "Vary"), vary) << query;
    return field(answer, "Content-Encoding");
  };
  constexpr std::string_view varies = "Accept-Encoding";
  EXPECT_EQ(coding("size=1024", varies), "gzip");
  EXPECT_EQ(coding("size=1023", varies), "");
  EXPECT_EQ(coding("size=0", varies), "");
  EXPECT_EQ(coding("type=application/json", varies), "gzip");
  EXPECT_EQ(coding("type=image/png", ""), "");
  EXPECT_EQ(coding("name=Content-Encoding&value=br", ""), "br");
  EXPECT_EQ(coding("name=Content-Range&value=bytes+0-1/2", ""), "");
  EXPECT_EQ(coding("status=206", ""), "");
  EXPECT_EQ(coding("name=Cache-Control&value=public,+no-transform", ""), "");
  EXPECT_EQ(coding("name=Content-Digest&value=sha-256=:x:", ""), "");
  EXPECT_EQ(coding("status=404", varies), "gzip");
  EXPECT_EQ(coding("name=Vary&value=Cookie", "Cookie, Accept-Encoding"), "gzip");
  EXPECT_EQ(coding("name=Vary&value=Cookie,+accept-encoding", "Cookie, accept-encoding"), "gzip");
  EXPECT_EQ(coding("name=Vary&value=*", "*"), "gzip");
  EXPECT_EQ(coding("name=Content-Length&value=20000", varies), "gzip");
}

TEST_F(ResponseCodingTest, WhoRefusesThePlainFormGetsNoShortBodyInIt) {
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  EXPECT_EQ(field(get(app, "gzip, identity;q=0", "GET /?size=10"), "Content-Encoding"), "gzip");
  EXPECT_EQ(status_of(get(app, "identity;q=0", "GET /?size=10")), "HTTP/1.1 200 OK");
}

TEST_F(ResponseCodingTest, AStrongETagBecomesAWeakOne) {  // RFC 9110 §8.8.1
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  const std::string line = "GET /?name=ETag&value=%22x%22";
  EXPECT_EQ(field(get(app, "gzip", line), "ETag"), "W/\"x\"");
  EXPECT_EQ(field(get(app, "", line), "ETag"), "\"x\"");
  EXPECT_EQ(field(get(app, "gzip", "GET /?name=etag&value=W/%22x%22"), "ETag"), "");
  const std::string unchanged = get(app, "gzip", line + "&status=304");
  EXPECT_EQ(field(unchanged, "ETag"), "W/\"x\"");
  EXPECT_EQ(field(unchanged, "Vary"), "Accept-Encoding");
  EXPECT_EQ(field(unchanged, "Content-Encoding"), "");
}

struct Tagged : RequestHandler {
  void get() {
    set_header("ETag", "\"x\"");
    set_header("Accept-Ranges", "bytes");
    write(some_text(std::stoul(get_argument("size", "20000"))));
  }
};

TEST_F(ResponseCodingTest, WhatIsNotModifiedHasTheTagOfWhatWouldBeSent) {  // RFC 9110 §15.4.5
  Application app({{"/", handler<Tagged>}}, {.compress_response = true});
  const auto ask = [&](const std::string& path, std::string_view accept) {
    std::string fields = "If-None-Match: W/\"x\"\r\nAccept-Encoding: ";
    return request(app, "GET " + path, fields.append(accept).append("\r\n"));
  };
  const std::string coded = ask("/", "br");
  EXPECT_EQ(status_of(coded), "HTTP/1.1 304 Not Modified");
  EXPECT_EQ(field(coded, "ETag"), "W/\"x\"");
  EXPECT_EQ(field(coded, "Vary"), "Accept-Encoding");
  EXPECT_EQ(field(coded, "Content-Encoding"), "");
  EXPECT_EQ(field(ask("/?size=10", "br"), "ETag"), "\"x\"");
  EXPECT_EQ(field(ask("/", "identity"), "ETag"), "\"x\"");
}

TEST_F(ResponseCodingTest, RangesAreNotCoded) {
  Application app({{"/", handler<Tagged>}}, {.compress_response = true});
  const std::string part =
      request(app, "GET /", "Accept-Encoding: gzip\r\nRange: bytes=100-9999\r\n");
  EXPECT_EQ(status_of(part), "HTTP/1.1 206 Partial Content");
  EXPECT_EQ(field(part, "Content-Encoding"), "");
  EXPECT_TRUE(body_of(part) == text_.substr(100, 9900));
  EXPECT_EQ(field(get(app, "gzip"), "Accept-Ranges"), "");
  EXPECT_EQ(field(get(app, ""), "Accept-Ranges"), "bytes");
}

TEST_F(ResponseCodingTest, HeadHasTheFieldsOfGet) {
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  for (const std::string query : {"size=20000", "size=100", "size=1000000", "type=image/png"}) {
    SCOPED_TRACE(query);
    const std::string got = get(app, "gzip", "GET /?" + query);
    const std::string head = get(app, "gzip", "HEAD /?" + query);
    for (const std::string_view name : {"Content-Encoding", "Content-Length", "Vary", "ETag"}) {
      EXPECT_EQ(field(head, name), field(got, name)) << name;
    }
    EXPECT_EQ(body_of(head), "");
  }
}

struct Announces : RequestHandler {
  void head() { set_header("Content-Length", 50'000); }
};

TEST_F(ResponseCodingTest, HeadThatOnlyAnnouncesIsCodedAsWell) {
  Application app({{"/", handler<Announces>}}, {.compress_response = true});
  const std::string head = get(app, "gzip", "HEAD /");
  EXPECT_EQ(field(head, "Content-Encoding"), "gzip");
  EXPECT_EQ(field(head, "Content-Length"), "");
}

TEST_F(ResponseCodingTest, LargeBodiesComeInSlices) {
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  const std::size_t slice = coding_slice_bytes(http::ContentCoding::gzip, 6);
  for (const std::size_t size : {slice - 1, slice, slice + 1, 2 * slice, std::size_t{3'000'000}}) {
    for (const std::string_view accept : {"gzip", "br", "zstd"}) {
      const std::string answer = get(app, accept, "GET /?size=" + std::to_string(size));
      ASSERT_EQ(field(answer, "Content-Encoding"), accept);
      EXPECT_EQ(field(answer, "Content-Length").empty(), size > slice);
      EXPECT_TRUE(decoded_body(answer) == some_text(size)) << size << accept;
    }
  }
}

struct Counter : RequestHandler {
  static inline int finished = 0;
  void get() {
    write(some_text(2'000'000));
    finish();
    EXPECT_TRUE(is_finished());
    EXPECT_THROW(write("more"), UsageError);
    EXPECT_EQ(finished, 0);
  }
  void on_finish() override { ++finished; }
};

TEST_F(ResponseCodingTest, TheEndIsToldWhenTheLastSliceIsOut) {
  Application app({{"/", handler<Counter>}}, {.compress_response = true});
  Counter::finished = 0;
  const std::string answer = get(app, "gzip");
  EXPECT_TRUE(decoded_body(answer) == some_text(2'000'000));
  EXPECT_EQ(Counter::finished, 1);
}

TEST_F(ResponseCodingTest, RequestsBehindALargeOneKeepTheirOrder) {
  Application app({{"/", handler<Page>}}, {.compress_response = true});
  const std::string large =
      "GET /?size=500000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n";
  const std::string last = "GET /?size=7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string answers = send(app, large + last, false);
  EXPECT_TRUE(answers.ends_with("\r\n\r\n" + some_text(7)));
  EXPECT_EQ(count_of(answers, "Content-Encoding"), 1U);
}

struct Events : RequestHandler {
  Task<> get() {
    set_header("Content-Type", "text/event-stream");
    co_await flush();  // the head alone
    for (int i = 0; i < 5; ++i) {
      write("data: " + std::to_string(i) + "\n\n");
      co_await flush();
      co_await flush();  // nothing new: nothing is sent
    }
    write(some_text(700'000));
    co_await flush();
    write("end");
  }
};

TEST_F(ResponseCodingTest, StreamsAreCodedAsTheyGo) {
  Application app({{"/", handler<Events>}}, {.compress_response = true});
  std::string want;
  for (int i = 0; i < 5; ++i) want += "data: " + std::to_string(i) + "\n\n";
  want += some_text(700'000) + "end";
  for (const std::string_view accept : {"gzip", "br", "zstd"}) {
    const std::string answer = get(app, accept);
    EXPECT_EQ(field(answer, "Content-Encoding"), accept);
    EXPECT_TRUE(decoded_body(answer) == want) << accept;
  }
  const std::string head = get(app, "gzip", "HEAD /");
  EXPECT_EQ(field(head, "Content-Encoding"), "gzip");
  EXPECT_EQ(body_of(head), "");
}

struct Hurries : RequestHandler {
  void get() {
    for (int i = 0; i < 4; ++i) {
      write(some_text(300'000));
      flush();
      write("x");
      flush();
    }
    write(some_text(300'000));
  }
};

TEST_F(ResponseCodingTest, WhoNeverAwaitsGetsItsBytesInOrder) {
  Application app({{"/", handler<Hurries>}}, {.compress_response = true});
  std::string want;
  for (int i = 0; i < 4; ++i) want += some_text(300'000) + "x";
  want += some_text(300'000);
  for (const std::string_view accept : {"gzip", "br", "zstd"}) {
    EXPECT_TRUE(decoded_body(get(app, accept)) == want) << accept;
  }
}

struct Awaits : RequestHandler {
  Task<> get() {
    for (int i = 0; i < 5; ++i) {
      write(some_text(2'000'000));
      co_await flush();
      EXPECT_EQ(exchange().pending_bytes(), 0U);
    }
  }
};

TEST_F(ResponseCodingTest, AnAwaitedFlushWaitsForAllSlices) {
  Application app({{"/", handler<Awaits>}}, {.compress_response = true});
  EXPECT_EQ(decoded_body(get(app, "gzip")).size(), 10'000'000U);
}

struct FailsLate : RequestHandler {
  void get() {
    write(some_text(5000));
    flush();
    throw std::runtime_error("too late");
  }
};

TEST_F(ResponseCodingTest, AStreamThatFailsIsBrokenOff) {
  Application app({{"/", handler<FailsLate>}}, {.compress_response = true});
  const std::string answer = get(app, "gzip");
  EXPECT_FALSE(answer.ends_with("0\r\n\r\n"));
}

struct LateWish : RequestHandler {
  void get() {
    write(some_text(5000));
    flush();
    EXPECT_THROW(set_compression(false), UsageError);
  }
};

TEST_F(ResponseCodingTest, AWishThatComesTooLateIsMisuse) {
  Application app({{"/", handler<LateWish>}}, {.compress_response = true});
  EXPECT_TRUE(decoded_body(get(app, "br")) == some_text(5000));
}

struct WrongLength : RequestHandler {
  void get() {
    set_header("Content-Length", 5);
    write(some_text(5000));
  }
};

TEST_F(ResponseCodingTest, AWrongContentLengthIsStillFound) {
  Application app({{"/", handler<WrongLength>}}, {.compress_response = true});
  EXPECT_EQ(status_of(get(app, "gzip")), "HTTP/1.1 500 Internal Server Error");
}

TEST_F(ResponseCodingTest, CodingsCanBeTurnedOff) {
  Application app({{"/", handler<Page>}},
                  {.compress_response = true, .compression = {.min_size = 10, .zstd = false}});
  EXPECT_EQ(field(get(app, "zstd"), "Content-Encoding"), "");
  EXPECT_EQ(field(get(app, "zstd, br", "GET /?size=10"), "Content-Encoding"), "br");
}

}  // namespace
}  // namespace squall::web
