// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/web/application.hpp>
#include <squall/web/ready_handlers.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/websocket_handler.hpp>

#include <string>
#include <string_view>

namespace squall::web {
namespace {

template <class F>
std::string refusal(F what) {
  try {
    what();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct Story : RequestHandler {
  void get(int id) { write("story " + std::to_string(id)); }
  void delete_(int) {}
};
struct Named : RequestHandler {
  void get(std::string_view name) { write(name); }
  void post(std::string_view name) { write(reverse_url("named", name)); }
};
struct Two : RequestHandler {
  void get(std::string_view a, std::string_view b) { write(std::string(a) + "|" + std::string(b)); }
};
template <int Number>
struct Page : RequestHandler {
  void get() { write("page " + std::to_string(Number)); }
};

class RoutingTest : public WebTest {
 protected:
  std::string body(Application& app, const std::string& path, std::string_view fields = {}) {
    const std::string answer = request(app, "GET " + path, fields);
    return code(answer) == "200" ? body_of(answer) : code(answer);
  }
  std::string of_host(Application& app, std::string_view host, std::string_view path) {
    const std::string answer =
        send(app, "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
                      "\r\nConnection: close\r\n\r\n");
    return code(answer) == "200" ? body_of(answer) : code(answer);
  }
};

TEST_F(RoutingTest, NamedRoutesMakeTheirPaths) {
  const Application app({
      {"/", handler<Page<0>>, {.name = "home"}},
      {"/story/{id}", handler<Story>, {.name = "story"}},
      {"/file/{name}.json", handler<Named>, {.name = "file"}},
      {"/docs/{path...}", handler<Named>, {.name = "docs"}},
      {"/caf\xc3\xa9/{a}/{b}", handler<Two>, {.name = "two"}},
      {re("/archive/([0-9]{4})/(?P<rest>[^)]*)\\.html"), handler<Two>, {.name = "archive"}},
  });
  EXPECT_EQ(app.reverse_url("home"), "/");
  EXPECT_EQ(app.reverse_url("story", 7), "/story/7");
  EXPECT_EQ(app.reverse_url("story", -7L), "/story/-7");
  EXPECT_EQ(app.reverse_url("story", std::string("a b/c?d#e%f")), "/story/a%20b%2Fc%3Fd%23e%25f");
  EXPECT_EQ(app.reverse_url("file", "\xc3\xa9"), "/file/%C3%A9.json");
  EXPECT_EQ(app.reverse_url("docs", "a b/c"), "/docs/a%20b/c");
  EXPECT_EQ(app.reverse_url("docs", ""), "/docs/");
  EXPECT_EQ(app.reverse_url("two", std::string_view("x"), 1.5), "/caf%C3%A9/x/1.5");
  EXPECT_EQ(app.reverse_url("archive", 2024u, "x/y"), "/archive/2024/x/y.html");
}

TEST_F(RoutingTest, WhatReverseURLMadeLeadsBackWithTheSameArguments) {
  Application app({{"/named/{name}", handler<Named>, {.name = "named"}}});
  for (const char* const text :
       {"plain", "a/b", "?", "100%", "%2F", "\xe2\x82\xac", "a+b c", ";"}) {
    EXPECT_EQ(body(app, app.reverse_url("named", text)), text);
  }
  EXPECT_EQ(body_of(request(app, "POST /named/a%2Fb")), "/named/a%2Fb");
}

TEST_F(RoutingTest, ReverseURLNamesTheRouteThatItCannotMake) {
  const Application app({
      {"/story/{id}", handler<Story>, {.name = "story"}},
      {re("/opt(/x)?"), handler<Named>, {.name = "optional"}},
      {re("/any/\\d+"), handler<Page<0>>, {.name = "digits"}},
      {re("/n/((a)|b)"), handler<Two>, {.name = "nested"}},
  });
  EXPECT_TRUE(
      contains(refusal([&] { static_cast<void>(app.reverse_url("stories", 1)); }), "\"stories\""));
  const std::string count = refusal([&] { static_cast<void>(app.reverse_url("story")); });
  EXPECT_TRUE(contains(count, "\"story\"")) << count;
  EXPECT_TRUE(contains(count, "/story/{id}")) << count;
  EXPECT_TRUE(contains(count, "1 path arguments, not 0")) << count;
  EXPECT_TRUE(
      contains(refusal([&] { static_cast<void>(app.reverse_url("story", 1, 2)); }), "not 2"));
  EXPECT_TRUE(contains(refusal([&] { static_cast<void>(app.reverse_url("story", "")); }), "empty"));
  for (const char* const name : {"optional", "nested"}) {
    EXPECT_TRUE(contains(refusal([&] { static_cast<void>(app.reverse_url(name, 1)); }),
                         "cannot be reversed"));
  }
  EXPECT_TRUE(contains(refusal([&] { static_cast<void>(app.reverse_url("digits")); }),
                       "cannot be reversed"));
  EXPECT_TRUE(contains(refusal([] {
                         const Application twice({{"/a", handler<Page<0>>, {.name = "x"}},
                                                  {"/b", handler<Page<1>>, {.name = "x"}}});
                       }),
                       "the name \"x\""));
}

TEST_F(RoutingTest, ARouterStandsBelowItsPrefix) {
  Router users({{"", handler<Page<1>>, {.name = "list"}},
                {"/{id}", handler<Story>, {.name = "one"}},
                {re("/(x+)/(y+)"), handler<Two>, {.name = "xy"}}},
               {.name = "users"});
  users.get("/{id}/posts", [](Request&, int id) { return "posts of " + std::to_string(id); });
  users.post("/{id}/posts", [](int) { return "posted"; });
  Router api({{"/users", users}, {"/", handler<Page<2>>}});
  Application app({{"/api/v1", api, {.name = "v1"}}, {"/api/v2", api, {.name = "v2"}}});
  EXPECT_EQ(body(app, "/api/v1/users"), "page 1");
  EXPECT_EQ(body(app, "/api/v1/users/7"), "story 7");
  EXPECT_EQ(body(app, "/api/v2/users/8/posts"), "posts of 8");
  EXPECT_EQ(body(app, "/api/v2/users/xx/yy"), "xx|yy");
  EXPECT_EQ(body(app, "/api/v1/"), "page 2");
  EXPECT_EQ(body(app, "/api/v1"), "404");
  EXPECT_EQ(body(app, "/users/7"), "404");
  EXPECT_EQ(app.reverse_url("v2:users:one", 3), "/api/v2/users/3");
  EXPECT_EQ(app.reverse_url("v1:users:list"), "/api/v1/users");
  EXPECT_EQ(app.reverse_url("v1:users:xy", "x", "yy"), "/api/v1/users/x/yy");
  const std::string answer = request(app, "PUT /api/v1/users/7/posts");
  EXPECT_TRUE(has_line(answer, "Allow: GET, HEAD, POST, OPTIONS")) << answer;
  EXPECT_TRUE(has_line(request(app, "PUT /api/v1/users/7"), "Allow: GET, HEAD, DELETE, OPTIONS"));
}

TEST_F(RoutingTest, PrefixesMayHaveArgumentsAndBeExpressions) {
  Router books({{"/book/{book}", handler<Two>, {.name = "book"}}, {"", handler<Named>}});
  books.get("/count/{what}",
            [](std::string library, std::string what) { return library + " has " + what; });
  Application app({{"/library/{library}", books},
                   {re("/lib-([a-z]+)"), books, {.name = "short"}},
                   {"/library/{library}/more", handler<Named>}});
  EXPECT_EQ(body(app, "/library/north/book/7"), "north|7");
  EXPECT_EQ(body(app, "/library/a%2Fb"), "a/b");
  EXPECT_EQ(body(app, "/library/north/more"), "north");  // on to the other routes
  EXPECT_EQ(body(app, "/lib-south/book/a%20b"), "south|a b");
  EXPECT_EQ(body(app, "/lib-south"), "south");
  EXPECT_EQ(body(app, "/lib-south/count/none"), "south has none");
  EXPECT_EQ(body(app, "/lib-7/book/1"), "404");
  EXPECT_TRUE(has_line(request(app, "PUT /lib-south/count/x"), "Allow: GET, HEAD, OPTIONS"));
  EXPECT_EQ(app.reverse_url("book", "n", 7), "/library/n/book/7");
  EXPECT_EQ(app.reverse_url("short:book", "s", 7), "/lib-s/book/7");
}

TEST_F(RoutingTest, ARouterOfTheRootHasNoPrefix) {
  Application app({{"/", Router({{"", handler<Page<1>>}, {"/a", handler<Page<2>>}})}});
  EXPECT_EQ(body(app, "/"), "page 1");
  EXPECT_EQ(body(app, "/a"), "page 2");
}

TEST_F(RoutingTest, RoutersAreValues) {
  Router first({{"/a", handler<Page<1>>}});
  Router second = first;
  second.add_route({"/b", handler<Page<2>>});
  Application app({{"/1", first}, {"/2", second}});
  EXPECT_EQ(body(app, "/1/b"), "404");
  EXPECT_EQ(body(app, "/2/b"), "page 2");
}

TEST_F(RoutingTest, MisuseOfRoutersIsToldWithTheRoute) {
  const Router some({{"/a", handler<Page<1>>}});
  EXPECT_TRUE(contains(refusal([&] { const Application app({{"/x/", some}}); }), "\"/x/\""));
  EXPECT_TRUE(contains(refusal([&] { const Application app({{"x", some}}); }), "slash"));
  EXPECT_TRUE(contains(refusal([&] { const Application app({{"/{r...}", some}}); }), "at the end"));
  EXPECT_TRUE(contains(refusal([&] {
                         const Application app({{"/x", Router()}});
                       }),
                       "leads nowhere"));
  EXPECT_TRUE(contains(refusal([&] {
                         const Application app({{"/x", Router({{"a", handler<Page<1>>}})}});
                       }),
                       "\"a\" of the router at \"/x\""));
  EXPECT_TRUE(contains(refusal([&] {
                         const Application app({{"/x", some}, {"/x", some}});
                       }),
                       "/x/a"));
  EXPECT_TRUE(contains(refusal([&] {
                         const Application app({{"/{a}", Router({{"/{a}", handler<Two>}})}});
                       }),
                       "same name"));
}

TEST_F(RoutingTest, BodiesHaveTheLimitOfTheirRouteOrGroup) {
  struct Echo : RequestHandler {
    void post() { write(request().body()); }
  };
  Router small({{"/group", handler<Echo>}, {"/own", handler<Echo>, {.max_body_size = 8}}},
               {.max_body_size = 4});
  Application app({{"/small", small}, {"/free", handler<Echo>}}, {.max_body_size = 6});
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(body_of(request(app, "POST /small/group", {}, "1234")), "1234");
  EXPECT_EQ(code(request(app, "POST /small/group", {}, "12345")), "413");
  EXPECT_EQ(body_of(request(app, "POST /small/own", {}, "12345678")), "12345678");
  EXPECT_EQ(code(request(app, "POST /small/own", {}, "123456789")), "413");
  EXPECT_EQ(body_of(request(app, "POST /free", {}, "123456")), "123456");
  EXPECT_EQ(code(request(app, "POST /free", {}, "1234567")), "413");
  const std::string head = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + chunked + "\r\n";
  EXPECT_EQ(code(send(app, "POST /small/group" + head + "5\r\n12345\r\n0\r\n\r\n")), "413");
  EXPECT_EQ(code(send(app, "POST /small/own" + head + "8\r\n12345678\r\n0\r\n\r\n")), "200");
}

TEST_F(RoutingTest, HostsHaveRoutesOfTheirOwn) {
  Application app({{"/", handler<Page<0>>}, {"/shared", handler<Page<9>>}});
  app.add_handlers("www.example.com", {{"/", handler<Page<1>>}, {"/1", handler<Page<1>>}});
  app.add_handlers("*.example.com",
                   {{"/", handler<Page<2>>}, {"/1", handler<Page<2>>}, {"/2", handler<Page<2>>}});
  app.add_handlers(re("(blog|news)\\.example\\.org"), {{"/", handler<Page<3>>}});
  EXPECT_EQ(of_host(app, "www.example.com", "/"), "page 1");
  EXPECT_EQ(of_host(app, "WWW.Example.com.:8080", "/"), "page 1");
  EXPECT_EQ(of_host(app, "www.example.com", "/2"), "page 2");  // every table that matches
  EXPECT_EQ(of_host(app, "a.b.example.com", "/1"), "page 2");
  EXPECT_EQ(of_host(app, "example.com", "/"), "page 0");
  EXPECT_EQ(of_host(app, "news.example.org:80", "/"), "page 3");
  EXPECT_EQ(of_host(app, "xnews.example.org", "/"), "page 0");
  EXPECT_EQ(of_host(app, "news.example.org", "/shared"), "page 9");
  EXPECT_EQ(of_host(app, "news.example.org", "/none"), "404");
  EXPECT_EQ(of_host(app, "[::1]:80", "/"), "page 0");
}

TEST_F(RoutingTest, TheDefaultHostAnswersWhatNoOtherRouteDoes) {
  Application app({{"/own", handler<Page<0>>}}, {.default_host = "Example.com"});
  app.add_handlers("example.com", {{"/", handler<Page<1>>}, {"/own", handler<Page<1>>}});
  EXPECT_EQ(of_host(app, "other", "/"), "page 1");
  EXPECT_EQ(of_host(app, "other", "/own"), "page 0");
  EXPECT_EQ(of_host(app, "example.com", "/own"), "page 1");
}

TEST_F(RoutingTest, WhatIsNoHostIsRefused) {
  Application app;
  for (const char* const host : {"", "example.com:80", "https://x", "a b", "www\\.x", "(a|b)"}) {
    EXPECT_TRUE(contains(refusal([&] {
                           app.add_handlers(host, {{"/", handler<Page<0>>}});
                         }),
                         "no host name"))
        << host;
  }
  EXPECT_THROW(app.add_handlers(re("("), {{"/", handler<Page<0>>}}), UsageError);
}

struct OwnNotFound : RequestHandler {
  Task<> prepare() override {
    set_status(404);
    finish("nothing at " + std::string(request().path()));
    return {};
  }
};
struct OwnErrorPage : RequestHandler {
  void write_error(int status, std::exception_ptr) override {
    write("own page " + std::to_string(status));
  }
};

TEST_F(RoutingTest, TheDefaultHandlerAnswersEveryMethod) {
  for (const bool prepares : {true, false}) {
    Application app({{"/", handler<Page<0>>}});
    app.set_default_handler(prepares ? HandlerSpec(handler<OwnNotFound>) : handler<OwnErrorPage>);
    for (const char* const method : {"GET", "POST", "DELETE", "OPTIONS", "PATCH"}) {
      const std::string answer = request(app, std::string(method) + " /x");
      EXPECT_EQ(code(answer), "404") << method;
      EXPECT_EQ(body_of(answer), prepares ? "nothing at /x" : "own page 404") << method;
    }
    EXPECT_EQ(code(request(app, "POST /")), "405");
  }
}

TEST_F(RoutingTest, ErrorHandlersAnswerEveryMethod) {
  Application app(
      {{"/gone/{path...}", handler<ErrorHandler>(410)}, {"/bad", handler<ErrorHandler>(200)}});
  for (const char* const method : {"GET", "POST", "PUT", "DELETE", "PATCH"}) {
    EXPECT_EQ(code(request(app, std::string(method) + " /gone/x/y")), "410") << method;
  }
  EXPECT_EQ(code(request(app, "GET /bad")), "500");
}

TEST_F(RoutingTest, RedirectsTakePathArgumentsAndQuery) {
  Application app({
      {"/old/{id}", handler<RedirectHandler>("/new/{id}")},
      {"/moved/{a}/{b}", handler<RedirectHandler>("https://x.org/{1}/{0}?from=old#top", false)},
      {"/keep/{path...}", handler<RedirectHandler>("/{path}", 308)},
      {re("/r/(.*)"), handler<RedirectHandler>(std::string("/to/{0}"), 307)},
      {"/host/{a}", handler<RedirectHandler>("https://x.org{a}")},
      {"/query/{a}", handler<RedirectHandler>("/find?q={a}")},
      {"/wrong", handler<RedirectHandler>("/{none}")},
      {"/number/{a}", handler<RedirectHandler>("/{1}")},
      {"/status", handler<RedirectHandler>("/", 200)},
  });
  const auto to = [&](const std::string& line) {
    const std::string answer = request(app, line);
    return code(answer) + " " + field(answer, "Location");
  };
  EXPECT_EQ(to("GET /old/7"), "301 /new/7");
  EXPECT_EQ(to("HEAD /old/7?a=1&b=%20"), "301 /new/7?a=1&b=%20");
  EXPECT_EQ(to("GET /old/a%2Fb%3F%23"), "301 /new/a%2Fb%3F%23");
  EXPECT_EQ(to("GET /host/@evil.com"), "301 https://x.org%40evil.com");
  EXPECT_EQ(to("GET /query/a&b=c%20d?e=f"), "301 /find?q=a%26b%3Dc%20d&e=f");
  EXPECT_EQ(to("GET /keep/a%2Fb/c"), "308 /a%2Fb/c");
  EXPECT_EQ(to("GET /moved/1/2"), "302 https://x.org/2/1?from=old#top");
  EXPECT_EQ(to("GET /moved/1/2?q"), "302 https://x.org/2/1?from=old&q#top");
  EXPECT_EQ(to("POST /keep/a/b%20c"), "308 /a/b%20c");
  EXPECT_EQ(to("GET /keep//evil.com/"), "308 /evil.com/");
  EXPECT_EQ(to("GET /keep/%5C%5Cevil.com"), "308 /%5C%5Cevil.com");
  EXPECT_EQ(to("GET /keep/"), "308 /");
  EXPECT_EQ(to("GET /keep/%0d%0aX:%20y"), "308 /%0D%0AX:%20y");
  EXPECT_EQ(to("PUT /r/x/y"), "307 /to/x/y");
  EXPECT_EQ(to("GET /wrong"), "500 ");
  EXPECT_EQ(to("GET /number/x"), "500 ");
  EXPECT_EQ(to("GET /status"), "500 ");
}

TEST_F(RoutingTest, AFunctionMayAnswerAllMethods) {
  Application app({{"/any/{rest...}", function([](Request& request, std::string rest) {
                      return std::string(request.request().method_name()) + " " + rest;
                    })}});
  EXPECT_EQ(body_of(request(app, "GET /any/a/b")), "GET a/b");
  EXPECT_EQ(body_of(request(app, "DELETE /any/x")), "DELETE x");
  EXPECT_EQ(body_of(request(app, "OPTIONS /any/x")), "OPTIONS x");
}

}  // namespace
}  // namespace squall::web
