// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace squall::http {
namespace {

constexpr std::string_view browser_head =
    "GET /chat/index.html?room=%20a&x=?y HTTP/1.1\r\n"
    "Host: www.example.com:8080\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    "upgrade:websocket\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n"
    "COOKIE: \t a=1; b=2 \t \r\n"
    "X-Empty:\r\n"
    "X-Blank: \t \r\n"
    "X-Latin: caf\xe9\r\n"
    "Origin: https://www.example.com\r\n\r\n";

TEST(RequestHeadParser, ReadsABrowsersHead) {
  const ParsedHead parsed(browser_head);
  ASSERT_EQ(parsed.status, HeadStatus::done);
  const RequestHead& head = parsed.head;
  EXPECT_EQ(parsed.parser.head_bytes(), browser_head.size());
  EXPECT_EQ(head.bytes(), browser_head);
  EXPECT_EQ(head.method(), Method::get);
  EXPECT_EQ(head.method_name(), "GET");
  EXPECT_EQ(head.target(), "/chat/index.html?room=%20a&x=?y");
  EXPECT_EQ(head.path(), "/chat/index.html");
  EXPECT_EQ(head.query(), "room=%20a&x=?y");
  EXPECT_EQ(head.authority(), "www.example.com:8080");
  EXPECT_EQ(head.minor_version(), 1u);
  ASSERT_EQ(head.field_count(), 9u);
  EXPECT_EQ(head.field_name(4), "COOKIE");
  EXPECT_EQ(head.field_value(4), "a=1; b=2");
  EXPECT_EQ(head.field_id(4), FieldId::cookie);
  EXPECT_EQ(head.field("cookie"), "a=1; b=2");
  EXPECT_EQ(head.field(FieldId::origin), "https://www.example.com");
  EXPECT_EQ(head.field("x-latin"), "caf\xe9");
  EXPECT_TRUE(head.has("X-EMPTY"));
  EXPECT_EQ(head.field("X-EMPTY"), "");
  EXPECT_EQ(head.field("x-blank"), "");
  EXPECT_FALSE(head.has("absent"));
  EXPECT_EQ(head.field("absent"), "");
  EXPECT_TRUE(head.has(FieldId::upgrade));
  EXPECT_FALSE(head.has(FieldId::content_length));
  EXPECT_EQ(head.field(FieldId::content_length), "");
}

TEST(RequestHeadParser, MarksTheFieldsThatTheServerLooksAt) {
  struct {
    std::string_view name;
    FieldId id;
  } const table[] = {
      {"Connection", FieldId::connection},
      {"content-length", FieldId::content_length},
      {"TRANSFER-ENCODING", FieldId::transfer_encoding},
      {"Expect", FieldId::expect},
      {"Upgrade", FieldId::upgrade},
      {"Content-Type", FieldId::content_type},
      {"cOOKIE", FieldId::cookie},
      {"Origin", FieldId::origin},
      {"If-None-Match", FieldId::if_none_match},
      {"If-Modified-Since", FieldId::if_modified_since},
      {"IF-Match", FieldId::if_match},
      {"if-unmodified-SINCE", FieldId::if_unmodified_since},
      {"If-Range", FieldId::if_range},
      {"rANGE", FieldId::range},
      {"Ranga", FieldId::other},
      {"If-Rangf", FieldId::other},
      {"Cookies", FieldId::other},
      {"Origim", FieldId::other},
      {"Content_Type", FieldId::other},
      {"Content-Tyqe", FieldId::other},
      {"If-None-Natch", FieldId::other},
      {"Transfer-Fncoding", FieldId::other},
      {"Transfer-Encodinh", FieldId::other},
      {"If-Modified-Sincf", FieldId::other},
      {"Hosu", FieldId::other},
      {"H", FieldId::other},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    const ParsedHead parsed("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(row.name) +
                            ": 1\r\n\r\n");
    ASSERT_EQ(parsed.status, HeadStatus::done);
    EXPECT_EQ(parsed.head.field_id(0), FieldId::host);
    EXPECT_EQ(parsed.head.field_id(1), row.id);
    EXPECT_TRUE(parsed.head.has(row.id));
    EXPECT_TRUE(parsed.head.has(row.name));
  }
}

TEST(RequestHeadParser, ReadsEveryMethod) {  // RFC 9110 §9
  for (const char* name : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) {
    const ParsedHead parsed(std::string(name) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parsed.status, HeadStatus::done) << name;
    EXPECT_EQ(to_string(parsed.head.method()), name);
    EXPECT_EQ(parsed.head.method_name(), name);
  }
  for (const std::string name :
       {"get", "GETS", "PROPFIND", "G", "!#$%&'*+-.^_`|~", "12345678901234567890123456789012"}) {
    const ParsedHead parsed(name + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parsed.status, HeadStatus::done) << name;
    EXPECT_EQ(parsed.head.method(), Method::unknown);
    EXPECT_EQ(parsed.head.method_name(), name);
  }
}

TEST(RequestHeadParser, ReadsATargetThatEndsWithASlashHoweverItIsCut) {
  for (const std::string target : {"/", "/a/", "//", "/?/", "http://host/", "/a%2F/?b/"}) {
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string whole = parse_in_pieces(text, text.size(), 1);
    EXPECT_NE(whole.find("|" + target + "|"), std::string::npos) << whole;
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      EXPECT_EQ(parse_in_pieces(text, cut, text.size()), whole) << cut;
    }
  }
}

