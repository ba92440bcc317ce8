// SPDX-License-Identifier: Apache-2.0
#include "web/session_state.hpp"
#include "web/web_testing.hpp"

#include <squall/base/limits.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/session.hpp>
#include <squall/web/signed_value.hpp>
#include <squall/web/store.hpp>

#include <chrono>
#include <map>
#include <string>
#include <time.h>
#include <utility>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

/// Keeps everything where the test can see and change it; each call takes a turn of the loop.
struct OpenStore : Store {
  Task<OptionalString> get(std::string key) override {
    co_await sleep(0ms);
    ++gets;
    const auto found = texts.find(key);
    co_return found != texts.end() ? OptionalString(found->second) : OptionalString();
  }
  Task<> set(std::string key, std::string value, Duration time_to_live) override {
    co_await sleep(0ms);
    if (is_broken) throw Error("the store is broken");
    ++sets;
    last_time = time_to_live;
    texts[key] = value;
  }
  Task<> erase(std::string key) override {
    co_await sleep(0ms);
    texts.erase(key);
  }

  std::map<std::string, std::string> texts;
  Duration last_time;
  int gets = 0;
  int sets = 0;
  bool is_broken = false;
};

struct Site : RequestHandler {
  Task<> get() {
    Session session = co_await this->session();
    write(session.get("user").value_or("nobody"));
    if (session.is_new()) write(" new");
    const OptionalString message = session.take("message");
    if (message) write(" " + *message);
    co_await session.save();
  }
  Task<> post() {  // logs in
    Session session = co_await this->session();
    session.regenerate();
    session.set("user", get_argument("user"));
    session.set("message", "welcome");
    co_await session.save();
  }
  Task<> put() {  // sets a text
    Session session = co_await this->session();
    session.set(get_argument("name"), get_argument("value"));
    co_await session.save();
  }
  Task<> delete_() {  // logs out
    Session session = co_await this->session();
    session.clear();
    co_await session.save();
  }
};

class SessionTest : public WebTest {
 protected:
  /// A request with the cookie that the client has, which it keeps as a browser does.
  std::string ask(std::string_view line, std::string_view more = {}) {
    Application app({{"/", handler<Site>}}, settings);
    std::string fields(more);
    if (!cookie.empty()) fields += "Cookie: session=" + cookie + "\r\n";
    if (!line.starts_with("GET")) fields += "Content-Length: 0\r\n";
    const std::string answer = request(app, line, fields);
    set_cookie = field(answer, "Set-Cookie");
    if (set_cookie.starts_with("session=")) {
      cookie = set_cookie.substr(8, set_cookie.find(';') - 8);
    }
    return answer;
  }
  std::string read(std::string_view line) { return body_of(ask(line)); }

  /// Makes all sessions look older.
  void age(std::int64_t created, std::int64_t saved) {
    for (auto& [key, text] : store.texts) {
      SessionRecord record;
      ASSERT_TRUE(record.read(text));
      record.created -= created;
      record.saved -= saved;
      text = record.write();
    }
  }

  OpenStore store;
  Settings settings;
  std::string cookie;
  std::string set_cookie;
};

class StoredSessionTest : public SessionTest {
 protected:
  StoredSessionTest() { settings.session_store = &store; }
};

class CookieSessionTest : public SessionTest {
 protected:
  CookieSessionTest() { settings.cookie_secret = "a secret of the tests: 0123456789"; }
};

TEST(SessionRecord, IsReadAsItWasWritten) {
  SessionRecord record{1, 2, {{"a", "b"}, {"", std::string("\0,", 2)}}};
  SessionRecord other;
  ASSERT_TRUE(other.read(record.write()));
  EXPECT_EQ(other.created, 1);
  EXPECT_EQ(other.saved, 2);
  EXPECT_EQ(other.texts, record.texts);
  const std::string text = record.write();
  int whole = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (other.read(std::string_view(text).substr(0, i))) ++whole;
  }
  EXPECT_EQ(whole, 2);  // without texts, and with the first
}

