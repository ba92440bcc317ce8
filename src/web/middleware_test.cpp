// SPDX-License-Identifier: Apache-2.0
#include "web/file_testing.hpp"
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/event_source_handler.hpp>
#include <squall/web/ready_handlers.hpp>
#include <squall/web/static_file_handler.hpp>
#include <squall/web/websocket_handler.hpp>

#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SQUALL_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SQUALL_SANITIZED
#endif
#endif

namespace {
[[maybe_unused]] thread_local std::size_t allocations = 0;
}
#ifndef SQUALL_SANITIZED  // whose own allocator is to stay
// Not inlined: the compiler would see new meet free() and take that for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* const made = std::malloc(size)) return made;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace squall::web {
namespace {

using namespace std::chrono_literals;

class MiddlewareTest : public WebTest {};

/// Notes what happens, in order.
struct Trail {
  static inline std::string text;
  static void add(std::string_view what) { text.append(what).append(" "); }
  static std::string take() { return std::exchange(text, {}); }
};

struct Plain {
  std::string name;
  void before(Request&) const { Trail::add(name + "+"); }
  void after(Request& request) const {
    Trail::add(name + "-" + std::to_string(request.get_status()));
    request.add_header("X-After", name);
  }
};
struct Around {
  std::string name;
  Task<> around(Request&, Next next) {
    Trail::add(name + "(");
    Task<> rest = next();
    co_await rest;
    Trail::add(name + ")");
  }
};

struct Handler : RequestHandler {
  Task<> prepare() override {
    Trail::add("prepare");
    return {};
  }
  void get() {
    Trail::add("get");
    write("body");
  }
  Task<> post() {
    co_await sleep(1ms);
    Trail::add("post");
    write(request().body());
  }
  void put() { throw HTTPError(409); }
  void delete_() { throw std::runtime_error("broken"); }
};

TEST_F(MiddlewareTest, StandsAroundTheHandlerInTheOrderOfItsAdding) {
  Router group({{"/in", handler<Handler>, {.middleware = {Plain{"route"}}}}},
               {.middleware = {Plain{"group"}}});
  Application app({{"/g", group, {.middleware = {Plain{"mount"}}}}, {"/out", handler<Handler>}});
  app.use(Plain{"app"});
  app.use(Plain{"app2"});
  EXPECT_EQ(body_of(request(app, "GET /g/in")), "body");
  EXPECT_EQ(Trail::take(),
            "app+ app2+ mount+ group+ route+ prepare get "
            "route-200 group-200 mount-200 app2-200 app-200 ");
  EXPECT_EQ(body_of(request(app, "GET /out")), "body");
  EXPECT_EQ(Trail::take(), "app+ app2+ prepare get app2-200 app-200 ");
}

TEST_F(MiddlewareTest, PlainAndCoroutineOnesMix) {
  Application app({{"/", handler<Handler>}});
  app.use(Plain{"a"});
  app.use(Around{"b"});
  app.use([](Request&) -> Task<> {
    co_await sleep(1ms);
    Trail::add("c+");
  });
  app.use(Around{"d"});
  app.use(after([](Request&) { Trail::add("e-"); }));
  EXPECT_EQ(body_of(request(app, "GET /")), "body");
  EXPECT_EQ(Trail::take(), "a+ b( c+ d( prepare get d) b) e- a-200 ");
  EXPECT_EQ(body_of(request(app, "POST /", {}, "text")), "text");
  EXPECT_EQ(Trail::take(), "a+ b( c+ d( prepare post d) b) e- a-200 ");
}

TEST_F(MiddlewareTest, MayAnswerInPlaceOfTheHandler) {
  Application app({{"/", handler<Handler>}});
  app.use(Plain{"outer"});
  app.use([](Request& request) {
    if (request.request().has_header("X-Stop")) request.finish("stopped");
  });
  app.use([](Request& request, Next next) -> Task<> {
    if (request.request().has_header("X-Around")) {
      request.set_status(202);
      request.write("instead");
      co_return;
    }
    Task<> rest = next();
    co_await rest;
    request.set_header("X-Changed", "yes");
  });
  app.use(Plain{"inner"});
  EXPECT_EQ(body_of(request(app, "GET /", "X-Stop: 1\r\n")), "stopped");
  EXPECT_EQ(Trail::take(), "outer+ outer-200 ");
  const std::string instead = request(app, "POST /", "X-Around: 1\r\n", "body");
  EXPECT_EQ(code(instead), "202");
  EXPECT_EQ(body_of(instead), "instead");
  EXPECT_EQ(Trail::take(), "outer+ outer-202 ");
  const std::string through = request(app, "GET /");
  EXPECT_TRUE(has_line(through, "X-Changed: yes")) << through;
  EXPECT_EQ(Trail::take(), "outer+ inner+ prepare get inner-200 outer-200 ");
}

TEST_F(MiddlewareTest, SeesErrorsAndWhatHasNoHandler) {
  for (const bool with_coroutine : {false, true}) {
    Application app({{"/", handler<Handler>}, {"/r", handler<RedirectHandler>("/")}});
    app.use(Plain{"m"});
    if (with_coroutine) app.use([](Request&) -> Task<> { co_await sleep(1ms); });
    const auto answer = [&](std::string_view line, std::string_view body = {}) {
      const std::string got = request(app, line, {}, body);
      EXPECT_TRUE(has_line(got, "X-After: m")) << got;
      const std::string trail = Trail::take();
      EXPECT_EQ(trail.rfind("m+ ", 0), 0u) << trail;
      return code(got) + " " + trail.substr(3);
    };
    EXPECT_EQ(answer("GET /nowhere"), "404 m-404 ");
    EXPECT_EQ(answer("POST /nowhere", "with a body"), "404 m-404 ");
    EXPECT_EQ(answer("PATCH /"), "405 m-405 ");
    EXPECT_EQ(answer("PATCH /", "with a body"), "405 m-405 ");
    EXPECT_EQ(answer("OPTIONS /"), "204 m-204 ");
    EXPECT_EQ(answer("PUT /"), "409 prepare m-409 ");
    EXPECT_EQ(answer("DELETE /"), "500 prepare m-500 ");
    EXPECT_EQ(answer("GET /r"), "301 m-301 ");
    EXPECT_TRUE(has_line(request(app, "PATCH /"), "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS"));
    EXPECT_TRUE(
        has_line(request(app, "OPTIONS /"), "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS"));
    Trail::take();
  }
}

TEST_F(MiddlewareTest, ItsExceptionsBecomeErrorPages) {
  Application app(
      {{"/", handler<Handler>},
       {"/plain", handler<Handler>, {.middleware = {[](Request&) { throw HTTPError(403); }}}},
       {"/waits", handler<Handler>, {.middleware = {[](Request&) -> Task<> {
                                       co_await sleep(1ms);
                                       throw HTTPError(401);
                                     }}}},
       {"/around", handler<Handler>, {.middleware = {[](Request&, Next next) -> Task<> {
                                        Task<> rest = next();
                                        co_await rest;
                                        throw std::runtime_error("afterwards");
                                      }}}},
       {"/after", handler<Handler>, {.middleware = {after([](Request&) {
                                       throw HTTPError(418);
                                     })}}}});
  app.use(Plain{"m"});
  for (const auto& [path, status] : {std::pair("/plain", "403"), std::pair("/waits", "401"),
                                     std::pair("/around", "500"), std::pair("/after", "418")}) {
    const std::string answer = request(app, std::string("GET ") + path);
    EXPECT_EQ(code(answer), status) << path;
    EXPECT_TRUE(has_line(answer, "X-After: m")) << answer;
  }
  Trail::take();
}

TEST_F(MiddlewareTest, AnAroundMayCatchWhatTheHandlerThrows) {
  Application app({{"/", handler<Handler>}});
  app.use([](Request& request, Next next) -> Task<> {
    bool failed = false;
    try {
      Task<> rest = next();
      co_await rest;
    } catch (const std::exception&) {
      failed = true;
    }
    if (failed) request.write("caught");
  });
  EXPECT_EQ(body_of(request(app, "DELETE /")), "caught");
  EXPECT_EQ(body_of(request(app, "GET /none")), "caught");
}

TEST_F(MiddlewareTest, MisuseIsTold) {
  Application app(
      {{"/twice", handler<Handler>, {.middleware = {[](Request&, Next next) -> Task<> {
                                       Task<> once = next();
                                       co_await once;
                                       Task<> again = next();
                                       co_await again;
                                     }}}},
       {"/finished", handler<Handler>, {.middleware = {[](Request& request, Next next) -> Task<> {
                                          request.finish("early");
                                          Task<> rest = next();
                                          co_await rest;
                                        }}}},
       {"/answers", handler<Handler>, {.middleware = {after([](Request& request) {
                                         request.finish();
                                       })}}}});
  EXPECT_EQ(code(request(app, "GET /twice")), "500");
  EXPECT_NE(log_text().find("next() goes on once"), std::string::npos);
  EXPECT_EQ(body_of(request(app, "GET /finished")), "early");
  EXPECT_NE(log_text().find("next() after the response is finished"), std::string::npos);
  EXPECT_EQ(code(request(app, "GET /answers")), "500");
  Trail::take();
}

struct Streaming : RequestHandler {
  Task<> get() {
    write("a");
    co_await flush();
    write("b");
  }
};
struct Events : EventSourceHandler {
  void open() {
    send_event({.data = "x"});
    close();
  }
};
struct Socket : WebSocketHandler {
  void open() { close(); }
};

TEST_F(MiddlewareTest, SeesHeadsOfStreamsEventsAndHandshakes) {
  for (const bool with_coroutine : {false, true}) {
    Application app(
        {{"/stream", handler<Streaming>},
         {"/events", handler<Events>},
         {"/socket", handler<Socket>},
         {"/refused", handler<Socket>, {.middleware = {[](Request&) { throw HTTPError(403); }}}}});
    app.use(Plain{"m"});
    if (with_coroutine) app.use(Around{"a"});
    const std::string open = with_coroutine ? "m+ a( " : "m+ ";
    const std::string streamed = request(app, "GET /stream");
    EXPECT_TRUE(has_line(streamed, "X-After: m")) << streamed;
    EXPECT_EQ(Trail::take(), open + "m-200 " + (with_coroutine ? "a) " : ""));
    const std::string events = request(app, "GET /events");
    EXPECT_TRUE(has_line(events, "X-After: m")) << events;
    EXPECT_NE(events.find("data: x"), std::string::npos) << events;
    EXPECT_EQ(Trail::take(), open + "m-200 " + (with_coroutine ? "a) " : ""));
    const std::string upgrade =
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    const auto connect = [&](const std::string& path) {
      return send(app,
                  "GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n" +
                      "Upgrade: websocket\r\n" + upgrade + "\r\n\x88\x80" + std::string(4, '\0'),
                  true);
    };
    const std::string opened = connect("/socket");
    EXPECT_EQ(code(opened), "101");
    EXPECT_TRUE(has_line(opened, "X-After: m")) << opened;
    EXPECT_EQ(Trail::take(), open + "m-101 " + (with_coroutine ? "a) " : ""));
    const std::string refused = connect("/refused");
    EXPECT_EQ(code(refused), "403");
    EXPECT_TRUE(has_line(refused, "X-After: m")) << refused;
    Trail::take();
  }
}

TEST_F(MiddlewareTest, StandsBeforeStaticFilesToo) {
  const TemporaryDirectory directory;
  directory.put("a.txt", "text of a");
  Application app({}, {.static_path = directory.path()});
  app.use(Plain{"m"});
  const std::string answer = request(app, "GET /static/a.txt");
  EXPECT_EQ(body_of(answer), "text of a");
  EXPECT_TRUE(has_line(answer, "X-After: m")) << answer;
  const std::string tag = field(answer, "Etag");
  const std::string again = request(app, "GET /static/a.txt", "If-None-Match: " + tag + "\r\n");
  EXPECT_EQ(code(again), "304");
  EXPECT_TRUE(has_line(again, "X-After: m")) << again;
  EXPECT_TRUE(has_line(request(app, "GET /static/none"), "X-After: m"));
  Trail::take();
}

struct Upload : RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> put() {
    std::string all;
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      all += piece;
    }
    write("got " + all);
  }
};