TEST(RequestHeadParser, ReadsTheFourFormsOfTarget) {  // RFC 9112 §3.2
  struct {
    std::string_view line, path, query, authority;
  } const table[] = {
      {"GET /", "/", "", "field"},
      {"GET /?", "/", "", "field"},
      {"GET /?a", "/", "a", "field"},
      {"GET //a//b", "//a//b", "", "field"},
      {"GET /a%2Fb%zz", "", "", ""},
      {"GET /a%2Fb?%41", "/a%2Fb", "%41", "field"},
      {"GET /a|b{c}\"<>\\^`[]", "/a|b{c}\"<>\\^`[]", "", "field"},
      {"GET /caf\xc3\xa9?\xff", "/caf\xc3\xa9", "\xff", "field"},
      {"GET http://host/path?q", "/path", "q", "host"},
      {"GET HTTP://host:80", "/", "", "host:80"},
      {"GET hTTps://[::1]:443?q=/", "/", "q=/", "[::1]:443"},
      {"POST https://host/a?b?c", "/a", "b?c", "host"},
      {"OPTIONS *", "*", "", "field"},
      {"OPTIONS /a", "/a", "", "field"},
      {"CONNECT host:443", "/", "", "host:443"},
      {"CONNECT [::1]:1", "/", "", "[::1]:1"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.line);
    const ParsedHead parsed(std::string(row.line) + " HTTP/1.1\r\nHost: field\r\n\r\n");
    if (row.path.empty()) {
      EXPECT_EQ(parsed.status, HeadStatus::failed);
      continue;
    }
    ASSERT_EQ(parsed.status, HeadStatus::done);
    EXPECT_EQ(parsed.head.path(), row.path);
    EXPECT_EQ(parsed.head.query(), row.query);
    EXPECT_EQ(parsed.head.authority(), row.authority);
    EXPECT_EQ(parsed.head.target(), row.line.substr(row.line.find(' ') + 1));
  }
}

