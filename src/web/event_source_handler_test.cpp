// SPDX-License-Identifier: Apache-2.0
#include "http/content_decoder.hpp"
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/event.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/event_source_handler.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

/// The body without its chunks; "<not chunked>" or "<cut>" when it is not one.
std::string dechunk(std::string_view body) {
  std::string out;
  for (;;) {
    const std::size_t line = body.find("\r\n");
    if (line == std::string_view::npos) return out + "<cut>";
    const std::size_t size = std::stoul(std::string(body.substr(0, line)), nullptr, 16);
    body.remove_prefix(line + 2);
    if (body.size() < size + 2) return out + "<cut>";
    if (size == 0) return body == "\r\n" ? out : out + "<more>";
    out += body.substr(0, size);
    body.remove_prefix(size + 2);
  }
}

struct Log {
  static inline std::vector<std::string> lines;
  static std::string take() {
    std::string all;
    for (const std::string& line : lines) all += line + ";";
    lines.clear();
    return all;
  }
};

class EventSourceHandlerTest : public WebTest {
 protected:
  std::string stream(Application& app, std::string_view path = "/", std::string_view fields = {}) {
    answer = request(app, "GET " + std::string(path), fields);
    return dechunk(body_of(answer));
  }
  std::string answer;
};

struct Two : EventSourceHandler {
  void open(int number) {
    send_event({.event = "tick", .id = "7", .data = "a\nb", .retry = 2s});
    send_event(std::to_string(number));
    send_comment("idle");
    close();
    Log::lines.push_back("opened");
  }
  void on_close() { Log::lines.push_back("close"); }
};

