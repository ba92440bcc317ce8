// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::web {

// Not in the unnamed namespace: a stack has the names of exported functions alone.
[[noreturn, gnu::noinline]] void throw_seven();
void throw_seven() { throw 7; }

namespace {

class DebugPageTest : public WebTest {
 protected:
  static void expect(const std::string& page, std::string_view text) {
    EXPECT_NE(page.find(text), std::string::npos) << text << " is not in\n" << page;
  }
  static void expect_no(const std::string& page, std::string_view text) {
    EXPECT_EQ(page.find(text), std::string::npos) << text << " is in\n" << page;
  }
};

struct Failing : RequestHandler {
  void get(const std::string&) {
    try {
      throw std::invalid_argument("<no> number");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("cannot read the order"));
    }
  }
  void post(const std::string&) { throw_seven(); }
};

constexpr std::string_view secrets =
    "Authorization: Bearer hush1\r\nCookie: a=hush2\r\nX-Api-Key: hush3\r\n"
    "X-Note: <b>note</b>\r\n";

TEST_F(DebugPageTest, ShowsWhatWasThrownTheRequestAndTheSettings) {
  Application app({{"/orders/{id}", handler<Failing>}},
                  {.debug = true, .cookie_secret = "hush4", .login_url = "/login"});
  const std::string page = request(app, "GET /orders/7?page=2&password=hush5",
                                   "Accept: text/html,*/*\r\n" + std::string(secrets));
  EXPECT_EQ(code(page), "500");
  EXPECT_EQ(field(page, "Content-Type"), "text/html; charset=UTF-8");
  EXPECT_EQ(field(page, "Content-Security-Policy").find("default-src 'none'; style-src"), 0U);
  expect(page, "cannot read the order");
  expect(page, "&lt;no&gt; number");
  expect(page, "std::invalid_argument");
  expect(page, "Failing");
  expect(page, "<td>route</td><td>/orders/{id}</td>");
  expect(page, "<td>id</td><td>7</td>");
  expect(page, "<td>page</td><td>2</td>");
  expect(page, "<td>password</td><td>not shown</td>");
  expect(page, "<td>Authorization</td><td>not shown</td>");
  expect(page, "<td>X-Note</td><td>&lt;b&gt;note&lt;/b&gt;</td>");
  expect(page, "<td>cookie_secret</td><td>set, not shown</td>");
  expect(page, "<td>login_url</td><td>/login</td>");
  expect_no(page, "hush");
}

TEST_F(DebugPageTest, ShowsWhereItWasThrownWhereTracesAreLinked) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers stand where the traces do";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizers stand where the traces do";
#endif
#endif
  Application app({{"/orders/{id}", handler<Failing>}}, {.debug = true});
  const std::string page = request(app, "POST /orders/7", {}, "x");
  expect(page, "at squall::web::throw_seven()");
  if (std::system("addr2line --version > /dev/null 2>&1") == 0) {
    expect(page, "debug_page_test.cpp:");
  }
}

TEST_F(DebugPageTest, IsTextToWhoDoesNotAskForHTML) {
  Application app({{"/orders/{id}", handler<Failing>}}, {.debug = true});
  const std::string page =
      request(app, "POST /orders/7",
              "Accept: */*\r\nContent-Type: application/x-www-form-urlencoded\r\n", "size=<3>");
  EXPECT_EQ(field(page, "Content-Type"), "text/plain; charset=UTF-8");
  expect(page, "500 Internal Server Error\n");
  expect(page, "something that is no std::exception");
  expect(page, "\nArguments of the body\n  size: <3>\n");
}

TEST_F(DebugPageTest, IsThereForPathsWithoutARouteToo) {
  Application app({{"/orders/{id}", handler<Failing>}}, {.debug = true});
  const std::string page = request(app, "GET /none");
  EXPECT_EQ(code(page), "404");
  expect(page, "  route: none matches\n");
}

TEST_F(DebugPageTest, ShowsNothingOfThatWithoutDebug) {
  Application app({{"/orders/{id}", handler<Failing>}}, {.login_url = "/login"});
  const std::string page = request(app, "GET /orders/7", "Accept: text/html\r\n");
  EXPECT_EQ(code(page), "500");
  for (const std::string_view text : {"order", "number", "Failing", "login", "Accept"}) {
    expect_no(body_of(page), text);
  }
}

}  // namespace
}  // namespace squall::web
