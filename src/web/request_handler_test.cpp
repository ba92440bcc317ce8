// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/json.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <chrono>
#include <string>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

class RequestHandlerTest : public WebTest {};

struct Verbs : RequestHandler {
  void get() { write("got"); }
  Task<> post() {
    co_await sleep(1ms);
    write("posted " + std::string(request().body()));
  }
  void delete_() { set_status(204); }
};

TEST_F(RequestHandlerTest, PlainAndCoroutineVerbsAnswer) {
  Application app({{"/", handler<Verbs>}});
  const std::string got = request(app, "GET /");
  EXPECT_EQ(status_of(got), "HTTP/1.1 200 OK");
  EXPECT_TRUE(has_line(got, "Content-Type: text/html; charset=UTF-8"));
  EXPECT_EQ(body_of(got), "got");
  EXPECT_EQ(body_of(request(app, "POST /", {}, "this")), "posted this");
  const std::string gone = request(app, "DELETE /");
  EXPECT_EQ(status_of(gone), "HTTP/1.1 204 No Content");
  EXPECT_EQ(gone.find("Content-"), std::string::npos) << gone;
}

TEST_F(RequestHandlerTest, HeadAndOptionsComeByThemselves) {
  Application app({{"/", handler<Verbs>}});
  const std::string head = request(app, "HEAD /");
  EXPECT_TRUE(has_line(head, "Content-Length: 3"));
  EXPECT_EQ(body_of(head), "");
  const std::string options = request(app, "OPTIONS /");
  EXPECT_EQ(status_of(options), "HTTP/1.1 204 No Content");
  EXPECT_TRUE(has_line(options, "Allow: GET, HEAD, POST, DELETE, OPTIONS")) << options;
}

TEST_F(RequestHandlerTest, OtherMethodsGet405WithAllow) {  // RFC 9110 §15.5.6
  Application app({{"/", handler<Verbs>}});
  const std::string answer = request(app, "PUT /");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_TRUE(has_line(answer, "Allow: GET, HEAD, POST, DELETE, OPTIONS")) << answer;
}

struct Typed : RequestHandler {
  void get(int number, std::string text) { write(std::to_string(number) + "/" + text); }
};

TEST_F(RequestHandlerTest, PathArgumentsAreConvertedToTheVerbsTypes) {
  Application app({{"/{number}/{text}", handler<Typed>}});
  EXPECT_EQ(body_of(request(app, "GET /-7/a%20b")), "-7/a b");
  for (const std::string path : {"/x/y", "/1x/y", "/99999999999/y", "/+1/y", "/0x1/y"}) {
    EXPECT_EQ(status_of(request(app, "GET " + path)), "HTTP/1.1 404 Not Found") << path;
  }
  EXPECT_EQ(status_of(request(app, "GET /1/%ff")), "HTTP/1.1 400 Bad Request");
}

TEST_F(RequestHandlerTest, FunctionsMayBeRoutes) {
  Application app;
  int calls = 0;
  app.get("/hello/{name}", [&calls](Request&, std::string name) {
    ++calls;
    return "Hello, " + name;
  });
  app.post("/hello/{name}", [](std::string_view name) -> Task<std::string> {
    std::string kept(name);
    co_await sleep(1ms);
    co_return "posted " + kept;
  });
  EXPECT_EQ(body_of(request(app, "GET /hello/Ada")), "Hello, Ada");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(body_of(request(app, "POST /hello/Ada")), "posted Ada");
  const std::string answer = request(app, "PUT /hello/Ada");
  EXPECT_TRUE(has_line(answer, "Allow: GET, HEAD, POST, OPTIONS")) << answer;
}

struct Arguments : RequestHandler {
  void get() { write(get_argument("q") + "|" + get_argument("missing", "default")); }
  void post() {
    for (const std::string& value : get_arguments("a")) write(value + ",");
    write(get_query_argument("a") + get_body_argument("a") + get_argument("a"));
  }
};

TEST_F(RequestHandlerTest, ArgumentsComeFromQueryAndBody) {
  Application app({{"/", handler<Arguments>}});
  EXPECT_EQ(body_of(request(app, "GET /?q=a+b%21&q=%20last%0b%09")), "last|default");
  EXPECT_EQ(body_of(request(app, "POST /?a=1",
                            "Content-Type: application/x-www-form-urlencoded\r\n", "a=2&a=3")),
            "1,2,3,133");
}

struct Password : RequestHandler {
  void post() {
    write("[" + get_body_argument("word", Strip::no) + "][" + get_argument("word") + "][" +
          get_query_argument("none", " x ", Strip::no) + get_query_argument("none", {}) + "][" +
          get_arguments("word", Strip::no).at(0) + "]");
  }
};

