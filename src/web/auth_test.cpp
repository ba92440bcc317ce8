// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/auth.hpp>
#include <squall/web/event_source_handler.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/websocket_handler.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

class AuthTest : public WebTest {};

std::string basic(std::string_view pair, std::string_view scheme = "Basic ") {
  return "Authorization: " + std::string(scheme) + encode_base64(pair) + "\r\n";
}

TEST(EqualSecrets, TellsTextsApartWhateverTheirLengths) {
  EXPECT_TRUE(equal_secrets("", ""));
  EXPECT_TRUE(equal_secrets("a secret", "a secret"));
  EXPECT_FALSE(equal_secrets("a secret", "a secreT"));
  EXPECT_FALSE(equal_secrets("a secret", "a secret "));
  EXPECT_FALSE(equal_secrets("a secret", ""));
  EXPECT_FALSE(equal_secrets(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

struct Archive : RequestHandler {
  Task<> load_current_user() override {
    const BasicCredentials sent = require_basic_credentials(*this, "the \"old\" archive");
    co_await sleep(1ms);  // a database
    if (!equal_secrets(sent.password, "pass:word")) challenge_basic(*this, "the \"old\" archive");
    set_current_user(sent.user);
  }
  void get() { write("hello " + *current_user()); }
};

TEST_F(AuthTest, BasicLetsInWhoKnowsThePassword) {
  Application app({{"/", handler<Archive>}});
  EXPECT_EQ(body_of(request(app, "GET /", basic("Ann:pass:word"))), "hello Ann");
  EXPECT_EQ(body_of(request(app, "GET /", basic("Grüße:pass:word"))), "hello Grüße");
  EXPECT_EQ(body_of(request(app, "GET /", basic(":pass:word"))), "hello ");
  EXPECT_EQ(body_of(request(app, "GET /", basic("Ann:pass:word", "bAsIc   "))), "hello Ann");
}

TEST_F(AuthTest, BasicIsAskedForAgainOtherwise) {
  Application app({{"/", handler<Archive>}});
  for (const std::string& fields : {
           std::string(),
           basic("Ann:wrong"),
           basic("Ann:pass:wor"),
           basic("Ann"),
           basic(""),
           basic(std::string_view("An\0n:pass:word", 14)),
           basic("Ann:pass:word\x7f"),
           basic("Ann\xff:pass:word"),
           basic("Ann:pass:word", "Basic"),
           basic("Ann:pass:word", "Bearer "),
           basic("Ann:pass:word", "Basic\t"),
           std::string("Authorization: Basic\r\n"),
           std::string("Authorization: Basic !!!!\r\n"),
           std::string("Authorization: Basic QW5uOnBhc3M6d29yZA\r\n"),  // padding is missing
           basic("Ann:pass:word") + basic("Bob:pass:word"),
       }) {
    const std::string answer = request(app, "GET /", fields);
    EXPECT_EQ(code(answer), "401") << fields;
    EXPECT_TRUE(
        has_line(answer, R"(WWW-Authenticate: Basic realm="the \"old\" archive", charset="UTF-8")"))
        << answer;
    EXPECT_NE(body_of(answer).find("401"), std::string::npos) << answer;  // the error's page
  }
  EXPECT_EQ(log_text().find("app: "), std::string::npos) << log_text();
}

struct Api : RequestHandler {
  Task<> prepare() override {
    const std::string token = require_bearer_token(*this, "api");
    if (token == "-._~+/Az09==") return {};
    if (token == "reader") {
      challenge_bearer(*this, {.error = BearerError::insufficient_scope, .scope = "read write"});
    }
    challenge_bearer(
        *this,
        {.realm = "api", .error = BearerError::invalid_token, .description = "it has expired"});
  }
  void get() { write("data"); }
};

TEST_F(AuthTest, BearerTokensAreReadAsTheyAre) {
  Application app({{"/", handler<Api>}});
  EXPECT_EQ(body_of(request(app, "GET /", "Authorization: Bearer -._~+/Az09==\r\n")), "data");
  EXPECT_EQ(body_of(request(app, "GET /", "authorization: BEARER  -._~+/Az09==\r\n")), "data");
}

TEST_F(AuthTest, BearerErrorsHaveTheirStatusAndNames) {
  Application app({{"/", handler<Api>}});
  const auto challenge = [&](const std::string& fields) {
    const std::string answer = request(app, "GET /", fields);
    return code(answer) + " " + field(answer, "WWW-Authenticate");
  };
  EXPECT_EQ(challenge(""), "401 Bearer realm=\"api\"");
  EXPECT_EQ(challenge("Authorization: Basic QTpC\r\n"), "401 Bearer realm=\"api\"");
  const std::string malformed = "400 Bearer realm=\"api\", error=\"invalid_request\"";
  EXPECT_EQ(challenge("Authorization: Bearer\r\n"), malformed);
  EXPECT_EQ(challenge("Authorization: Bearer a b\r\n"), malformed);
  EXPECT_EQ(challenge("Authorization: Bearer a=b\r\n"), malformed);
  EXPECT_EQ(challenge("Authorization: Bearer ==\r\n"), malformed);
  EXPECT_EQ(challenge("Authorization: Bearer a\r\nAuthorization: Bearer a\r\n"), malformed);
  EXPECT_EQ(challenge("Authorization: Bearer old\r\n"),
            "401 Bearer realm=\"api\", error=\"invalid_token\", "
            "error_description=\"it has expired\"");
  EXPECT_EQ(challenge("Authorization: Bearer reader\r\n"),
            "403 Bearer error=\"insufficient_scope\", scope=\"read write\"");
}

struct Wrong : RequestHandler {
  void get() { challenge_basic(*this, "a\nb"); }
  void post() {
    challenge_bearer(*this, {.error = BearerError::invalid_token, .description = "a \"quote\""});
  }
};

TEST_F(AuthTest, AChallengeThatCannotBeSentIsAMisuse) {
  Application app({{"/", handler<Wrong>}});
  EXPECT_EQ(code(request(app, "GET /")), "500");
  EXPECT_EQ(code(request(app, "POST /", "Content-Length: 0\r\n")), "500");
  EXPECT_NE(log_text().find("RFC 6750"), std::string::npos) << log_text();
}

struct Asked : RequestHandler {
  static constexpr bool authenticated = true;
  OptionalString get_current_user() override {
    return require_basic_credentials(*this, "asked").user;
  }
  void get() { write(*current_user()); }
};
struct Socket : WebSocketHandler {
  Task<> prepare() override {
    static_cast<void>(require_bearer_token(*this));
    return {};
  }
  void on_message(std::string_view) {}
};
struct Events : EventSourceHandler {
  Task<> prepare() override {
    static_cast<void>(require_bearer_token(*this));
    return {};
  }
  void open() {}
};

TEST_F(AuthTest, AChallengeGoesBeforeTheLoginPageSocketsAndStreams) {
  Application app(
      {{"/asked", handler<Asked>}, {"/socket", handler<Socket>}, {"/events", handler<Events>}},
      {.login_url = "/login"});
  EXPECT_EQ(body_of(request(app, "GET /asked", basic("Ann:"))), "Ann");
  EXPECT_EQ(code(request(app, "GET /asked")), "401");
  const std::string handshake =
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(field(request(app, "GET /socket", handshake), "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(field(request(app, "GET /events"), "WWW-Authenticate"), "Bearer");
}

}  // namespace
}  // namespace squall::web