TEST_F(StoredSessionTest, KnowsAUserAgain) {
  EXPECT_EQ(read("GET /"), "nobody new");
  EXPECT_EQ(set_cookie, "");  // nothing to keep: no cookie
  ask("POST /?user=Ann");
  EXPECT_EQ(store.texts.size(), 1U);
  EXPECT_EQ(store.last_time, Duration(14 * 24h));
  EXPECT_EQ(read("GET /"), "Ann welcome");
  EXPECT_EQ(read("GET /"), "Ann");
  EXPECT_EQ(store.texts.size(), 1U);
}

TEST_F(StoredSessionTest, TheCookieTellsNothing) {
  ask("POST /?user=Ann");
  EXPECT_EQ(cookie.size(), 32U);  // 24 bytes
  EXPECT_EQ(set_cookie, "session=" + cookie + "; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax");
  const std::string first = cookie;
  EXPECT_EQ(store.texts.begin()->first.find(cookie), std::string::npos);
  cookie.clear();
  ask("POST /?user=Ann");
  EXPECT_NE(cookie, first);
}

TEST_F(StoredSessionTest, AnIdIsOfTheSiteNotOfTheClient) {
  const std::string planted = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  cookie = planted;
  ask("PUT /?name=a&value=b");
  EXPECT_NE(cookie, planted);
  EXPECT_EQ(cookie.size(), 32U);
  for (const char* const other : {"short", "../../../../../../../../../etc/pw"}) {
    cookie = other;
    EXPECT_EQ(read("GET /"), "nobody new");
  }
}

TEST_F(StoredSessionTest, LoggingInGivesAnotherId) {
  ask("PUT /?name=cart&value=apples");
  const std::string before = cookie;
  ask("POST /?user=Ann");
  EXPECT_NE(cookie, before);
  EXPECT_EQ(store.texts.size(), 1U);
  EXPECT_NE(store.texts.begin()->second.find("apples"), std::string::npos);
  cookie = before;
  EXPECT_EQ(read("GET /"), "nobody new");
}

TEST_F(StoredSessionTest, LoggingOutRemovesSessionAndCookie) {
  ask("POST /?user=Ann");
  const std::string before = cookie;
  ask("DELETE /");
  EXPECT_TRUE(store.texts.empty());
  EXPECT_NE(set_cookie.find("session=; "), std::string::npos) << set_cookie;
  EXPECT_NE(set_cookie.find("Expires="), std::string::npos) << set_cookie;
  cookie = before;
  EXPECT_EQ(read("GET /"), "nobody new");
}

TEST_F(StoredSessionTest, LastsAsLongAsItIsUsed) {
  ask("POST /?user=Ann");
  ask("GET /");
  const int sets = store.sets;
  age(0, 24 * 3600);
  ask("GET /");
  EXPECT_EQ(store.sets, sets);  // not at each request
  EXPECT_EQ(set_cookie, "");
  age(0, 24 * 3600);
  EXPECT_EQ(read("GET /"), "Ann");
  EXPECT_EQ(store.sets, sets + 1);
  EXPECT_NE(set_cookie.find("Max-Age=1209600"), std::string::npos) << set_cookie;
  age(0, 14 * 24 * 3600 + 1);
  EXPECT_EQ(read("GET /"), "nobody new");
  EXPECT_TRUE(store.texts.empty());
}

TEST_F(StoredSessionTest, MayHaveALifetime) {
  settings.session.max_lifetime = 1h;
  ask("POST /?user=Ann");
  age(3590, 0);
  EXPECT_EQ(read("GET /"), "Ann welcome");
  age(20, 0);
  EXPECT_EQ(read("GET /"), "nobody new");
  EXPECT_TRUE(store.texts.empty());
}

TEST_F(StoredSessionTest, ATextThatIsNoSessionIsNone) {
  ask("POST /?user=Ann");
  store.texts.begin()->second = "nonsense";
  EXPECT_EQ(read("GET /"), "nobody new");
  EXPECT_NE(log_text().find("no session"), std::string::npos);
}