TEST_F(RequestHandlerTest, WhiteSpaceAroundAnArgumentIsKeptWhereThatIsAskedFor) {
  Application app({{"/", handler<Password>}});
  EXPECT_EQ(body_of(request(app, "POST /", "Content-Type: application/x-www-form-urlencoded\r\n",
                            "word=+a%01b%09")),
            "[ a b\t][a b][ x ][ a b\t]");
}

TEST_F(RequestHandlerTest, MissingAndBadArgumentsAre400) {
  Application app({{"/", handler<Arguments>}});
  EXPECT_EQ(status_of(request(app, "GET /")), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status_of(request(app, "GET /?q=%ff")), "HTTP/1.1 400 Bad Request");
  EXPECT_NE(log_text().find("argument \"q\" is missing"), std::string::npos) << log_text();
}

struct JsonEcho : RequestHandler {
  void post() { write(json_body()); }
};

TEST_F(RequestHandlerTest, JsonGoesInAndOut) {
  Application app({{"/", handler<JsonEcho>}});
  const std::string good =
      request(app, "POST /", "Content-Type: application/json\r\n", R"({"a": [1, "x"]})");
  EXPECT_TRUE(has_line(good, "Content-Type: application/json; charset=UTF-8"));
  EXPECT_EQ(body_of(good), R"({"a":[1,"x"]})");
  EXPECT_EQ(status_of(request(app, "POST /", {}, "{")), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status_of(request(app, "POST /", "Content-Type: text/plain\r\n", "{}")),
            "HTTP/1.1 415 Unsupported Media Type");
}

struct Length : RequestHandler {
  void post() {
    const std::string_view body = request().body();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (body[i] != static_cast<char>('a' + i % 26)) ++wrong;
    }
    write(std::to_string(body.size()) + " bytes, " + std::to_string(wrong) + " wrong");
  }
};

