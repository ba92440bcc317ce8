// SPDX-License-Identifier: Apache-2.0
#include "websocket/handshake.hpp"

#include "http/head_parser.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {
namespace {

constexpr std::string_view good_key = "dGhlIHNhbXBsZSBub25jZQ==";

/// A parsed request, with the bytes it points into.
class Request {
 public:
  Request(std::string_view line, const std::vector<std::string>& fields)
      : head_(std::make_unique<http::RequestHead>()) {
    bytes_ = std::string(line) + "\r\n";
    for (const std::string& field : fields) bytes_ += field + "\r\n";
    bytes_ += "\r\n";
    http::RequestHeadParser parser;
    EXPECT_EQ(parser.parse(bytes_, *head_, http::HeadLimits{}),
              http::RequestHeadParser::Status::done)
        << bytes_;
  }
  [[nodiscard]] const http::RequestHead& head() const { return *head_; }

 private:
  std::string bytes_;
  std::unique_ptr<http::RequestHead> head_;
};

std::vector<std::string> good_fields() {
  return {"Host: server.example.com",   "Upgrade: websocket",
          "Connection: Upgrade",        "Sec-WebSocket-Key: " + std::string(good_key),
          "Origin: http://example.com", "Sec-WebSocket-Protocol: chat, superchat",
          "Sec-WebSocket-Version: 13"};
}

std::vector<std::string> with(std::size_t index, std::string field) {
  std::vector<std::string> fields = good_fields();
  fields[index] = std::move(field);
  return fields;
}

void expect_key(const std::vector<std::string>& fields) {
  const Request request("GET /chat HTTP/1.1", fields);
  const auto key = check_handshake(request.head());
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(*key, good_key);
}

void expect_refusal(HandshakeError error, const std::vector<std::string>& fields,
                    std::string_view line = "GET /chat HTTP/1.1") {
  const Request request(line, fields);
  const auto key = check_handshake(request.head());
  ASSERT_FALSE(key) << testing::PrintToString(fields);
  EXPECT_EQ(key.error(), error) << testing::PrintToString(fields);
}

TEST(Handshake, AnswersTheKeyOfTheStandard) {  // RFC 6455 §1.3, §4.2.2
  const AcceptValue value = accept_value(good_key);
  EXPECT_EQ(std::string_view(value.data(), value.size()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Handshake, TakesTheRequestOfTheStandard) {  // RFC 6455 §1.2
  expect_key(good_fields());
}

TEST(Handshake, ReadsUpgradeAndConnectionAsListsWithoutCase) {  // RFC 6455 §4.2.1
  expect_key(with(1, "upgrade: WebSocket"));
  expect_key(with(1, "Upgrade: h2c,websocket"));
  expect_key(with(1, "Upgrade: h2c\r\nUPGRADE: websocket"));
  expect_key(with(2, "CONNECTION: keep-alive, UPGRADE"));
  expect_key(with(2, "Connection: keep-alive\r\nConnection: , upgrade"));
}

TEST(Handshake, RefusesMethodsOtherThanGet) {  // RFC 6455 §4.2.1, 1
  for (const std::string_view method : {"POST", "HEAD", "PUT", "OPTIONS", "BREW"}) {
    expect_refusal(HandshakeError::not_get, good_fields(), std::string(method) + " / HTTP/1.1");
  }
}

TEST(Handshake, RefusesOldHttp) {  // RFC 6455 §4.2.1, 1
  expect_refusal(HandshakeError::not_http_1_1, good_fields(), "GET /chat HTTP/1.0");
}

TEST(Handshake, RefusesAMissingUpgrade) {  // RFC 6455 §4.2.1, 3
  for (const char* field : {"X: y", "Upgrade: h2c", "Upgrade: websockets", "Upgrade: web socket"}) {
    expect_refusal(HandshakeError::missing_upgrade, with(1, field));
  }
}

TEST(Handshake, RefusesAMissingConnection) {  // RFC 6455 §4.2.1, 4
  for (const char* field : {"X: y", "Connection: keep-alive", "Connection: upgraded"}) {
    expect_refusal(HandshakeError::missing_connection, with(2, field));
  }
}

TEST(Handshake, RefusesAKeyThatIsNotBase64OfSixteenBytes) {  // RFC 6455 §4.2.1, 5
  for (const char* field : {
           "X: y", "Sec-WebSocket-Key:",
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ",       // no padding
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",     // bits set in the padding
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j",         // 15 bytes
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=",     // 17 bytes
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSEh",     // 18 bytes
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==",     //
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, x",  //
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: "
           "dGhlIHNhbXBsZSBub25jZQ==",  // §11.3.1: not more than once
       }) {
    expect_refusal(HandshakeError::bad_key, with(3, field));
  }
}

TEST(Handshake, RefusesOtherVersionsBeforeItLooksAtTheKey) {  // RFC 6455 §4.4
  for (const char* field : {"X: y", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 13, 8",
                            "Sec-WebSocket-Version: 013", "Sec-WebSocket-Version:",
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8"}) {
    auto fields = with(6, field);
    fields[3] = "X: no key";
    expect_refusal(HandshakeError::bad_version, fields);
  }
}

TEST(Handshake, HasAStatusAndATextForEveryError) {
  EXPECT_EQ(status_for(HandshakeError::not_get), 405);
  EXPECT_EQ(status_for(HandshakeError::bad_version), 426);
  for (const auto error : {HandshakeError::not_http_1_1, HandshakeError::missing_upgrade,
                           HandshakeError::missing_connection, HandshakeError::bad_key}) {
    EXPECT_EQ(status_for(error), 400);
    EXPECT_FALSE(text_for(error).empty());
    EXPECT_EQ(make_error_code(error).message(), text_for(error));
  }
}

TEST(SameOrigin, ComparesHostsWithoutCaseAndPortsWithTheirDefaults) {  // RFC 6454 §5, §7
  EXPECT_TRUE(same_origin("http://example.com", "example.com"));
  EXPECT_TRUE(same_origin("http://Example.COM", "eXample.com"));
  EXPECT_TRUE(same_origin("http://example.com", "example.com:80"));
  EXPECT_TRUE(same_origin("http://example.com:80", "example.com"));
  EXPECT_TRUE(same_origin("https://example.com", "example.com:443"));
  EXPECT_TRUE(same_origin("HTTPS://example.com:443", "example.com"));
  EXPECT_TRUE(same_origin("wss://example.com", "example.com:443"));
  EXPECT_TRUE(same_origin("ws://example.com", "example.com:80"));
  EXPECT_TRUE(same_origin("http://example.com", "example.com:"));
  EXPECT_TRUE(same_origin("http://example.com:8888", "example.com:8888"));
  EXPECT_TRUE(same_origin("http://[::1]:8888", "[::1]:8888"));
  EXPECT_TRUE(same_origin("https://[2001:DB8::1]", "[2001:db8::1]:443"));
  EXPECT_TRUE(same_origin("app://bundle", "bundle"));
}

TEST(SameOrigin, IsFalseForEverythingElse) {  // RFC 6455 §10.2
  EXPECT_FALSE(same_origin("null", "null"));
  EXPECT_FALSE(same_origin("", ""));
  EXPECT_FALSE(same_origin("", "example.com"));
  EXPECT_FALSE(same_origin("http://", ""));
  EXPECT_FALSE(same_origin("://example.com", "example.com"));
  EXPECT_FALSE(same_origin("example.com", "example.com"));
  EXPECT_FALSE(same_origin("http://example.com", ""));
  EXPECT_FALSE(same_origin("http://example.com", "example.org"));
  EXPECT_FALSE(same_origin("http://example.com", "www.example.com"));
  EXPECT_FALSE(same_origin("http://example.com.evil.org", "example.com"));
  EXPECT_FALSE(same_origin("http://example.com", "example.com:443"));
  EXPECT_FALSE(same_origin("https://example.com", "example.com:80"));
  EXPECT_FALSE(same_origin("http://example.com:8888", "example.com"));
  EXPECT_FALSE(same_origin("http://example.com", "example.com:8888"));
  EXPECT_FALSE(same_origin("http://example.com:80x", "example.com"));
  EXPECT_FALSE(same_origin("http://example.com:65616", "example.com"));  // 65536 + 80
  EXPECT_FALSE(same_origin("http://example.com:4294967376", "example.com"));
  EXPECT_FALSE(same_origin("http://evil@example.com", "example.com"));
  EXPECT_FALSE(same_origin("http://example.com/", "example.com"));
  EXPECT_FALSE(same_origin("http://example.com http://evil.org", "example.com"));
  // The same text twice is not enough when it is no authority.
  for (const std::string text : {"user@host", "host/", "host?", "host#", "a,b", "a b", "a\\b",
                                 "host:70000", "host:-1", "a:b", "::1", ":80"}) {
    EXPECT_FALSE(same_origin("http://" + text, text)) << text;
  }
  EXPECT_FALSE(same_origin("http://[::1", "[::1"));
  EXPECT_FALSE(same_origin("http://[::1]x", "[::1]x"));
  EXPECT_FALSE(same_origin("http://[::1]", "[::2]"));
}

TEST(Subprotocols, AreReadInOrderOverAllFields) {  // RFC 6455 §11.3.4
  using List = std::vector<std::string_view>;
  const Request standard("GET / HTTP/1.1", good_fields());
  EXPECT_EQ(offered_subprotocols(standard.head()), (List{"chat", "superchat"}));
  const Request several("GET / HTTP/1.1",
                        with(5,
                             "Sec-WebSocket-Protocol: b ,\ta,,\r\nsec-websocket-protocol: "
                             "not a token, v1.json+x, \"quoted\""));
  EXPECT_EQ(offered_subprotocols(several.head()), (List{"b", "a", "v1.json+x"}));
  const Request none("GET / HTTP/1.1", with(5, "X: y"));
  EXPECT_TRUE(offered_subprotocols(none.head()).empty());
}

TEST(Subprotocols, AreLimitedInNumber) {
  std::string field = "Sec-WebSocket-Protocol: a0";
  for (int i = 1; i < 200; ++i) field += ",a" + std::to_string(i);
  const Request request("GET / HTTP/1.1", with(5, field));
  const auto offered = offered_subprotocols(request.head());
  ASSERT_EQ(offered.size(), max_subprotocol_count);
  EXPECT_EQ(offered.back(), "a63");
}

}  // namespace
}  // namespace squall::websocket