TEST_F(StoredSessionTest, AStoreThatFailsIsNotPassedOver) {
  store.is_broken = true;
  EXPECT_EQ(code(ask("POST /?user=Ann")), "500");
  EXPECT_EQ(set_cookie, "");
}

TEST_F(StoredSessionTest, CachesAreToldWhomAPageIsFor) {
  EXPECT_EQ(field(ask("GET /"), "Vary"), "Cookie");
  EXPECT_EQ(field(ask("POST /?user=Ann"), "Cache-Control"), "private");
}

TEST_F(StoredSessionTest, TheCookieIsSecureOverHTTPS) {
  settings.protocol = "https";
  ask("POST /?user=Ann");
  EXPECT_NE(set_cookie.find("; Secure"), std::string::npos) << set_cookie;
}

TEST_F(StoredSessionTest, TheCookieIsWhatTheSettingsSay) {
  settings.session = {.cookie_name = "__Host-s",
                      .samesite = "Strict",
                      .secure = true,
                      .until_browser_closes = true};
  ask("POST /?user=Ann");
  EXPECT_TRUE(set_cookie.starts_with("__Host-s=")) << set_cookie;
  EXPECT_TRUE(set_cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict")) << set_cookie;
}

TEST_F(StoredSessionTest, SettingsThatCannotBeKeptAreAMisuse) {
  settings.session.max_age = 0s;
  EXPECT_THROW(Application({}, settings), UsageError);
  settings.session = {.cookie_name = "__Host-s"};
  EXPECT_THROW(Application({}, settings), UsageError);
  settings.session = {.cookie_name = "a b"};
  EXPECT_THROW(Application({}, settings), UsageError);
}

TEST_F(StoredSessionTest, HasALimit) {
  ask("POST /?user=Ann");
  const std::string before = store.texts.begin()->second;
  struct Large : RequestHandler {
    Task<> get() {
      Session session = co_await this->session();
      session.set("large", std::string(limits::session_bytes, 'x'));
      co_await session.save();
    }
  };
  Application app({{"/", handler<Large>}}, settings);
  EXPECT_EQ(code(request(app, "GET /")), "500");
  EXPECT_NE(log_text().find("limits::session_bytes"), std::string::npos);
}

struct Forgetful : RequestHandler {
  Task<> get() {
    Session session = co_await this->session();
    session.set("a", "b");
  }
  Task<> post() {
    Session session = co_await this->session();
    session.set("a", "b");
    throw HTTPError(400);
  }
};

TEST_F(StoredSessionTest, ChangesThatAreNotSavedAreLogged) {
  {
    Application app({{"/", handler<Forgetful>}}, settings);
    EXPECT_EQ(code(request(app, "POST /", "Content-Length: 0\r\n")), "400");
  }
  EXPECT_EQ(log_text().find("app: "), std::string::npos) << log_text();
  Application app({{"/", handler<Forgetful>}}, settings);
  EXPECT_EQ(code(request(app, "GET /")), "200");
  EXPECT_NE(log_text().find("changes of a session are lost"), std::string::npos);
}

struct Late : RequestHandler {
  Task<> get() {
    Session session = co_await this->session();
    session.set("a", "b");
    write("some");
    flush();
    co_await session.save();
  }
};

TEST_F(StoredSessionTest, ASessionIsSavedBeforeTheHeadLeaves) {
  Application app({{"/", handler<Late>}}, settings);
  request(app, "GET /");
  EXPECT_NE(log_text().find("before flush()"), std::string::npos) << log_text();
  EXPECT_TRUE(store.texts.empty());
}

Task<> ask_for_it(RequestHandler* handler, std::string name) {
  Session session = co_await handler->session();
  session.set(name, "x");
}
struct Twice : RequestHandler {
  Task<> get() {
    TaskGroup group;
    group.spawn(ask_for_it(this, "a"));
    group.spawn(ask_for_it(this, "b"));
    co_await group.join();
    Session session = co_await this->session();
    if (session.contains("a") && session.contains("b")) write("one");
    session.erase("a");
    session.erase("b");
    if (session.is_empty()) write(" empty");
    co_await session.save();
  }
};

TEST_F(StoredSessionTest, ARequestHasOneSession) {
  Application app({{"/", handler<Twice>}}, settings);
  EXPECT_EQ(body_of(request(app, "GET /")), "one empty");
  EXPECT_TRUE(store.texts.empty());
}

struct Page : RequestHandler {
  Task<> load_current_user() override {
    Session session = co_await this->session();
    set_current_user(session.get("user"));
  }
  void get() { write(current_user().value_or("nobody")); }
};

TEST_F(StoredSessionTest, MayNameTheUserOfAPlainHandler) {
  ask("POST /?user=Ann");
  Application app({{"/", handler<Page>}}, settings);
  EXPECT_EQ(body_of(request(app, "GET /", "Cookie: session=" + cookie + "\r\n")), "Ann");
}

TEST_F(CookieSessionTest, KnowsAUserAgain) {
  EXPECT_EQ(read("GET /"), "nobody new");
  EXPECT_EQ(set_cookie, "");
  ask("POST /?user=Ann");
  EXPECT_EQ(read("GET /"), "Ann welcome");
  EXPECT_EQ(read("GET /"), "Ann");
  ask("DELETE /");
  EXPECT_EQ(cookie, "");
  EXPECT_EQ(read("GET /"), "nobody new");
}

TEST_F(CookieSessionTest, BelievesOnlyWhatTheSiteSigned) {
  ask("POST /?user=Ann");
  const std::string whole = cookie;
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    cookie = whole;
    cookie[i] = cookie[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(read("GET /"), "nobody new") << cookie;
  }
  cookie = web::create_signed_value(settings.cookie_secret, "other",
                                    SessionRecord{::time(nullptr), ::time(nullptr), {}}.write());
  EXPECT_EQ(read("GET /"), "nobody new");
}

TEST_F(CookieSessionTest, LastsAsLongAsItIsUsed) {
  const std::int64_t now = ::time(nullptr);
  const auto cookie_of = [&](std::int64_t age) {
    const std::string text = SessionRecord{now - age, now - age, {{"user", "Ann"}}}.write();
    return web::create_signed_value(settings.cookie_secret, "session", text,
                                    {.unix_time = now - age});
  };
  cookie = cookie_of(24 * 3600);
  EXPECT_EQ(read("GET /"), "Ann");
  EXPECT_EQ(set_cookie, "");
  cookie = cookie_of(2 * 24 * 3600);
  EXPECT_EQ(read("GET /"), "Ann");
  EXPECT_NE(set_cookie.find("Max-Age=1209600"), std::string::npos) << set_cookie;
  cookie = cookie_of(14 * 24 * 3600 + 1);
  EXPECT_EQ(read("GET /"), "nobody new");
  settings.session.max_lifetime = 1h;
  cookie = cookie_of(3599);
  EXPECT_EQ(read("GET /"), "Ann");
  cookie = cookie_of(3601);
  EXPECT_EQ(read("GET /"), "nobody new");
}

TEST_F(CookieSessionTest, IsNoLargerThanBrowsersKeep) {
  ask("PUT /?name=a&value=" + std::string(2900, 'x'));
  EXPECT_LE(cookie.size(), limits::session_cookie_bytes);
  EXPECT_NE(set_cookie, "");
  EXPECT_EQ(code(ask("PUT /?name=b&value=" + std::string(300, 'y'))), "500");
  EXPECT_NE(log_text().find("give Settings::session_store"), std::string::npos) << log_text();
}

TEST_F(SessionTest, WithoutStoreOrSecretTheLogSaysWhatToSet) {
  EXPECT_EQ(code(ask("GET /")), "500");
  EXPECT_NE(log_text().find("cookie_secret"), std::string::npos);
}

}  // namespace
}  // namespace squall::web
