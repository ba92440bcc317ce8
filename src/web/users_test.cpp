// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/event_source_handler.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/websocket_handler.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

class UsersTest : public WebTest {};

constexpr std::string_view ann = "User: Ann\r\n";

/// Believes a header, which only a test may.
struct Page : RequestHandler {
  OptionalString get_current_user() override {
    if (!request().has_header("User")) return {};
    return request().header("User");
  }
};

struct Counting : RequestHandler {
  static inline int calls = 0;
  OptionalString get_current_user() override {
    ++calls;
    return {};
  }
  void get() {
    if (current_user() || current_user()) write("?");
    set_current_user("Bob");
    write(*current_user());
    set_current_user({});
    write(current_user() ? "?" : " out");
  }
};

TEST_F(UsersTest, TheUserIsAskedForOnceAndMayBeSet) {
  Application app({{"/", handler<Counting>}});
  Counting::calls = 0;
  EXPECT_EQ(body_of(request(app, "GET /")), "Bob out");
  EXPECT_EQ(Counting::calls, 1);
}

struct Account {
  Account(int number, int* gone) : id(number), counter(gone) {}
  Account(Account&& other) noexcept
      : id(other.id), counter(std::exchange(other.counter, nullptr)) {}
  Account& operator=(Account&&) = delete;
  ~Account() {
    if (counter != nullptr) ++*counter;
  }
  int id;
  int* counter;
};

struct Typed : RequestHandler {
  static inline int gone = 0;
  Task<> prepare() override {
    co_await sleep(1ms);
    set_current_user("Ann", Account(6, &gone));
    set_current_user("Ann", Account(7, &gone)).id += 1;
  }
  void get() {
    write(*current_user() + std::to_string(current_user_as<Account>()->id));
    if (current_user_as<int>() != nullptr) write("?");
    set_current_user("Bob");
    if (current_user_as<Account>() != nullptr) write("?");
  }
};

TEST_F(UsersTest, WhatElseIsKnownOfTheUserHasItsType) {
  Application app({{"/", handler<Typed>}, {"/nobody", handler<Page>}});
  Typed::gone = 0;
  EXPECT_EQ(body_of(request(app, "GET /")), "Ann8");
  EXPECT_EQ(Typed::gone, 2);
}

struct Left : RequestHandler {
  static inline int gone = 0;
  void get() {
    set_current_user("Ann", Account(1, &gone));
    write("kept");
  }
  void post() { write(current_user() ? "somebody else's" : "nobody"); }
};