TEST_F(RequestHandlerTest, ALargeBodyArrivesWholeHoweverItIsCut) {
  Application app({{"/", handler<Length>}});
  std::string body(3'000'000, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(body_of(request(app, "POST /", {}, body)), "3000000 bytes, 0 wrong");
}

struct Cookies : RequestHandler {
  void get() {
    write(get_cookie("a") + "|" + get_cookie("none", "default"));
    set_cookie("a", "first");
    set_cookie("a", "second", {.max_age = 60, .httponly = true, .samesite = "Lax"});
    clear_cookie("old");
  }
};

TEST_F(RequestHandlerTest, CookiesAreReadAndSet) {
  Application app({{"/", handler<Cookies>}});
  const std::string answer = request(app, "GET /", "Cookie: b=1; a=2; a=\"q\\054\"\r\n");
  EXPECT_EQ(body_of(answer), "q,|default");
  EXPECT_EQ(answer.find("first"), std::string::npos);
  EXPECT_NE(answer.find("Set-Cookie: a=second; "), std::string::npos) << answer;
  EXPECT_NE(answer.find("HttpOnly"), std::string::npos) << answer;
  EXPECT_NE(answer.find("SameSite=Lax"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Set-Cookie: old="), std::string::npos) << answer;
}

struct Headers : RequestHandler {
  void set_default_headers() override { set_header("X-Always", "yes"); }
  void get() {
    set_header("x-one", "1");
    set_header("X-One", "2");
    add_header("X-Two", "1");
    add_header("X-Two", "2");
    set_header("X-Number", 42);
    clear_header("Server");
    write(get_header("X-ONE"));
  }
  void post() { set_header("X", "a\r\nSet-Cookie: stolen=1"); }
};

TEST_F(RequestHandlerTest, HeadersAreReplacedAddedAndRemoved) {
  Application app({{"/", handler<Headers>}});
  const std::string answer = request(app, "GET /");
  EXPECT_EQ(body_of(answer), "2");
  EXPECT_TRUE(has_line(answer, "X-Always: yes"));
  EXPECT_TRUE(has_line(answer, "X-Two: 1\r\nX-Two: 2"));
  EXPECT_TRUE(has_line(answer, "X-Number: 42"));
  EXPECT_EQ(answer.find("x-one"), std::string::npos);
  EXPECT_EQ(answer.find("Server:"), std::string::npos);
}

TEST_F(RequestHandlerTest, ALineBreakInAHeaderIsRefused) {  // response splitting
  Application app({{"/", handler<Headers>}});
  const std::string answer = request(app, "POST /", {}, "x");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 500 Internal Server Error");
  EXPECT_TRUE(has_line(answer, "X-Always: yes")) << "default headers are kept by error pages";
  EXPECT_EQ(answer.find("stolen"), std::string::npos);
}

struct Closing : RequestHandler {
  void get() {
    set_header("Connection", "close");
    write("bye");
  }
};

TEST_F(RequestHandlerTest, AHandlerMayEndItsConnection) {  // RFC 9112 §9.6
  Application app({{"/", handler<Closing>}});
  const std::string one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string answer = send(app, one + one, false);
  EXPECT_TRUE(has_line(answer, "Connection: close"));
  EXPECT_EQ(answer.find("bye"), answer.rfind("bye")) << "the second request was answered";
}

struct Redirects : RequestHandler {
  void get() { redirect("/caf\xc3\xa9 \"x\""); }
  void post() { redirect("/new", true); }
};

TEST_F(RequestHandlerTest, RedirectsAreMadeSafe) {
  Application app({{"/", handler<Redirects>}});
  const std::string answer = request(app, "GET /");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 302 Found");
  EXPECT_TRUE(has_line(answer, "Location: /caf%C3%A9%20%22x%22")) << answer;
  EXPECT_EQ(status_of(request(app, "POST /", {}, "x")), "HTTP/1.1 301 Moved Permanently");
}

struct Prepared : RequestHandler {
  Task<> prepare() override {
    co_await sleep(1ms);
    if (request().query() == "stop") redirect("/elsewhere");
  }
  void get() { write("verb"); }
};

struct KnowsItsPath : RequestHandler {
  Task<> prepare() override {
    if (request().query() == "await") return wait_and_note();
    noted_ = path_argument("name");
    return {};
  }
  void get() { write(std::string(noted_) + "|" + std::string(path_argument("name"))); }
  Task<> post() {
    co_await sleep(1ms);
    get();
  }
  Task<> wait_and_note() {
    noted_ = path_argument("name");
    co_await sleep(1ms);
  }
  std::string_view noted_;
};

TEST_F(RequestHandlerTest, PrepareAndTheVerbSeeTheSamePathArguments) {
  Application app({{"/{name}", handler<KnowsItsPath>}});
  request(app, "GET /another-and-longer-one");  // its arguments must not show in those that follow
  for (const std::string query : {"", "?await"}) {
    for (const std::string method : {"GET ", "POST "}) {
      EXPECT_EQ(body_of(request(app, method + "/plain" + query)), "plain|plain");
      EXPECT_EQ(body_of(request(app, method + "/a%20b" + query)), "a b|a b");
      EXPECT_EQ(body_of(request(app, method + "/%7Eme" + query)), "~me|~me");
    }
  }
}

TEST_F(RequestHandlerTest, PrepareRunsFirstAndMayEndTheRequest) {
  Application app({{"/", handler<Prepared>}});
  EXPECT_EQ(body_of(request(app, "GET /")), "verb");
  EXPECT_EQ(status_of(request(app, "GET /?stop")), "HTTP/1.1 302 Found");
}

struct Failing : RequestHandler {
  void get() { throw std::runtime_error("secret detail"); }
  void post() { throw HTTPError(418, "for the log", "Teapot here"); }
  void put() {
    write("half");
    finish();
    write("too late");
  }
  Task<> patch() {
    write("first");
    co_await flush();
    throw std::runtime_error("after flush");
  }
};

TEST_F(RequestHandlerTest, ExceptionsBecomeErrorPages) {
  Application app({{"/", handler<Failing>}});
  const std::string answer = request(app, "GET /");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(answer.find("secret"), std::string::npos);
  EXPECT_NE(log_text().find("secret detail"), std::string::npos);
  const std::string teapot = request(app, "POST /", {}, "x");
  EXPECT_EQ(status_of(teapot), "HTTP/1.1 418 Teapot here");
  EXPECT_EQ(teapot.find("for the log"), std::string::npos);
}

/// A log of requests that knows something.
struct Log {
  void operator()(const RequestHandler& handler) {
    text += std::string(handler.request().path()) + " " + std::to_string(handler.get_status());
  }
  std::string text;
};

TEST_F(RequestHandlerTest, ALogOfRequestsMayBeAnObject) {
  Log log;
  Application app({}, {.log_function = &log});
  EXPECT_EQ(code(request(app, "GET /none")), "404");
  EXPECT_EQ(log.text, "/none 404");
  EXPECT_EQ(log_text().find("/none"), std::string::npos);
}

TEST_F(RequestHandlerTest, WritingAfterFinishIsAUsageErrorAndTheAnswerStands) {
  Application app({{"/", handler<Failing>}});
  const std::string answer = request(app, "PUT /", {}, "x");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
  EXPECT_EQ(body_of(answer), "half");
  EXPECT_NE(log_text().find("the response is finished"), std::string::npos) << log_text();
}

TEST_F(RequestHandlerTest, AFailureAfterFlushBreaksTheConnection) {
  Application app({{"/", handler<Failing>}});
  const std::string answer = request(app, "PATCH /", {}, "x");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
  EXPECT_EQ(answer.find("0\r\n\r\n"), std::string::npos) << "looks like a whole response";
  EXPECT_TRUE(answer.ends_with("<broken>")) << answer;
}

struct Streaming : RequestHandler {
  Task<> get() {
    for (int i = 0; i < 3; ++i) {
      write("chunk " + std::to_string(i) + "\n");
      co_await flush();
    }
  }
};

TEST_F(RequestHandlerTest, FlushStreamsInChunks) {  // RFC 9112 §7.1
  Application app({{"/", handler<Streaming>}});
  const std::string answer = request(app, "GET /");
  EXPECT_TRUE(has_line(answer, "Transfer-Encoding: chunked"));
  EXPECT_EQ(body_of(answer), "8\r\nchunk 0\n\r\n8\r\nchunk 1\n\r\n8\r\nchunk 2\n\r\n0\r\n\r\n");
}

TEST_F(RequestHandlerTest, OldClientsGetTheStreamUntilTheClose) {
  Application app({{"/", handler<Streaming>}});
  const std::string answer = send(app, "GET / HTTP/1.0\r\n\r\n", false);
  EXPECT_EQ(answer.find("chunked"), std::string::npos);
  EXPECT_EQ(body_of(answer), "chunk 0\nchunk 1\nchunk 2\n");
}

TEST_F(RequestHandlerTest, PipelinedRequestsAreAnsweredInOrder) {
  Application app({{"/", handler<Verbs>}, {"/s", handler<Streaming>}});
  std::string bytes;
  for (int i = 0; i < 5; ++i) {
    bytes += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    bytes += "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n" + std::to_string(i);
  }
  bytes += "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string answer = send(app, bytes, false);
  std::size_t at = 0;
  for (int i = 0; i < 5; ++i) {
    at = answer.find("\r\n\r\ngot", at);
    ASSERT_NE(at, std::string::npos) << i;
    at = answer.find("posted " + std::to_string(i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

struct Leaving : RequestHandler {
  static inline bool closed = false;
  static inline bool cancelled = false;
  static inline bool finished = false;
  Task<> get() {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      cancelled = true;
      throw;
    }
  }
  void on_connection_close() override { closed = true; }
  void on_finish() override { finished = true; }
};

TEST_F(RequestHandlerTest, AHandlerWhoseClientLeavesIsCancelled) {
  Application app({{"/", handler<Leaving>}});
  EXPECT_EQ(send(app, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  EXPECT_TRUE(Leaving::closed);
  EXPECT_TRUE(Leaving::cancelled);
  EXPECT_FALSE(Leaving::finished);
}

struct Outliving : RequestHandler {
  Task<> get() { co_await sleep(1h); }
  [[nodiscard]] bool cancel_on_disconnect() const noexcept override { return false; }
};

TEST_F(RequestHandlerTest, AnApplicationsEndEndsHandlersThatStillRun) {
  Application app({{"/", handler<Outliving>}});
  EXPECT_EQ(send(app, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "");
}

struct NotFound : RequestHandler {
  Task<> prepare() override {
    set_status(404);
    finish("nothing at " + std::string(request().path()));
    return {};
  }
  void get() {}
};

TEST_F(RequestHandlerTest, ADefaultHandlerAnswersWhatNoRouteMatches) {
  Application app({{"/", handler<Verbs>}});
  app.set_default_handler(handler<NotFound>);
  const std::string answer = request(app, "GET /x");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(body_of(answer), "nothing at /x");
}

struct Views : RequestHandler {
  Task<> get() {
    const std::string_view agent = request().header("User-Agent");
    const std::string_view path = path_argument("name");
    co_await sleep(2ms);
    write(std::string(agent) + " " + std::string(path));
  }
};

TEST_F(RequestHandlerTest, ViewsStayValidAcrossTheAwaitsOfACoroutine) {
  Application app({{"/{name}", handler<Views>}});
  const std::string one = "GET /first HTTP/1.1\r\nHost: x\r\nUser-Agent: the-first-agent\r\n\r\n";
  const std::string two =
      "GET /other HTTP/1.1\r\nHost: x\r\nUser-Agent: another\r\nConnection: close\r\n\r\n";
  const std::string answer = send(app, one + two, false);
  EXPECT_NE(answer.find("the-first-agent first"), std::string::npos) << answer;
  EXPECT_NE(answer.find("another other"), std::string::npos) << answer;
}

TEST_F(RequestHandlerTest, EachRequestHasItsLineInTheAccessLog) {
  Application app({{"/", handler<Verbs>}});
  request(app, "GET /?a=1");
  EXPECT_NE(log_text().find("access: 200 GET /?a=1 (127.0.0.1) "), std::string::npos);
}

}  // namespace
}  // namespace squall::web
