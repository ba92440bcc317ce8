// SPDX-License-Identifier: Apache-2.0
#include "websocket/client_handshake.hpp"

#include <squall/base/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace squall::websocket {
namespace {

using Fields = std::vector<Field>;

constexpr std::string_view standard_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view standard_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

ClientHandshake standard() {
  ClientHandshake handshake;
  handshake.target = "/chat";
  handshake.host = "server.example.com";
  handshake.key = standard_key;
  return handshake;
}

Fields good() {
  return {{"Upgrade", "websocket"},
          {"Connection", "Upgrade"},
          {"Sec-WebSocket-Accept", standard_accept}};
}

Fields with(std::size_t at, Field field) {
  Fields fields = good();
  if (at < fields.size()) {
    fields[at] = field;
  } else {
    fields.push_back(field);
  }
  return fields;
}

std::string verdict(const Fields& fields, const ClientHandshake& handshake = standard(),
                    unsigned status = 101, unsigned minor_version = 1) {
  const auto agreement = check_answer(handshake, minor_version, status, fields);
  if (!agreement) return agreement.error().message();
  return "open " + std::string(agreement->subprotocol) + (agreement->deflate ? "with deflate" : "");
}

std::string text(AnswerError error) { return make_error_code(error).message(); }

TEST(ClientHandshake, MakesAKeyOfRandomBytes) {  // RFC 6455 §1.3
  Nonce nonce;
  std::copy_n("the sample nonce", nonce.size(), nonce.begin());
  const HandshakeKey key = handshake_key(nonce);
  EXPECT_EQ(std::string_view(key.data(), key.size()), standard_key);
}

TEST(ClientHandshake, WritesTheRequest) {  // RFC 6455 §4.1
  EXPECT_EQ(write_handshake(standard()),
            "GET /chat HTTP/1.1\r\n"
            "Host: server.example.com\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "\r\n");
  const std::string_view subprotocols[] = {"chat", "superchat"};
  const Field more[] = {{"Cookie", "a=b"}, {"X-Empty", ""}};
  ClientHandshake handshake = standard();
  handshake.target = "/?a=%20b";
  handshake.origin = "http://example.com";
  handshake.subprotocols = subprotocols;
  handshake.compression.enabled = true;
  handshake.compression.server_context_takeover = true;
  handshake.compression.server_max_window_bits = 15;
  handshake.fields = more;
  EXPECT_EQ(write_handshake(handshake),
            "GET /?a=%20b HTTP/1.1\r\n"
            "Host: server.example.com\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "Origin: http://example.com\r\n"
            "Sec-WebSocket-Protocol: chat, superchat\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; "
            "client_max_window_bits\r\n"
            "Cookie: a=b\r\n"
            "X-Empty: \r\n"
            "\r\n");
}

TEST(ClientHandshake, RefusesWhatCannotBeInARequest) {
  const auto refuses = [](auto change) {
    ClientHandshake handshake = standard();
    change(handshake);
    EXPECT_THROW(static_cast<void>(write_handshake(handshake)), UsageError);
  };
  for (const std::string_view target : {"", "chat", "/a b", "/a\r\nX: y", "/#part", "/\xC3\xA4"}) {
    refuses([=](auto& handshake) { handshake.target = target; });
  }
  for (const std::string_view host : {"", "a b", "a\r\nX: y"}) {
    refuses([=](auto& handshake) { handshake.host = host; });
  }
  refuses([](auto& handshake) { handshake.origin = "http://a\r\nX: y"; });
  refuses([](auto& handshake) { handshake.compression.level = 77; });
  for (const Field field :
       {Field{"Bad Name", "x"}, Field{"", "x"}, Field{"X", "a\r\nY: b"}, Field{"host", "x"},
        Field{"Sec-WebSocket-Key", "x"}, Field{"sec-websocket-extensions", "x"},
        Field{"Connection", "close"}, Field{"Content-Length", "1"}}) {
    refuses([&](auto& handshake) { handshake.fields = {&field, 1}; });
  }
  for (const std::vector<std::string_view>& names :
       {std::vector<std::string_view>{"a b"}, {""}, {"a", "b", "a"}, {"a,b"}}) {
    refuses([&](auto& handshake) { handshake.subprotocols = names; });
  }
}

TEST(ClientHandshake, TakesTheAnswerOfTheStandard) {  // RFC 6455 §1.3, §4.1
  EXPECT_EQ(verdict(good()), "open ");
  EXPECT_EQ(verdict({{"sec-websocket-accept", " s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t"},
                     {"connection", "keep-alive, uPGRADE"},
                     {"upgrade", "WebSocket"},
                     {"Server", "x"}}),
            "open ");
}

TEST(ClientHandshake, NamesWhatIsWrongWithAnAnswer) {  // RFC 6455 §4.1
  for (const unsigned status : {200U, 302U, 400U, 401U, 426U, 100U, 0U}) {
    EXPECT_EQ(verdict(good(), standard(), status), text(AnswerError::not_switching));
  }
  EXPECT_EQ(verdict(good(), standard(), 101, 0), text(AnswerError::not_http_1_1));
  EXPECT_EQ(verdict({}), text(AnswerError::missing_upgrade));
  for (const std::string_view value : {"", "h2c", "websocket, h2c", "websocket/13"}) {
    EXPECT_EQ(verdict(with(0, {"Upgrade", value})), text(AnswerError::missing_upgrade));
  }
  EXPECT_EQ(verdict(with(3, {"Upgrade", "websocket"})), text(AnswerError::missing_upgrade));
  for (const std::string_view value : {"", "close", "Upgraded", "Up grade"}) {
    EXPECT_EQ(verdict(with(1, {"Connection", value})), text(AnswerError::missing_connection));
  }
  for (const std::string_view value :
       {"", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO=", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "dGhlIHNhbXBsZSBub25jZQ=="}) {
    EXPECT_EQ(verdict(with(2, {"Sec-WebSocket-Accept", value})), text(AnswerError::bad_accept));
  }
  EXPECT_EQ(verdict(with(2, {"X", "y"})), text(AnswerError::bad_accept));
  EXPECT_EQ(verdict(with(3, {"Sec-WebSocket-Accept", standard_accept})),
            text(AnswerError::bad_accept));
}

TEST(ClientHandshake, TakesOneOfTheSubprotocolsItOffered) {  // RFC 6455 §4.1, 6
  const std::string_view offered[] = {"chat", "superchat"};
  ClientHandshake handshake = standard();
  handshake.subprotocols = offered;
  EXPECT_EQ(verdict(good(), handshake), "open ");
  EXPECT_EQ(verdict(with(3, {"Sec-WebSocket-Protocol", "superchat"}), handshake), "open superchat");
  for (const std::string_view value : {"", "Chat", "other", "chat, superchat"}) {
    EXPECT_EQ(verdict(with(3, {"Sec-WebSocket-Protocol", value}), handshake),
              text(AnswerError::unknown_subprotocol));
  }
  EXPECT_EQ(verdict(with(3, {"Sec-WebSocket-Protocol", "chat"})),
            text(AnswerError::unknown_subprotocol));
  Fields twice = with(3, {"Sec-WebSocket-Protocol", "chat"});
  twice.push_back(twice.back());
  EXPECT_EQ(verdict(twice, handshake), text(AnswerError::repeated_subprotocol));
}

TEST(ClientHandshake, TakesTheExtensionItOffered) {  // RFC 6455 §4.1, 5; RFC 7692 §5
  ClientHandshake handshake = standard();
  handshake.compression.enabled = true;
  EXPECT_EQ(verdict(good(), handshake), "open ");
  const Field answer{"Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover"};
  EXPECT_EQ(verdict(with(3, answer), handshake), "open with deflate");
  EXPECT_EQ(verdict(with(3, answer)), text(AnswerError::unknown_extension));
  EXPECT_EQ(verdict(with(3, {answer.name, "foo"}), handshake),
            text(AnswerError::unknown_extension));
  EXPECT_EQ(verdict(with(3, {answer.name, "permessage-deflate; foo"}), handshake),
            text(AnswerError::bad_extension));
  handshake.compression.server_max_window_bits = 10;
  EXPECT_EQ(verdict(with(3, {answer.name, "permessage-deflate"}), handshake),
            text(AnswerError::bad_extension));
  EXPECT_EQ(verdict(with(3, {answer.name, "permessage-deflate;"}), handshake),
            text(AnswerError::bad_extension));
}

}  // namespace
}  // namespace squall::websocket
