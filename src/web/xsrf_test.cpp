// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <string>

namespace squall::web {
namespace {

class XsrfTest : public WebTest {
 protected:
  static std::string cookie(std::string_view token) {
    return "Cookie: _xsrf=" + std::string(token) + "\r\n";
  }
  static constexpr std::string_view form = "Content-Type: application/x-www-form-urlencoded\r\n";
};

// One secret in three forms: masked with zeros, masked with ones, version 1.
constexpr std::string_view zeros = "2|00000000|000102030405060708090a0b0c0d0e0f|1300000000";
constexpr std::string_view ones = "2|FFFFFFFF|fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0|1300000000";
constexpr std::string_view bare = "000102030405060708090A0B0c0d0e0f";
constexpr std::string_view other = "100102030405060708090a0b0c0d0e0f";

struct Form : RequestHandler {
  void get() { write(xsrf_form_html() + "\n" + xsrf_token()); }
  void post() { write("done"); }
  Task<> put() {
    write("put");
    co_return;
  }
  void delete_() { write("deleted"); }
  void options() { write("options"); }
};

TEST_F(XsrfTest, TheTokenOfTheCookieMustComeWithTheRequest) {
  Application app({{"/", handler<Form>}}, {.xsrf_cookies = true});
  const std::string page = request(app, "GET /");
  const std::string set = field(page, "Set-Cookie");
  ASSERT_TRUE(set.starts_with("_xsrf=2|")) << page;
  EXPECT_EQ(set.find("Expires"), std::string::npos) << "for nobody, it is of the session";
  const std::string token = set.substr(6, set.find(';') - 6);
  EXPECT_EQ(body_of(page),
            "<input type=\"hidden\" name=\"_xsrf\" value=\"" + token + "\"/>\n" + token);

  EXPECT_EQ(code(request(app, "POST /")), "403");
  EXPECT_EQ(code(request(app, "POST /", cookie(token))), "403");
  EXPECT_EQ(code(request(app, "POST /?_xsrf=" + token)), "403");
  EXPECT_EQ(body_of(request(app, "POST /?_xsrf=" + token, cookie(token))), "done");
  EXPECT_EQ(body_of(request(app, "POST /", cookie(token) + std::string(form), "_xsrf=" + token)),
            "done");
  EXPECT_EQ(body_of(request(app, "POST /", cookie(token) + "X-XSRFToken: " + token + "\r\n")),
            "done");
  EXPECT_EQ(body_of(request(app, "POST /", cookie(token) + "X-Csrftoken: " + token + "\r\n")),
            "done");
  const std::string multipart =
      "--b\r\nContent-Disposition: form-data; name=\"_xsrf\"\r\n\r\n" + token + "\r\n--b--\r\n";
  EXPECT_EQ(body_of(request(app, "POST /",
                            cookie(token) + "Content-Type: multipart/form-data; boundary=b\r\n",
                            multipart)),
            "done");
}

TEST_F(XsrfTest, ThePagesTokenIsMaskedAnewAndStaysTheSame) {
  Application app({{"/", handler<Form>}}, {.xsrf_cookies = true});
  const std::string first = request(app, "GET /", cookie(zeros));
  const std::string second = request(app, "GET /", cookie(zeros));
  EXPECT_EQ(field(first, "Set-Cookie"), "");
  EXPECT_NE(body_of(first), body_of(second));
  const std::string token = body_of(first).substr(body_of(first).find('\n') + 1);
  EXPECT_TRUE(token.ends_with("|1300000000")) << token;
  EXPECT_EQ(code(request(app, "POST /?_xsrf=" + token, cookie(zeros))), "200");
}

TEST_F(XsrfTest, AllVersionsOfOneSecretAreTheSame) {
  Application app({{"/", handler<Form>}}, {.xsrf_cookies = true});
  for (const std::string_view sent : {zeros, ones, bare}) {
    for (const std::string_view kept : {zeros, ones, bare}) {
      const std::string line = "POST /?_xsrf=" + std::string(sent);
      EXPECT_EQ(code(request(app, line, cookie(kept))), "200") << sent << " " << kept;
      EXPECT_EQ(code(request(app, line, cookie(other))), "403") << sent;
    }
  }
  EXPECT_EQ(code(request(app, "POST /?_xsrf=any+text", "Cookie: _xsrf=\"any\\040text\"\r\n")),
            "200");
}

TEST_F(XsrfTest, WhatIsNoTokenIsRefused) {
  Application app({{"/", handler<Form>}}, {.xsrf_cookies = true});
  for (const std::string token :
       {"", "2|", "2|00000000||1", "2|00000000|00|", "2|00000000|00|x", "2|000000|00|1", "2||00|1",
        "2|00000000|0g|1", "2|00000000|00|1|1", "3|00000000|00|1", "1|00", "22|00000000|00|1"}) {
    EXPECT_EQ(code(request(app, "POST /?_xsrf=" + token, cookie(token))), "403") << token;
  }
  const std::string longest(limits::xsrf_token_bytes, 'x');
  EXPECT_EQ(code(request(app, "POST /?_xsrf=" + longest, cookie(longest))), "200");
  EXPECT_EQ(code(request(app, "POST /?_xsrf=" + longest + "x", cookie(longest + "x"))), "403");
  // A cookie that is none is replaced.
  EXPECT_TRUE(field(request(app, "GET /", cookie("3|x")), "Set-Cookie").starts_with("_xsrf=2|"));
}

TEST_F(XsrfTest, TheArgumentGoesBeforeHeaders) {
  Application app({{"/", handler<Form>}}, {.xsrf_cookies = true});
  const std::string good = "X-XSRFToken: " + std::string(zeros) + "\r\n";
  EXPECT_EQ(code(request(app, "POST /?_xsrf=bad", cookie(zeros) + good)), "403");
  EXPECT_EQ(code(request(app, "POST /?_xsrf=", cookie(zeros) + good)), "200");
  const std::string bad = "X-CSRFToken: bad\r\n";
  EXPECT_EQ(code(request(app, "POST /", cookie(zeros) + good + bad)), "200");
  EXPECT_EQ(code(request(app, "POST /", cookie(zeros) + bad)), "403");
}

TEST_F(XsrfTest, AllMethodsThatMayChangeSomethingAreChecked) {
  Application app({{"/", handler<Form>}}, {.xsrf_cookies = true});
  for (const std::string_view line : {"GET /", "HEAD /", "OPTIONS /"}) {
    EXPECT_EQ(code(request(app, line)), "200") << line;
  }
  for (const std::string_view line : {"POST /", "PUT /", "DELETE /"}) {
    EXPECT_EQ(code(request(app, line)), "403") << line;
  }
  EXPECT_EQ(code(request(app, "POST /nowhere")), "404");
  EXPECT_EQ(code(request(app, "PATCH /")), "405");
  EXPECT_NE(log_text().find("_xsrf argument is missing"), std::string::npos);
}

struct Prepared : RequestHandler {
  static inline int prepared = 0;
  static inline int pieces = 0;
  Task<> prepare() override {
    ++prepared;
    return {};
  }
  Task<> data_received(std::string_view) override {
    ++pieces;
    return {};
  }
  void post() { write("taken"); }
};
struct Key : RequestHandler {
  void check_xsrf_cookie() override {
    if (request().header("Key") != "7") throw HTTPError(401);
  }
  void post() { write("called"); }
};

TEST_F(XsrfTest, TheCheckIsBeforePrepareAndBeforeABodyIsStreamed) {
  Application app({{"/", handler<Prepared>}}, {.xsrf_cookies = true});
  Prepared::prepared = Prepared::pieces = 0;
  EXPECT_EQ(code(request(app, "POST /", cookie(zeros), "body")), "403");
  EXPECT_EQ(Prepared::prepared, 0);
  EXPECT_EQ(Prepared::pieces, 0);
  const std::string fields = cookie(zeros) + "X-XSRFToken: " + std::string(ones) + "\r\n";
  EXPECT_EQ(body_of(request(app, "POST /", fields, "body")), "taken");
  EXPECT_EQ(Prepared::pieces, 1);
}

TEST_F(XsrfTest, MiddlewareOfAnyKindStandsBeforeTheCheckAndDoesNotReplaceIt) {
  Application app({{"/", handler<Form>}}, {.xsrf_cookies = true});
  bool is_seen = false;
  const auto sees = [&is_seen](Request&) { is_seen = true; };
  app.use(sees);
  app.use(after([](Request& request) { request.set_header("X-After", "1"); }));
  std::string refused = request(app, "POST /", cookie(zeros));
  EXPECT_EQ(code(refused), "403");
  EXPECT_TRUE(is_seen);
  EXPECT_EQ(field(refused, "X-After"), "1");
  EXPECT_EQ(code(request(app, "POST /?_xsrf=" + std::string(ones), cookie(zeros))), "200");
  EXPECT_EQ(code(request(app, "POST /nowhere", cookie(zeros))), "404");
  EXPECT_EQ(code(request(app, "PATCH /", cookie(zeros))), "405");

  // The same when the chain is a coroutine.
  Application waiting({{"/", handler<Form>}}, {.xsrf_cookies = true});
  waiting.use([](Request&, Next next) -> Task<> {
    Task<> rest = next();
    co_await rest;
  });
  EXPECT_EQ(code(request(waiting, "POST /", cookie(zeros))), "403");
  EXPECT_EQ(code(request(waiting, "PUT /", cookie(zeros))), "403");
  EXPECT_EQ(code(request(waiting, "POST /?_xsrf=" + std::string(ones), cookie(zeros))), "200");
  EXPECT_EQ(code(request(waiting, "POST /nowhere", cookie(zeros))), "404");
}

TEST_F(XsrfTest, AHandlerMayCheckInItsOwnWay) {
  Application app({{"/", handler<Key>}}, {.xsrf_cookies = true});
  EXPECT_EQ(code(request(app, "POST /")), "401");
  EXPECT_EQ(code(request(app, "POST /", "Key: 7\r\n")), "200");
}

struct Known : Form {
  OptionalString get_current_user() override { return "Ann"; }
};

TEST_F(XsrfTest, TheCookieIsAsTheSettingsSay) {
  Application app({{"/", handler<Form>}, {"/known", handler<Known>}},
                  {.xsrf_cookies = true,
                   .xsrf_cookie_version = 1,
                   .xsrf_cookie_name = "__Host-x",
                   .xsrf_cookie_options = {.secure = true, .samesite = "strict"}});
  const std::string set = field(request(app, "GET /"), "Set-Cookie");
  EXPECT_EQ(set.find("; Path=/; Secure; SameSite=Strict"), 9u + 32u) << set;
  EXPECT_NE(field(request(app, "GET /known"), "Set-Cookie").find("; Expires="), std::string::npos);
  EXPECT_EQ(field(request(app, "GET /"), "Set-Cookie").find("Expires"), std::string::npos)
      << "a user's cookie leaves the settings as they are";
  const std::string kept = "Cookie: __Host-x=" + std::string(bare) + "\r\n";
  EXPECT_EQ(code(request(app, "POST /?_xsrf=" + std::string(zeros), kept)), "200");
}

TEST_F(XsrfTest, SettingsThatCannotWorkEndTheStart) {
  const auto start = [](const Settings& settings) { Application app({}, settings); };
  EXPECT_THROW(start({.xsrf_cookie_version = 3}), UsageError);
  EXPECT_THROW(start({.xsrf_cookie_name = "__Host-x"}), UsageError);
  EXPECT_THROW(start({.xsrf_cookie_name = "a b"}), UsageError);
  EXPECT_THROW(start({.xsrf_cookie_options = {.samesite = "none of these"}}), UsageError);
  EXPECT_THROW(start({.xsrf_allowed_origins = {"https://a.example"}}), UsageError);
  for (const std::string_view bad : {"*", "a.example", "https://", "https://a.example/", "null"}) {
    EXPECT_THROW(start({.xsrf_check_origin = true, .xsrf_allowed_origins = {bad}}), UsageError);
  }
}

TEST_F(XsrfTest, BrowsersSayWhereARequestComesFrom) {
  Application app({{"/", handler<Form>}},
                  {.xsrf_check_origin = true, .xsrf_allowed_origins = {"https://friend.example"}});
  const auto post = [&](const std::string& fields) { return code(request(app, "POST /", fields)); };
  const std::string evil = "Origin: http://evil.example\r\n";
  EXPECT_EQ(post(""), "200") << "no browser";
  EXPECT_EQ(post("Sec-Fetch-Site: same-origin\r\n"), "200");
  EXPECT_EQ(post("Sec-Fetch-Site: none\r\n"), "200");
  EXPECT_EQ(post("Sec-Fetch-Site: cross-site\r\n" + evil), "403");
  EXPECT_EQ(post("Sec-Fetch-Site: same-site\r\nOrigin: http://sub.test\r\n"), "403");
  EXPECT_EQ(post("Sec-Fetch-Site: cross-site\r\nOrigin: http://test\r\n"), "403");
  EXPECT_EQ(post("Sec-Fetch-Site: who-knows\r\n"), "403");
  EXPECT_EQ(post("Sec-Fetch-Site: cross-site\r\nOrigin: https://friend.example\r\n"), "200");
  EXPECT_EQ(post("Sec-Fetch-Site: cross-site\r\nOrigin: http://friend.example\r\n"), "403");
  // Browsers without the field.
  EXPECT_EQ(post("Origin: http://test\r\n"), "200");
  EXPECT_EQ(post(evil), "403");
  EXPECT_EQ(post("Origin: http://test.evil.example\r\n"), "403");
  EXPECT_EQ(post("Origin: http://test:8080\r\n"), "403");
  EXPECT_EQ(post("Origin: null\r\n"), "403");
  EXPECT_EQ(post("Origin: \r\n"), "403");
  EXPECT_EQ(post("Origin: https://friend.example\r\n"), "200");
  EXPECT_EQ(code(request(app, "GET /", "Sec-Fetch-Site: cross-site\r\n" + evil)), "200");
  EXPECT_NE(log_text().find("see xsrf_allowed_origins"), std::string::npos);
}

}  // namespace
}  // namespace squall::web
