// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall::web {
namespace {

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz";

/// A handler that knows about nothing but its validators.
struct Document : RequestHandler {
  void get() {
    set_header("Etag", "\"v1\"");
    set_header("Accept-Ranges", "bytes");
    set_header("Content-Type", "text/plain");
    set_header("Content-Language", "en");
    set_header("Cache-Control", "max-age=60");
    set_header("X-Own", "stays");
    set_last_modified(784'111'777);
    write(alphabet);
  }
};

struct Streamed : RequestHandler {
  void get() {
    set_header("Etag", "\"v1\"");
    flush();
    write("part");
  }
};

struct Resource : RequestHandler {
  static inline std::string version;
  static inline int changes = 0;
  void put() {
    if (!version.empty()) set_header("Etag", version);
    if (!check_preconditions(!version.empty())) return;
    ++changes;
    set_status(204);
  }
  void get() {
    set_header("Etag", version);
    if (!check_preconditions()) return;
    ++changes;
    write("expensive");
  }
};

struct OwnTag : RequestHandler {
  std::string compute_etag() override { return "W/\"own\""; }
  void get() { write(alphabet); }
  void post() { write(alphabet); }
};
struct NoTag : RequestHandler {
  std::string compute_etag() override { return {}; }
  void get() { write(alphabet); }
};
struct Plain : RequestHandler {
  void get() { write(alphabet); }
};
struct AskedFor : RequestHandler {
  void get() {
    write(alphabet);
    set_etag_header();
    set_header("X-Matches", check_etag_header() ? "yes" : "no");
  }
};
struct Failing : RequestHandler {
  void get() {
    set_header("Etag", "\"v1\"");
    set_status(404);
    write("gone");
  }
};
struct NoRanges : RequestHandler {
  void get() {
    set_header("Etag", "\"v1\"");
    write(alphabet);
  }
};

class ConditionalTest : public WebTest {
 protected:
  std::string ask(std::string_view line, std::string_view fields = {},
                  const Settings& settings = {}) {
    Application app({{"/document", handler<Document>},
                     {"/streamed", handler<Streamed>},
                     {"/resource", handler<Resource>},
                     {"/own", handler<OwnTag>},
                     {"/none", handler<NoTag>},
                     {"/plain", handler<Plain>},
                     {"/asked", handler<AskedFor>},
                     {"/failing", handler<Failing>},
                     {"/noranges", handler<NoRanges>}},
                    settings);
    return request(app, line, fields, {});
  }
};

TEST_F(ConditionalTest, WhatTheClientHasIsNotSentAgain) {  // RFC 9110 §15.4.5
  const std::string answer = ask("GET /document", "If-None-Match: \"v1\"\r\n");
  EXPECT_EQ(code(answer), "304");
  EXPECT_EQ(body_of(answer), "");
  EXPECT_EQ(field(answer, "Etag"), "\"v1\"");
  EXPECT_EQ(field(answer, "Cache-Control"), "max-age=60");
  EXPECT_EQ(field(answer, "X-Own"), "stays");
  EXPECT_FALSE(field(answer, "Date").empty());
  for (const char* gone : {"Content-Type", "Content-Length", "Content-Language", "Last-Modified",
                           "Transfer-Encoding"}) {
    EXPECT_EQ(field(answer, gone), "") << gone;
  }
  EXPECT_EQ(code(ask("HEAD /document", "If-None-Match: \"v1\"\r\n")), "304");
  EXPECT_EQ(code(ask("GET /document", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n")),
            "304");
  EXPECT_EQ(code(ask("GET /document", "If-None-Match: \"v0\"\r\n")), "200");
}

TEST_F(ConditionalTest, ARefusedConditionIs412) {
  const std::string answer = ask("GET /document", "If-Match: \"v0\"\r\n");
  EXPECT_EQ(code(answer), "412");
  EXPECT_EQ(body_of(answer).find("abc"), std::string::npos);
  EXPECT_EQ(code(ask("GET /document", "If-Match: \"v1\"\r\n")), "200");
}

TEST_F(ConditionalTest, WhatIsNoSuccessHasNoConditions) {  // RFC 9110 §13.2.1
  EXPECT_EQ(code(ask("GET /failing", "If-None-Match: \"v1\"\r\n")), "404");
  EXPECT_EQ(code(ask("GET /failing", "If-Match: \"v0\"\r\n")), "404");
}

TEST_F(ConditionalTest, WhatHasBegunToLeaveIsSent) {
  const std::string answer = ask("GET /streamed", "If-None-Match: \"v1\"\r\n");
  EXPECT_EQ(code(answer), "200");
  EXPECT_NE(answer.find("part"), std::string::npos);
}

TEST_F(ConditionalTest, AWriterKnowsBeforeItWrites) {  // RFC 9110 §13.1.1
  const auto put = [&](const char* version, const std::string& condition) {
    Resource::version = version;
    const int before = Resource::changes;
    const std::string answer = ask("PUT /resource", condition);
    EXPECT_EQ(Resource::changes - before, code(answer) == "204" ? 1 : 0);
    return code(answer);
  };
  EXPECT_EQ(put("\"v1\"", ""), "204");
  EXPECT_EQ(put("\"v1\"", "If-Match: \"v1\"\r\n"), "204");
  EXPECT_EQ(put("\"v2\"", "If-Match: \"v1\"\r\n"), "412") << "a lost update";
  EXPECT_EQ(put("", "If-None-Match: *\r\n"), "204");
  EXPECT_EQ(put("\"v1\"", "If-None-Match: *\r\n"), "412");
  EXPECT_EQ(put("", "If-Match: *\r\n"), "412");
}

TEST_F(ConditionalTest, AReaderMaySaveItsWork) {
  Resource::version = "\"v1\"";
  Resource::changes = 0;
  const std::string answer = ask("GET /resource", "If-None-Match: \"v1\"\r\n");
  EXPECT_EQ(code(answer), "304");
  EXPECT_EQ(field(answer, "Etag"), "\"v1\"");
  EXPECT_EQ(Resource::changes, 0);
  EXPECT_EQ(body_of(ask("GET /resource")), "expensive");
}

TEST_F(ConditionalTest, ARangeOfAnyBodyIs206) {  // RFC 9110 §15.3.7
  const std::string answer = ask("GET /document", "Range: bytes=2-4\r\n");
  EXPECT_EQ(code(answer), "206");
  EXPECT_EQ(body_of(answer), "cde");
  EXPECT_EQ(field(answer, "Content-Range"), "bytes 2-4/26");
  EXPECT_EQ(field(answer, "Content-Length"), "3");
  EXPECT_EQ(field(answer, "Content-Type"), "text/plain");
  EXPECT_EQ(field(answer, "Etag"), "\"v1\"");
  EXPECT_EQ(body_of(ask("GET /document", "Range: bytes=-3\r\n")), "xyz");
  EXPECT_EQ(body_of(ask("GET /document", "Range: bytes=0-\r\n")), alphabet);
  EXPECT_EQ(code(ask("GET /document", "Range: bytes=0-\r\n")), "200");
}

TEST_F(ConditionalTest, WhatIsNotThereIs416) {  // RFC 9110 §15.5.17
  const std::string answer = ask("GET /document", "Range: bytes=26-\r\n");
  EXPECT_EQ(code(answer), "416");
  EXPECT_EQ(field(answer, "Content-Range"), "bytes */26");
  EXPECT_EQ(field(answer, "Content-Length"), "0");
  EXPECT_EQ(field(answer, "Etag"), "");
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(ConditionalTest, SeveralRangesAreParts) {  // RFC 9110 §14.6
  Application app({}, {});
  app.get("/long", [](Request& request) {
    request.set_header("Accept-Ranges", "bytes");
    request.set_header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    return std::string(1000, 'a') + std::string(1000, 'b');
  });
  const std::string answer = request(app, "GET /long", "Range: bytes=0-1,1999-,5000-\r\n");
  EXPECT_EQ(code(answer), "206");
  const std::string type = field(answer, "Content-Type");
  ASSERT_TRUE(type.starts_with("multipart/byteranges; boundary=")) << type;
  const std::string boundary = type.substr(type.find('=') + 1);
  const std::string body = body_of(answer);
  EXPECT_EQ(field(answer, "Content-Length"), std::to_string(body.size()));
  EXPECT_EQ(field(answer, "Content-Range"), "");
  const std::string part_type =
      "\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Range: bytes ";
  EXPECT_EQ(body, "--" + boundary + part_type + "0-1/2000\r\n\r\naa\r\n--" + boundary + part_type +
                      "1999-1999/2000\r\n\r\nb\r\n--" + boundary + "--\r\n");
}

TEST_F(ConditionalTest, ARangeCountsForGetAloneAndWhereItIsOffered) {  // RFC 9110 §14.2, §14.3
  const std::string head = ask("HEAD /document", "Range: bytes=2-4\r\n");
  EXPECT_EQ(code(head), "200");
  EXPECT_EQ(field(head, "Content-Length"), "26");
  EXPECT_EQ(code(ask("GET /noranges", "Range: bytes=2-4\r\n")), "200");
  EXPECT_EQ(code(ask("GET /failing", "Range: bytes=2-4\r\n")), "404");
}

TEST_F(ConditionalTest, ConditionsGoBeforeRanges) {  // RFC 9110 §13.2.2
  EXPECT_EQ(code(ask("GET /document", "Range: bytes=2-4\r\nIf-None-Match: \"v1\"\r\n")), "304");
  EXPECT_EQ(code(ask("GET /document", "Range: bytes=2-4\r\nIf-Match: \"v0\"\r\n")), "412");
  EXPECT_EQ(code(ask("GET /document", "Range: bytes=2-4\r\nIf-Range: \"v1\"\r\n")), "206");
  EXPECT_EQ(code(ask("GET /document", "Range: bytes=2-4\r\nIf-Range: \"v0\"\r\n")), "200");
  EXPECT_EQ(code(ask("GET /document", "Range: bytes=99-\r\nIf-Range: \"v0\"\r\n")), "200");
  EXPECT_EQ(
      code(ask("GET /document", "Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n")),
      "206");
}

TEST_F(ConditionalTest, TagsOfBodiesAreMadeWhereTheyAreWanted) {
  EXPECT_EQ(field(ask("GET /plain"), "Etag"), "") << "off unless asked for";
  EXPECT_EQ(field(ask("GET /own"), "Etag"), "W/\"own\"") << "a handler that overrides it asks";
  EXPECT_EQ(code(ask("GET /own", "If-None-Match: \"own\"\r\n")), "304");
  const std::string etag = field(ask("GET /plain", "", {.auto_etag = true}), "Etag");
  // The first half of the SHA-256 of the alphabet.
  EXPECT_EQ(etag, "\"71c480df93d6ae2f1efad1447c66c952\"");
  EXPECT_EQ(code(ask("GET /plain", "If-None-Match: " + etag + "\r\n", {.auto_etag = true})), "304");
  EXPECT_EQ(field(ask("HEAD /plain", "", {.auto_etag = true}), "Etag"), etag);
  EXPECT_EQ(field(ask("GET /none", "", {.auto_etag = true}), "Etag"), "");
  EXPECT_EQ(field(ask("GET /failing", "", {.auto_etag = true}), "Etag"), "\"v1\"");
  EXPECT_EQ(field(ask("GET /nowhere", "", {.auto_etag = true}), "Etag"), "");
  EXPECT_EQ(field(ask("POST /own", "", {.auto_etag = true}), "Etag"), "");
}

TEST_F(ConditionalTest, TornadosNamesDoWhatTheyDid) {
  const std::string answer = ask("GET /asked");
  const std::string etag = field(answer, "Etag");
  EXPECT_EQ(etag.size(), 34U);
  EXPECT_EQ(field(answer, "X-Matches"), "no");
  const std::string same = ask("GET /asked", "If-None-Match: W/" + etag + "\r\n");
  EXPECT_EQ(code(same), "304");
  EXPECT_EQ(field(same, "X-Matches"), "yes");
}

}  // namespace
}  // namespace squall::web