TEST_F(EventSourceHandlerTest, SendsEventsWithTheHeadersOfAStream) {
  Application app({{"/{number}", handler<Two>}});
  EXPECT_EQ(stream(app, "/5"),
            "event: tick\nid: 7\nretry: 2000\ndata: a\ndata: b\n\ndata: 5\n\n: idle\n\n");
  EXPECT_EQ(code(answer), "200");
  EXPECT_EQ(field(answer, "Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(field(answer, "Cache-Control"), "no-store");
  EXPECT_EQ(field(answer, "X-Accel-Buffering"), "no");
  EXPECT_EQ(field(answer, "Content-Length"), "");
  EXPECT_EQ(Log::take(), "opened;close;");
}

TEST_F(EventSourceHandlerTest, APathArgumentThatDoesNotFitIsNotFound) {
  Application app({{"/{number}", handler<Two>}});
  stream(app, "/five");
  EXPECT_EQ(code(answer), "404");
  EXPECT_EQ(Log::take(), "");
}

TEST_F(EventSourceHandlerTest, OtherMethodsAreRefusedAndHeadIsAnsweredWithoutOpen) {
  Application app({{"/{number}", handler<Two>}});
  const std::string post = request(app, "POST /5");
  EXPECT_EQ(code(post), "405");
  EXPECT_EQ(field(post, "Allow"), "GET, HEAD, OPTIONS");
  const std::string options = request(app, "OPTIONS /5");
  EXPECT_EQ(code(options), "204");
  EXPECT_EQ(field(options, "Allow"), "GET, HEAD, OPTIONS");
  const std::string head = request(app, "HEAD /5");
  EXPECT_EQ(code(head), "200");
  EXPECT_EQ(field(head, "Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(field(head, "Content-Length"), "");
  EXPECT_EQ(body_of(head), "");
  EXPECT_EQ(Log::take(), "");
}

TEST_F(EventSourceHandlerTest, AClientOfHttp10GetsThePlainBytesUntilTheClose) {
  Application app({{"/{number}", handler<Two>}});
  const std::string plain = send(app, "GET /5 HTTP/1.0\r\n\r\n", false);
  EXPECT_EQ(body_of(plain),
            "event: tick\nid: 7\nretry: 2000\ndata: a\ndata: b\n\ndata: 5\n\n: idle\n\n");
  EXPECT_EQ(field(plain, "Transfer-Encoding"), "");
  Log::take();
}

TEST_F(EventSourceHandlerTest, TheConnectionServesTheNextRequestAfterTheStream) {
  Application app({{"/{number}", handler<Two>}});
  const std::string both = send(app,
                                "GET /1 HTTP/1.1\r\nHost: test\r\n\r\n"
                                "GET /2 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
                                false);
  EXPECT_NE(both.find("data: 1\n"), std::string::npos);
  EXPECT_NE(both.find("data: 2\n"), std::string::npos);
  EXPECT_EQ(Log::take(), "opened;close;opened;close;");
}

struct Later : EventSourceHandler {
  static inline bool close_after = true;
  Task<> open() {
    send_event("first");
    co_await sleep(1ms);
    send_event(std::string(request().header("X-Name")));
    if (close_after) {
      close();
    } else {
      IOLoop::current().call_later(1ms, [this] {
        send_event("after open");
        close();
      });
    }
  }
  void on_close() { Log::lines.push_back("close"); }
};

TEST_F(EventSourceHandlerTest, ACoroutineMayUseTheRequestToItsEnd) {
  Application app({{"/", handler<Later>}});
  Later::close_after = true;
  const std::string events = stream(app, "/", "X-Name: Ada\r\n");
  EXPECT_TRUE(events.starts_with("data: first\n\n")) << events;
  EXPECT_TRUE(events.ends_with("data: Ada\n\n")) << events;
  EXPECT_EQ(Log::take(), "close;");
}

TEST_F(EventSourceHandlerTest, TheStreamGoesOnAfterACoroutineHasEnded) {
  Application app({{"/", handler<Later>}});
  Later::close_after = false;
  EXPECT_TRUE(stream(app, "/", "X-Name: Ada\r\n").ends_with("data: Ada\n\ndata: after open\n\n"));
  EXPECT_EQ(Log::take(), "close;");
}

struct Failing : EventSourceHandler {
  Task<> open(std::string what) {
    if (what == "refuse") throw HTTPError(403);
    if (what == "status") {
      set_status(204);
      co_return;
    }
    if (what == "finish") {
      set_status(409);
      finish("taken");
      co_return;
    }
    if (what == "usage") {
      try {
        send_event({.id = "a\nb", .data = "x"});
      } catch (const UsageError&) {
        send_event("caught");
      }
      close();
      co_return;
    }
    if (what == "late") co_await sleep(1ms);
    send_event("begun");
    throw std::runtime_error("broken");
  }
  void on_close() { Log::lines.push_back("close"); }
};

TEST_F(EventSourceHandlerTest, BeforeTheStreamHasBegunOpenMayAnswerOtherwise) {
  Application app({{"/{what}", handler<Failing>}});
  stream(app, "/refuse");
  EXPECT_EQ(code(answer), "403");
  EXPECT_EQ(field(answer, "Content-Type"), "text/html; charset=UTF-8");
  answer = request(app, "GET /status");
  EXPECT_EQ(code(answer), "204");
  answer = request(app, "GET /finish");
  EXPECT_EQ(code(answer), "409");
  EXPECT_EQ(field(answer, "Content-Type"), "text/html; charset=UTF-8");
  EXPECT_EQ(body_of(answer), "taken");
  EXPECT_EQ(Log::take(), "");  // of a stream that never began
}

TEST_F(EventSourceHandlerTest, ANameOrIdWithALineBreakIsAUsageError) {
  Application app({{"/{what}", handler<Failing>}});
  EXPECT_EQ(stream(app, "/usage"), "data: caught\n\n");
  Log::take();
}

TEST_F(EventSourceHandlerTest, AnExceptionAfterTheBeginningBreaksTheStreamOff) {
  Application app({{"/{what}", handler<Failing>}});
  for (const std::string what : {"early", "late"}) {
    answer = request(app, "GET /" + what);
    EXPECT_EQ(answer.find("\r\n0\r\n"), std::string::npos) << answer;  // no end that looks whole
    EXPECT_EQ(Log::take(), "close;");
    EXPECT_NE(log_text().find("open threw: broken"), std::string::npos);
  }
}

struct Names : EventSourceHandler {
  void open() {
    send_event(last_event_id());
    close();
  }
};

TEST_F(EventSourceHandlerTest, TellsTheIdOfTheLastEventByFieldOrArgument) {
  Application app({{"/", handler<Names>}});
  EXPECT_EQ(stream(app, "/", "Last-Event-ID: e:7\r\n"), "data: e:7\n\n");
  EXPECT_EQ(stream(app, "/?lastEventId=a%3A8"), "data: a:8\n\n");
  EXPECT_EQ(stream(app, "/?Last-Event-ID=9"), "data: 9\n\n");
  EXPECT_EQ(stream(app, "/?lastEventId=8", "Last-Event-ID: 7\r\n"), "data: 7\n\n");
  EXPECT_EQ(stream(app), "data: \n\n");
}

struct Beating : EventSourceHandler {
  static inline int interval_ms = 1;
  void open() {
    set_heartbeat(Duration::from_milliseconds(interval_ms));
    IOLoop::current().call_later(50ms, [this] {
      send_event("done");
      close();
    });
  }
};

TEST_F(EventSourceHandlerTest, AnIdleStreamHasAHeartbeat) {
  Application app({{"/", handler<Beating>}});
  Beating::interval_ms = 1;
  EXPECT_TRUE(stream(app).starts_with(":\n\n:\n\n"));
  Beating::interval_ms = 0;
  EXPECT_EQ(stream(app), "data: done\n\n");
}

struct Busy : EventSourceHandler {
  Task<> open() {
    set_heartbeat(60ms);
    for (int i = 0; i < 30; ++i) {  // longer than a beat, and never idle for as long
      send_event("x");
      co_await sleep(3ms);
    }
    close();
  }
};

TEST_F(EventSourceHandlerTest, ABusyStreamHasNoHeartbeat) {
  Application app({{"/", handler<Busy>}});
  EXPECT_EQ(stream(app).find("\n:\n"), std::string::npos);
}

struct Shared : EventSourceHandler {
  void open() {
    const SharedEvent event({.event = "all", .data = "one"});
    EXPECT_EQ(event.text(), "event: all\ndata: one\n\n");
    const SharedEvent copy = event;
    send_event(event);
    send_event(copy);
    send_event(SharedEvent({.data = std::string(100'000, 'x')}));
    close();
  }
};

TEST_F(EventSourceHandlerTest, ASharedEventIsFramedOnceForAllKindsOfClients) {
  Application app({{"/", handler<Shared>}});
  const std::string wanted =
      "event: all\ndata: one\n\nevent: all\ndata: one\n\ndata: " + std::string(100'000, 'x') +
      "\n\n";
  EXPECT_EQ(stream(app), wanted);
  EXPECT_EQ(body_of(send(app, "GET / HTTP/1.0\r\n\r\n", false)), wanted);
}

struct Coded : EventSourceHandler {
  Task<> open() {
    set_compression(true);
    send_event("one");
    co_await sleep(1ms);
    send_event(SharedEvent({.data = "two"}));
    close();
  }
};

TEST_F(EventSourceHandlerTest, IsCompressedOnlyWhenAskedAndThenEveryEventIsFlushed) {
  Application app({{"/", handler<Coded>}, {"/plain/{number}", handler<Two>}},
                  {.compress_response = true});
  stream(app, "/plain/1", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(field(answer, "Content-Encoding"), "");
  Log::take();
  const std::string coded = stream(app, "/", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(field(answer, "Content-Encoding"), "gzip");
  // The first chunk alone gives the first event.
  const std::string body = body_of(answer);
  const std::size_t first = std::stoul(body, nullptr, 16);
  const std::string_view pieces[] = {std::string_view(coded).substr(0, first),
                                     std::string_view(coded).substr(first)};
  Result<http::ContentDecoder> decoder = http::ContentDecoder::create("gzip");
  ASSERT_TRUE(decoder);
  std::string decoded[2];
  for (int i = 0; i < 2; ++i) {
    std::string_view left = pieces[i];
    for (;;) {
      const auto step = decoder->next(left);
      ASSERT_TRUE(step);
      left.remove_prefix(step->consumed);
      if (step->data.empty()) break;
      decoded[i] += step->data;
    }
  }
  EXPECT_EQ(decoded[0], "data: one\n\n");
  EXPECT_EQ(decoded[1], "data: two\n\n");
  EXPECT_TRUE(decoder->finish());
}

struct Leaver : EventSourceHandler {
  static inline Event* never = nullptr;
  Task<> open(std::string what) {
    if (what == "plain") co_return;
    try {
      co_await never->wait();
    } catch (const CancelledError&) {
      Log::lines.push_back("cancelled");
      throw;
    }
  }
  void on_close() {
    Log::lines.push_back(is_open() ? "open" : "close");
    EXPECT_EQ(send_event("late"), SendResult::closed);
  }
};

TEST_F(EventSourceHandlerTest, EndsAtOnceWhenTheClientLeaves) {
  Event never;
  Leaver::never = &never;
  Application app({{"/{what}", handler<Leaver>}});
  send(app, "GET /plain HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(Log::take(), "close;");
  send(app, "GET /waits HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(Log::take(), "cancelled;close;");
}

TEST_F(EventSourceHandlerTest, EndsWithItsApplication) {
  Event never;
  Leaver::never = &never;
  {
    Application app({{"/{what}", handler<Leaver>}});
    IOLoop& loop = IOLoop::current();
    const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
    std::vector<int> clients;
    for (const std::string what : {"plain", "waits"}) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      const std::string text = "GET /" + what + " HTTP/1.1\r\nHost: test\r\n\r\n";
      ASSERT_EQ(::send(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
      loop.add_handler(
          fd,
          [&loop](int ready, unsigned) {
            loop.remove_handler(ready);
            loop.stop();
          },
          IOLoop::readable);
      loop.start();
      clients.push_back(fd);
    }
    for (const int fd : clients) ::close(fd);
  }
  EXPECT_EQ(Log::take().find("open"), std::string::npos);
}

struct Goodbye : EventSourceHandler {
  void open() {
    IOLoop::current().call_later(1ms, [app = &application()] { app->shutdown(); });
  }
  void on_close() { Log::lines.push_back("close"); }
};

TEST_F(EventSourceHandlerTest, ShuttingDownSpreadsTheReturnOfClientsAndEndsStreams) {
  Application app({{"/", handler<Goodbye>}}, {.reconnect_spread = 200ms});
  const std::string events = stream(app);
  ASSERT_TRUE(events.starts_with("retry: ")) << events;
  const int retry = std::stoi(events.substr(7));
  EXPECT_GE(retry, 1);
  EXPECT_LE(retry, 200);
  EXPECT_TRUE(events.ends_with("\n\n"));
  EXPECT_EQ(Log::take(), "close;");
  run_until_shut_down();
}

struct Flooding : EventSourceHandler {
  Task<> open() {
    const std::string much(64 * 1024, 'x');
    for (;;) {
      const SendResult result = send_event(much);
      if (result == SendResult::overflow) Log::lines.push_back("overflow");
      if (result != SendResult::sent) co_return;
      Log::lines.clear();
      most = pending_bytes() > most ? pending_bytes() : most;
      co_await sleep(0ms);
    }
  }
  void on_close() {
    Log::lines.push_back("close");
    IOLoop::current().stop();
  }
  static inline std::size_t most = 0;
};

TEST_F(EventSourceHandlerTest, AClientThatDoesNotReadIsDisconnectedAtTheLimit) {
  Application app({{"/", handler<Flooding>}}, {.event_source_max_queue = 256 * 1024});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string_view text = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
  ASSERT_EQ(::send(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  Flooding::most = 0;
  IOLoop::current().start();
  EXPECT_EQ(Log::take(), "overflow;close;");
  EXPECT_LE(Flooding::most, (256U + 128U) * 1024);  // and what is on its way
  ::close(fd);
}

}  // namespace
}  // namespace squall::web