TEST(RequestHeadParser, ServesHigherMinorVersionsAsOne) {  // RFC 9110 §2.5
  for (const auto& [version, minor] : {std::pair{"1.0", 0u}, {"1.1", 1u}, {"1.2", 1u}}) {
    const ParsedHead parsed("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parsed.status, HeadStatus::done) << version;
    EXPECT_EQ(parsed.head.minor_version(), minor);
  }
}

TEST(RequestHeadParser, NeedsNoHostBeforeHttp11) {  // RFC 9112 §3.2
  const ParsedHead parsed("GET / HTTP/1.0\r\n\r\n");
  ASSERT_EQ(parsed.status, HeadStatus::done);
  EXPECT_EQ(parsed.head.authority(), "");
  EXPECT_EQ(parsed.head.field_count(), 0u);
}

TEST(RequestHeadParser, SkipsOneEmptyLineBeforeTheRequest) {  // RFC 9112 §2.2
  const ParsedHead parsed("\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(parsed.status, HeadStatus::done);
  EXPECT_EQ(parsed.head.method_name(), "GET");
  EXPECT_EQ(parsed.head.path(), "/a");
  EXPECT_EQ(parsed.head.authority(), "a");
  EXPECT_EQ(parsed.head.bytes(), "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(parsed.parser.head_bytes(), 2 + parsed.head.bytes().size());
}

TEST(RequestHeadParser, LeavesWhatFollowsUntouched) {
  const std::string first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  const std::string both = first + "abcGET /2 HTTP/1.1\r\nHost: b\r\n\r\n\x01\x02";
  ParsedHead parsed(both);
  ASSERT_EQ(parsed.status, HeadStatus::done);
  ASSERT_EQ(parsed.parser.head_bytes(), first.size());

  parsed.parser.reset();
  const std::string_view rest = parsed.buffer.view().substr(first.size() + 3);
  ASSERT_EQ(parsed.parser.parse(rest, parsed.head, {}), HeadStatus::done);
  EXPECT_EQ(parsed.head.path(), "/2");
  EXPECT_EQ(parsed.head.authority(), "b");
  EXPECT_FALSE(parsed.head.has(FieldId::content_length));
  EXPECT_EQ(parsed.parser.head_bytes(), rest.size() - 2);
}

TEST(RequestHeadParser, AnySplitGivesTheSameHead) {
  const std::string heads[] = {
      std::string(browser_head),
      "\r\n" + std::string(browser_head),
      "PROPFIND http://user.example/a%41?%42 HTTP/1.0\r\na:b\r\n\r\n",
      "CONNECT a:1 HTTP/1.1\r\nHost:a\r\n\r\n",
  };
  for (const std::string& text : heads) {
    const std::string whole = parse_in_pieces(text, text.size(), 1);
    ASSERT_NE(whole, "need more");
    ASSERT_FALSE(whole.starts_with("error")) << text;
    EXPECT_EQ(parse_in_pieces(text, 0, 1), whole);
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      SCOPED_TRACE(cut);
      EXPECT_EQ(parse_in_pieces(text.substr(0, cut), cut, 1), "need more");
      EXPECT_EQ(parse_in_pieces(text, cut, text.size()), whole);
    }
  }
}

TEST(RequestHeadParser, AnySplitFindsTheSameError) {
  const std::string_view heads[] = {
      "GET /a%4x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nb\rc: d\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nb\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nb: c\rd\r\n\r\n",
      "GET /a\rHTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a HTTP/3.1\r\nHost: a\r\n\r\n",
      "GE\r\n\r\n",
      "\r\rGET / HTTP/1.1\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\rX",
  };
  for (const std::string_view text : heads) {
    SCOPED_TRACE(text);
    const std::string whole = parse_in_pieces(text, text.size(), 1);
    ASSERT_TRUE(whole.starts_with("error"));
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      SCOPED_TRACE(cut);
      EXPECT_EQ(parse_in_pieces(text, cut, 1), whole);
    }
  }
}

TEST(RequestHeadParser, FailsAtTheFirstByteThatBeginsNoMethod) {
  for (int code = 0; code < 256; ++code) {
    SCOPED_TRACE(code);
    const char byte = static_cast<char>(code);
    const std::string_view tokens =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\r";
    const bool may_begin = tokens.find(byte) != std::string_view::npos;
    EXPECT_EQ(ParsedHead({&byte, 1}).status,
              may_begin ? HeadStatus::need_more : HeadStatus::failed);
  }
  // The first bytes of a TLS ClientHello.
  EXPECT_EQ(ParsedHead("\x16\x03\x01\x02").parser.error(), HeadError::bad_request_line);
}

TEST(RequestHeadParser, TakesAHeadOfExactlyTheLimit) {  // RFC 6585 §5
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\r\n\r\n";
  HeadLimits limits;
  limits.head_bytes = text.size();
  EXPECT_EQ(ParsedHead(text, limits).status, HeadStatus::done);
  EXPECT_EQ(ParsedHead(text + "GET", limits).status, HeadStatus::done);
  limits.head_bytes = text.size() - 1;
  EXPECT_EQ(ParsedHead(text, limits).parser.error(), HeadError::head_too_large);
  EXPECT_EQ(ParsedHead("\r\n" + text, limits).parser.error(), HeadError::head_too_large);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_EQ(parse_in_pieces(text, cut, 1, limits),
              "error " + std::to_string(static_cast<int>(HeadError::head_too_large)));
  }
}

TEST(RequestHeadParser, FailsAnEndlessHeadAtTheLimit) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  HeadLimits limits;
  limits.head_bytes = 100;
  const std::string almost = begin + std::string(99 - begin.size(), 'x');
  EXPECT_EQ(ParsedHead(almost, limits).status, HeadStatus::need_more);
  EXPECT_EQ(ParsedHead(almost + "x", limits).parser.error(), HeadError::head_too_large);
}

