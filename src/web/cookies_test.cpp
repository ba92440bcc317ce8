// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/signed_value.hpp>

#include <string>
#include <time.h>

namespace squall::web {
namespace {

class CookiesTest : public WebTest {
 protected:
  static std::string cookie(std::string_view name, std::string_view value) {
    return "Cookie: " + std::string(name) + "=" + std::string(value) + "\r\n";
  }
  /// The value of the first Set-Cookie, and without its attributes.
  static std::string set_value(std::string_view answer) {
    const std::string line = field(answer, "Set-Cookie");
    const std::size_t begin = line.find('=') + 1;
    return line.substr(begin, line.find(';') - begin);
  }
};

struct Signed : RequestHandler {
  void get() {
    const OptionalString value = get_signed_cookie("user");
    write(value ? "<" + *value + ">" : "nobody");
    write(" " + std::to_string(get_signed_cookie_key_version("user")));
  }
  void post() { set_signed_cookie("user", "Ann\n|", {.httponly = true, .samesite = "Lax"}); }
  void put() { set_secure_cookie("user", "Bob", {.expires_days = 0, .version = 1}); }
  void delete_() { write(create_signed_value("link", "x")); }
};

TEST_F(CookiesTest, ASignedCookieIsReadBack) {
  Application app({{"/", handler<Signed>}}, {.cookie_secret = "not to be told"});
  const std::string set = request(app, "POST /");
  EXPECT_NE(field(set, "Set-Cookie").find("; Path=/; HttpOnly; SameSite=Lax"), std::string::npos);
  EXPECT_NE(field(set, "Set-Cookie").find("; Expires="), std::string::npos);
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", set_value(set)))), "<Ann\n|> 0");
  const std::string old = request(app, "PUT /");
  EXPECT_EQ(field(old, "Set-Cookie").find("; Expires="), std::string::npos);
  EXPECT_TRUE(set_value(old).starts_with("Qm9i|")) << old;
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", set_value(old)))), "<Bob> -1");
}

TEST_F(CookiesTest, ACookieThatIsNotSignedIsNothing) {
  Application app({{"/", handler<Signed>}}, {.cookie_secret = "not to be told"});
  EXPECT_EQ(body_of(request(app, "GET /")), "nobody -1");
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", "Ann"))), "nobody -1");
  const std::string other = create_signed_value("another", "user", "Ann");
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", other))), "nobody 0");
  const std::string name = create_signed_value("not to be told", "users", "Ann");
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", name))), "nobody 0");
  const std::string old = create_signed_value("not to be told", "user", "Ann",
                                              {.unix_time = ::time(nullptr) - 32 * 86400});
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", old))), "nobody 0");
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", std::string(20000, '2')))), "nobody -1");
}

TEST_F(CookiesTest, KeysAreRotated) {
  Application app({{"/", handler<Signed>}},
                  {.cookie_secrets = {{1, "old"}, {2, "new"}}, .key_version = 2});
  const std::string set = set_value(request(app, "POST /"));
  EXPECT_EQ(get_signature_key_version(set), 2);
  EXPECT_EQ(decode_signed_value({{2, "new"}}, "user", set), "Ann\n|");
  const std::string before = create_signed_value({{1, "old"}}, "user", "Ann", {.key_version = 1});
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", before))), "<Ann> 1");
  const std::string gone = create_signed_value({{0, "old"}}, "user", "Ann", {.key_version = 0});
  EXPECT_EQ(body_of(request(app, "GET /", cookie("user", gone))), "nobody 0");
}

TEST_F(CookiesTest, WithoutASecretTheLogSaysWhatToSet) {
  Application app({{"/", handler<Signed>}});
  for (const std::string_view line : {"GET /", "POST /", "DELETE /"}) {
    EXPECT_EQ(code(request(app, line)), "500");
  }
  EXPECT_NE(log_text().find("set Settings::cookie_secret"), std::string::npos) << log_text();
}

TEST_F(CookiesTest, SecretsThatCannotWorkEndTheStart) {
  const auto start = [](const Settings& settings) { Application app({}, settings); };
  EXPECT_THROW(start({.key_version = 1}), UsageError);
  EXPECT_THROW(start({.cookie_secret = "a", .key_version = 0}), UsageError);
  EXPECT_THROW(start({.cookie_secrets = {{1, "a"}}}), UsageError);
  EXPECT_THROW(start({.cookie_secrets = {{1, "a"}}, .key_version = 2}), UsageError);
  EXPECT_THROW(start({.cookie_secrets = {{1, "a"}, {1, "b"}}, .key_version = 1}), UsageError);
  EXPECT_THROW(start({.cookie_secrets = {{1, ""}}, .key_version = 1}), UsageError);
  EXPECT_THROW(start({.cookie_secrets = {{-1, "a"}}, .key_version = -1}), UsageError);
  EXPECT_THROW(start({.cookie_secret = "a", .cookie_secrets = {{1, "a"}}, .key_version = 1}),
               UsageError);
}

struct Plain : RequestHandler {
  void get() { set_cookie("a", "b", {.expires_days = 7, .expires = 784111777}); }
  void post() { set_cookie("__Host-a", "b", {.secure = true}); }
  void put() { set_cookie("__Host-a", "b", {.path = "/x", .secure = true}); }
  void patch() { set_cookie("__Secure-a", "b"); }
  void delete_() { clear_all_cookies(); }
};

TEST_F(CookiesTest, ATimeGoesBeforeDays) {
  Application app({{"/", handler<Plain>}});
  EXPECT_EQ(field(request(app, "GET /"), "Set-Cookie"),
            "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/");
}

TEST_F(CookiesTest, PrefixesOfNamesAreKept) {
  Application app({{"/", handler<Plain>}});
  EXPECT_EQ(field(request(app, "POST /"), "Set-Cookie"), "__Host-a=b; Path=/; Secure");
  EXPECT_EQ(code(request(app, "PUT /")), "500");
  EXPECT_NE(log_text().find("cookie \"__Host-a\": browsers take"), std::string::npos) << log_text();
  EXPECT_EQ(code(request(app, "PATCH /")), "500");
  EXPECT_NE(log_text().find("cookie \"__Secure-a\": browsers take"), std::string::npos);
}

TEST_F(CookiesTest, AllOfTheRequestAreCleared) {
  Application app({{"/", handler<Plain>}});
  const std::string answer =
      request(app, "DELETE /", "Cookie: a=b; __Host-c=d; <no name>=e; a=f\r\n");
  EXPECT_EQ(code(answer), "200");
  EXPECT_NE(answer.find("\r\nSet-Cookie: a=; Expires="), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nSet-Cookie: __Host-c=; Expires="), std::string::npos) << answer;
  EXPECT_NE(answer.find("; Path=/; Secure\r\n"), std::string::npos) << answer;
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answer.find("Set-Cookie", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 2u);
}

}  // namespace
}  // namespace squall::web