TEST_F(MiddlewareTest, StandsBeforeHandlersThatStreamTheirBody) {
  for (const bool with_coroutine : {false, true}) {
    Application app({{"/", handler<Upload>}});
    app.use(Plain{"m"});
    if (with_coroutine) app.use([](Request&) -> Task<> { co_await sleep(1ms); });
    EXPECT_EQ(body_of(request(app, "PUT /", {}, "some bytes")), "got some bytes");
    EXPECT_EQ(Trail::take(), "m+ m-200 ");
  }
}

TEST_F(MiddlewareTest, WhatGoesBeforeTheMethodsRouteIsOfThatMethod) {
  Application app;
  app.get("/x", [] { return "get"; }, {.middleware = {Plain{"get"}}});
  app.post("/x", [] { return "post"; }, {.middleware = {Plain{"post"}}});
  request(app, "GET /x");
  EXPECT_EQ(Trail::take(), "get+ get-200 ");
  request(app, "POST /x");
  EXPECT_EQ(Trail::take(), "post+ post-200 ");
  request(app, "OPTIONS /x", "Access-Control-Request-Method: POST\r\n");
  EXPECT_EQ(Trail::take(), "post+ post-204 ");
}

TEST_F(MiddlewareTest, PipelinedRequestsKeepTheirOrder) {
  Application app({{"/", handler<Handler>}});
  app.use([](Request& request) -> Task<> {
    if (request.request().query() == "slow") co_await sleep(5ms);
  });
  app.use(after([](Request& request) {
    request.set_header("X-Query", std::string(request.request().query()));
  }));
  std::string all;
  for (const char* const query : {"slow", "fast", "slow"}) {
    all += std::string("GET /?") + query + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  all += "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string answer = send(app, all, false);
  const std::size_t second = answer.find("X-Query: fast");
  EXPECT_LT(answer.find("X-Query: slow"), second);
  EXPECT_GT(answer.rfind("X-Query: slow"), second);
  EXPECT_NE(second, std::string::npos);
  Trail::take();
}

struct Counting : RequestHandler {
  static inline std::vector<std::size_t> at;
  void get() {
    write("small");
    at.push_back(allocations);
  }
};

/// How many of the last half of the requests allocated.
std::size_t allocating_requests() {
  std::size_t count = 0;
  for (std::size_t i = Counting::at.size() / 2; i < Counting::at.size(); ++i) {
    if (Counting::at[i] != Counting::at[i - 1]) ++count;
  }
  Counting::at.clear();
  return count;
}

TEST_F(MiddlewareTest, PlainOnesAllocateNothingInTheSteadyState) {
#ifdef SQUALL_SANITIZED
  GTEST_SKIP() << "a sanitizer counts otherwise";
#endif
  constexpr int requests = 1500;
  Counting::at.reserve(requests);
  std::string all;
  for (int i = 0; i < requests; ++i) all += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto allocating = [&](bool with_middleware) {
    Application app({{"/", handler<Counting>}}, {.access_log = false});
    if (with_middleware) {
      app.use([](Request& request) { static_cast<void>(request.request().header("X-Any")); });
      app.use(after([](Request& request) { request.set_header("X-After", "yes"); }));
    }
    send(app, all);
    EXPECT_EQ(Counting::at.size(), static_cast<std::size_t>(requests));
    return allocating_requests();
  };
  static_cast<void>(allocating(true));  // the thread's pools fill
  // Buffers that grow are the connection's; what a request needs would be there 750 times.
  EXPECT_LE(allocating(false), 30u);
  EXPECT_LE(allocating(true), 30u);
}

}  // namespace
}  // namespace squall::web