TEST(RequestHeadParser, TakesARequestLineOfExactlyTheLimit) {  // RFC 9110 §15.5.15
  const std::string line = "GET /0123456789 HTTP/1.1";
  const std::string text = line + "\r\nHost: a\r\n\r\n";
  for (const std::string prefix : {"", "\r\n"}) {
    HeadLimits limits;
    limits.request_line_bytes = line.size();
    EXPECT_EQ(ParsedHead(prefix + text, limits).status, HeadStatus::done);
    EXPECT_FALSE(parse_in_pieces(prefix + text, 0, 1, limits).starts_with("error"));
    limits.request_line_bytes = line.size() - 1;
    const std::string too_long =
        "error " + std::to_string(static_cast<int>(HeadError::request_line_too_long));
    EXPECT_EQ(ParsedHead(prefix + text, limits).parser.error(), HeadError::request_line_too_long);
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      EXPECT_EQ(parse_in_pieces(prefix + text, cut, 1, limits), too_long) << cut;
    }
  }
}

TEST(RequestHeadParser, TakesExactlyTheLimitOfFields) {  // RFC 6585 §5
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < limits::field_count; ++i) text += "a: b\r\n";
  const ParsedHead full(text + "\r\n");
  ASSERT_EQ(full.status, HeadStatus::done);
  EXPECT_EQ(full.head.field_count(), limits::field_count);

  HeadLimits generous;
  generous.field_count = 1000;  // the table is no larger
  EXPECT_EQ(ParsedHead(text + "a: b\r\n\r\n").parser.error(), HeadError::too_many_fields);
  EXPECT_EQ(ParsedHead(text + "a: b\r\n\r\n", generous).parser.error(), HeadError::too_many_fields);
  HeadLimits none;
  none.field_count = 0;
  EXPECT_EQ(ParsedHead("GET / HTTP/1.0\r\n\r\n", none).status, HeadStatus::done);
  EXPECT_EQ(ParsedHead("GET / HTTP/1.0\r\na:b\r\n\r\n", none).parser.error(),
            HeadError::too_many_fields);
}

TEST(RequestHeadParser, RefusesANameTooLongToBeCounted) {
  HeadLimits limits;
  limits.head_bytes = 1 << 20;
  const std::string begin = "GET / HTTP/1.0\r\n";
  EXPECT_EQ(ParsedHead(begin + std::string(65535, 'a') + ":\r\n\r\n", limits).status,
            HeadStatus::done);
  EXPECT_EQ(ParsedHead(begin + std::string(65536, 'a') + ":\r\n\r\n", limits).parser.error(),
            HeadError::head_too_large);
}

TEST(RequestHeadParser, TakesALargeHeadByteByByte) {
  // One pass over its bytes: were each call to begin anew, this would look at 2 GiB.
  const std::string target(limits::request_line_bytes - 13, 'a');
  std::string text = "GET /" + target.substr(1) + " HTTP/1.1\r\nHost: a\r\n";
  text += "X: " + std::string(16 * 1024, 'v') + "\r\n";
  text += std::string(16 * 1024, 'n') + ": " + std::string(1024, ' ') + "\r\n";
  text += "Y: " + std::string(limits::head_bytes - text.size() - 7, 'v') + "\r\n\r\n";
  ASSERT_EQ(text.size(), limits::head_bytes);
  RequestHead head;
  RequestHeadParser parser;
  for (std::size_t size = 0; size < text.size(); ++size) {
    ASSERT_EQ(parser.parse({text.data(), size}, head, {}), HeadStatus::need_more) << size;
  }
  ASSERT_EQ(parser.parse(text, head, {}), HeadStatus::done);
  EXPECT_EQ(head.field_count(), 4u);
}

TEST(RequestHeadParser, KeepsWhatItReadOfARefusedHead) {
  const ParsedHead parsed("POST /a?b HTTP/1.1\r\nHost: a\r\nB ad: 1\r\n\r\n");
  ASSERT_EQ(parsed.status, HeadStatus::failed);
  EXPECT_EQ(parsed.head.method(), Method::post);
  EXPECT_EQ(parsed.head.target(), "/a?b");
  EXPECT_EQ(parsed.head.field_count(), 1u);
}

TEST(RequestHead, FollowsItsBytesToAnotherPlace) {
  std::string text(browser_head);
  RequestHead copy;
  {
    RequestHeadParser parser;
    RequestHead head;
    ASSERT_EQ(parser.parse(text, head, {}), HeadStatus::done);
    copy.assign(head);
  }
  const std::string expected = describe(copy);
  const std::string elsewhere(copy.bytes());
  copy.rebase(elsewhere.data());
  text.assign(text.size(), 'x');
  EXPECT_EQ(describe(copy), expected);
}

}  // namespace
}  // namespace squall::http