TEST_F(UsersTest, NothingIsLeftForTheNextRequest) {
  Application app({{"/", handler<Left>}});
  Left::gone = 0;
  const std::string answers = send(app,
                                   "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                                   "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(answers.find("kept"), std::string::npos);
  EXPECT_NE(answers.find("nobody"), std::string::npos) << answers;
  EXPECT_EQ(Left::gone, 1);
}

struct Members : Page {
  static constexpr bool authenticated = true;
  void get() { write("hello " + *current_user()); }
  Task<> post() {
    co_await sleep(1ms);
    write("posted by " + *current_user());
  }
};
struct Upload : Page {
  static constexpr bool authenticated = true;
  static inline int pieces = 0;
  Task<> data_received(std::string_view) override {
    ++pieces;
    return {};
  }
  void put() { write("taken"); }
};
struct Partly : Page {
  void get() { write("for all"); }
  void post() { write("by " + require_user()); }
  Task<> head() {
    co_await sleep(1ms);
    static_cast<void>(require_user());
    write("not sent");
  }
};
struct Open : Members {
  static constexpr bool authenticated = false;
  void get() { write("open"); }
};

TEST_F(UsersTest, ThoseWhoAreNobodyAreSentToLogIn) {
  Application app({{"/members", handler<Members>}, {"/open", handler<Open>}},
                  {.login_url = "/login"});
  EXPECT_EQ(body_of(request(app, "GET /members", ann)), "hello Ann");
  EXPECT_EQ(body_of(request(app, "POST /members", ann)), "posted by Ann");
  const std::string sent = request(app, "GET /members?a=b%20c&d=e");
  EXPECT_EQ(code(sent), "302");
  EXPECT_EQ(field(sent, "Location"), "/login?next=%2Fmembers%3Fa%3Db%2520c%26d%3De");
  EXPECT_EQ(body_of(sent), "");
  EXPECT_EQ(code(request(app, "HEAD /members")), "302");
  const std::string refused = request(app, "POST /members");
  EXPECT_EQ(code(refused), "403");
  EXPECT_EQ(refused.find("posted"), std::string::npos);
  EXPECT_EQ(body_of(request(app, "GET /open")), "open");
}

TEST_F(UsersTest, ABodyOfNobodyIsNotTaken) {
  Application app({{"/upload", handler<Upload>}}, {.login_url = "/login"});
  Upload::pieces = 0;
  EXPECT_EQ(code(request(app, "PUT /upload", {}, "body")), "403");
  EXPECT_EQ(Upload::pieces, 0);
  EXPECT_EQ(body_of(request(app, "PUT /upload", ann, "body")), "taken");
  EXPECT_EQ(Upload::pieces, 1);
}

TEST_F(UsersTest, OneVerbMayRequireAUser) {
  Application app({{"/", handler<Partly>}}, {.login_url = "/login"});
  EXPECT_EQ(body_of(request(app, "GET /")), "for all");
  EXPECT_EQ(body_of(request(app, "POST /", ann)), "by Ann");
  EXPECT_EQ(code(request(app, "POST /")), "403");
  EXPECT_EQ(field(request(app, "HEAD /"), "Location"), "/login?next=%2F");
  EXPECT_EQ(code(request(app, "HEAD /", ann)), "200");
}

TEST_F(UsersTest, ALoginPageElsewhereIsToldTheWholeURL) {
  Application far({{"/", handler<Members>}}, {.login_url = "https://login.example/in"});
  EXPECT_EQ(field(request(far, "GET /?a"), "Location"),
            "https://login.example/in?next=http%3A%2F%2Ftest%2F%3Fa");
  Application known({{"/", handler<Members>}}, {.login_url = "/login?from=here"});
  EXPECT_EQ(field(request(known, "GET /"), "Location"), "/login?from=here");
  Application none({{"/", handler<Members>}});
  EXPECT_EQ(code(request(none, "GET /")), "500");
  EXPECT_NE(log_text().find("needs Settings::login_url"), std::string::npos) << log_text();
}

TEST_F(UsersTest, MiddlewareSeesWhomTheHandlerKnows) {
  Application app({{"/", handler<Members>}}, {.login_url = "/login"});
  std::string seen;
  app.use([&seen](Request& request) {
    seen = request.current_user() ? *request.current_user() : "nobody";
  });
  EXPECT_EQ(body_of(request(app, "GET /", ann)), "hello Ann");
  EXPECT_EQ(seen, "Ann");
  EXPECT_EQ(code(request(app, "GET /")), "302");
  EXPECT_EQ(seen, "nobody");
}

struct Loading : RequestHandler {
  static constexpr bool authenticated = true;
  Task<> load_current_user() override {
    std::string name(request().header("User"));
    co_await sleep(1ms);
    if (name == "broken") throw HTTPError(503);
    if (!name.empty()) set_current_user(std::move(name));
  }
  Task<> prepare() override {
    write(current_user() ? "prepared for " + *current_user() + ", " : "nobody");
    return {};
  }
  void get() { write("hello"); }
};

TEST_F(UsersTest, TheUserMayBeWaitedFor) {
  for (const bool behind_middleware : {false, true}) {
    Application app({{"/", handler<Loading>}}, {.login_url = "/login"});
    if (behind_middleware) app.use([](Request&) -> Task<> { co_await sleep(1ms); });
    EXPECT_EQ(body_of(request(app, "GET /", ann)), "prepared for Ann, hello");
    EXPECT_EQ(code(request(app, "GET /", "User: broken\r\n")), "503");
    EXPECT_EQ(code(request(app, "GET /")), "302");
  }
}

struct Socket : WebSocketHandler {
  static constexpr bool authenticated = true;
  OptionalString get_current_user() override {
    if (!request().has_header("User")) return {};
    return request().header("User");
  }
  void open() { write_message("hello " + *current_user()); }
};
struct Events : EventSourceHandler {
  static constexpr bool authenticated = true;
  Task<> load_current_user() override {
    if (request().has_header("User")) set_current_user(request().header("User"));
    return {};
  }
  void open() {
    send_event("hello " + *current_user());
    close();
  }
};

TEST_F(UsersTest, WebSocketsAndEventsOfNobodyGet403) {
  Application app({{"/ws", handler<Socket>}, {"/events", handler<Events>}},
                  {.login_url = "/login"});
  const std::string handshake =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(code(request(app, "GET /ws", handshake)), "403");
  EXPECT_EQ(code(request(app, "GET /events")), "403");
  EXPECT_NE(body_of(request(app, "GET /events", ann)).find("hello Ann"), std::string::npos);
  const std::string opened =
      send(app, "GET /ws HTTP/1.1\r\nHost: test\r\n" + std::string(ann) + handshake + "\r\n");
  EXPECT_EQ(code(opened), "101");
  EXPECT_NE(opened.find("hello Ann"), std::string::npos);
}

struct Login : RequestHandler {
  void get() { redirect(get_next_url("/home")); }
  void post() { require_setting("cookie_secret", "this page"); }
  void put() { require_setting("cookie_sekret"); }
};

TEST_F(UsersTest, AfterLoggingInNobodyIsSentToAnotherHost) {
  Application app({{"/", handler<Login>}});
  const auto to = [&](const std::string& next) {
    return field(request(app, "GET /?next=" + next), "Location");
  };
  EXPECT_EQ(to("/a?b=c"), "/a?b=c");
  EXPECT_EQ(to("http://test/a"), "http://test/a");
  EXPECT_EQ(to("http://test"), "http://test");
  for (const std::string bad :
       {"", "//evil.example", "/%5Cevil.example", "/%09/evil.example", "%5C%5Cevil", "http://evil",
        "http://test.evil.example", "http://test@evil.example", "https://test/", "javascript:1",
        "evil", "http://test%5C@evil"}) {
    EXPECT_EQ(to(bad), "/home") << bad;
  }
}

TEST_F(UsersTest, ASettingThatIsMissingIsNamed) {
  Application app({{"/", handler<Login>}});
  EXPECT_EQ(code(request(app, "POST /")), "500");
  EXPECT_NE(log_text().find("this page needs Settings::cookie_secret"), std::string::npos);
  EXPECT_EQ(code(request(app, "PUT /")), "500");
  EXPECT_NE(log_text().find("knows no setting \"cookie_sekret\""), std::string::npos);
  Application set({{"/", handler<Login>}}, {.cookie_secret = "secret"});
  EXPECT_EQ(code(request(set, "POST /")), "200");
}

struct Logging : RequestHandler {
  static inline int seen = 0;
  void log_exception(std::exception_ptr error) override {
    ++seen;
    if (seen == 2) throw HTTPError(404);
    RequestHandler::log_exception(std::move(error));
  }
  void get() { throw HTTPError(418, "a teapot"); }
  void post() { throw Finish(); }
};

TEST_F(UsersTest, WhatIsThrownIsLoggedByAHook) {
  Application app({{"/", handler<Logging>}});
  Logging::seen = 0;
  EXPECT_EQ(code(request(app, "GET /")), "418");
  EXPECT_NE(log_text().find("a teapot"), std::string::npos);
  EXPECT_EQ(code(request(app, "GET /")), "418");
  EXPECT_NE(log_text().find("log_exception threw"), std::string::npos);
  EXPECT_EQ(code(request(app, "POST /")), "200");
  EXPECT_EQ(Logging::seen, 2);
}

}  // namespace
}  // namespace squall::web
