// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <chrono>
#include <string>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

class RequestBodyTest : public WebTest {
 protected:
  /// A request with a chunked body, one chunk a piece, and what follows the last.
  std::string post_chunked(Application& app, std::initializer_list<std::string> pieces,
                           std::string_view trailers = {}) {
    std::string bytes =
        "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& piece : pieces) {
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      bytes += size + piece + "\r\n";
    }
    bytes += "0\r\n" + std::string(trailers) + "\r\n";
    return send(app, bytes, false);
  }
};

struct Pull : RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> post() {
    EXPECT_TRUE(request().body().empty());
    std::string all;
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      all += piece;
      co_await sleep(1ms);
    }
    EXPECT_TRUE((co_await request().body().read()).empty()) << "the end stays the end";
    write(all + "|" + std::string(request().trailer("x-sum")));
  }
  void get() { write("no body"); }
};

TEST_F(RequestBodyTest, AVerbReadsItsBodyInPieces) {
  Application app({{"/", handler<Pull>}});
  EXPECT_EQ(body_of(request(app, "POST /", {}, "all of it")), "all of it|");
  EXPECT_EQ(body_of(post_chunked(app, {"one ", "two"}, "X-Sum: 7\r\n")), "one two|7");
  EXPECT_EQ(body_of(request(app, "POST /")), "|") << "without a body the first piece is the end";
  EXPECT_EQ(body_of(request(app, "GET /")), "no body");
}

struct Push : RequestHandler {
  Task<> prepare() override {
    order += "prepare ";
    return {};
  }
  Task<> data_received(std::string_view piece) override {
    order += "data ";
    const std::string kept(piece);
    co_await sleep(1ms);
    EXPECT_EQ(piece, kept) << "the bytes stay while the task runs";
    bytes += piece.size();
  }
  void post() { write(order + "post " + std::to_string(bytes)); }

  std::string order;
  std::size_t bytes = 0;
};

TEST_F(RequestBodyTest, DataReceivedTakesEachPieceBeforeTheVerb) {
  Application app({{"/", handler<Push>}});
  EXPECT_EQ(body_of(request(app, "POST /", {}, "12345")), "prepare data post 5");
  EXPECT_EQ(body_of(request(app, "POST /")), "prepare post 0");
  const std::string large(3'000'000, 'x');
  EXPECT_TRUE(body_of(request(app, "POST /", {}, large)).ends_with(" post 3000000"));
}

TEST_F(RequestBodyTest, FunctionRoutesMayReadInPiecesToo) {
  Application app;
  app.post("/", stream_request_body([](Request& request) -> Task<std::string> {
             std::size_t bytes = 0;
             for (;;) {
               const std::string_view piece = co_await request.request().body().read();
               if (piece.empty()) break;
               bytes += piece.size();
             }
             co_return std::to_string(bytes);
           }));
  EXPECT_EQ(body_of(request(app, "POST /", {}, std::string(2'000'000, 'x'))), "2000000");
}

struct Whole : RequestHandler {
  Task<> post() {
    const std::string_view first = co_await request().body().read();
    const std::string_view second = co_await request().body().read();
    write(std::string(first) + "|" + std::string(second) + "|" + std::string(request().body()));
  }
};

TEST_F(RequestBodyTest, AWholeBodyComesAsOnePiece) {
  Application app({{"/", handler<Whole>}});
  EXPECT_EQ(body_of(request(app, "POST /", {}, "abc")), "abc||abc");
}

struct Limited : Pull {
  Task<> prepare() override {
    set_max_body_size(static_cast<std::uint64_t>(std::stoi(get_query_argument("most"))));
    return {};
  }
};

TEST_F(RequestBodyTest, PrepareMayChangeTheLimit) {
  Application app({{"/", handler<Limited>}, {"/whole", handler<Whole>}},
                  {.max_body_size = 4, .max_streamed_body_size = 8});
  EXPECT_EQ(status_of(request(app, "POST /whole", {}, "12345")), "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(body_of(request(app, "POST /?most=10", {}, "1234567890")), "1234567890|");
  EXPECT_EQ(status_of(request(app, "POST /?most=9", {}, "1234567890")),
            "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(status_of(request(app, "POST /?most=1", {}, "12")), "HTTP/1.1 413 Content Too Large");
}

TEST_F(RequestBodyTest, AStreamedBodyHasALimitOfItsOwn) {
  Application app({{"/", handler<Pull>}}, {.max_body_size = 4, .max_streamed_body_size = 8});
  EXPECT_EQ(body_of(request(app, "POST /", {}, "12345678")), "12345678|");
  EXPECT_EQ(status_of(request(app, "POST /", {}, "123456789")), "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(status_of(post_chunked(app, {"12345", "6789"})), "HTTP/1.1 413 Content Too Large");
}

struct LateLimit : RequestHandler {
  void post() {
    set_max_body_size(5);
    write("?");
  }
};

TEST_F(RequestBodyTest, ALimitThatComesTooLateIsAMistake) {
  Application app({{"/", handler<LateLimit>}});
  EXPECT_EQ(status_of(request(app, "POST /", {}, "1")), "HTTP/1.1 500 Internal Server Error");
  EXPECT_NE(log_text().find("set in prepare() of a handler that streams"), std::string::npos)
      << log_text();
}

struct Refusing : Pull {
  Task<> prepare() override { throw HTTPError(403); }
};

TEST_F(RequestBodyTest, PrepareRefusesBeforeTheBodyIsSent) {
  Application app({{"/", handler<Refusing>}});
  const std::string answer = request(
      app, "POST /", "Expect: 100-continue\r\nContent-Length: 1000\r\n");  // which never comes
  EXPECT_EQ(status_of(answer), "HTTP/1.1 403 Forbidden");
}

TEST_F(RequestBodyTest, NobodyWaitsForABodyThatNobodyWants) {
  Application app({{"/", handler<Whole>}});
  // The bodies never come: these are answered by the head alone.
  EXPECT_EQ(status_of(request(app, "POST /nowhere", "Content-Length: 1000\r\n")),
            "HTTP/1.1 404 Not Found");
  EXPECT_EQ(status_of(request(app, "PUT /", "Content-Length: 1000000\r\n")),
            "HTTP/1.1 405 Method Not Allowed");
}

struct Early : RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> post() {
    static_cast<void>(co_await request().body().read());
    write("enough");
  }
};

TEST_F(RequestBodyTest, AVerbMayAnswerWithoutReadingAll) {
  Application app({{"/", handler<Early>}});
  const std::string answer =
      send(app,
           "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
           "chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
           "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nc",
           false);
  const std::size_t first = answer.find("enough");
  ASSERT_NE(first, std::string::npos) << answer;
  EXPECT_NE(answer.find("enough", first + 1), std::string::npos) << answer;
}

struct EchoPieces : RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> post() {
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      write(piece);
      co_await flush();
    }
    add_trailer("X-End", "yes");
  }
};

TEST_F(RequestBodyTest, AnAnswerMayStreamWhileTheBodyDoes) {
  Application app({{"/", handler<EchoPieces>}});
  const std::string answer = post_chunked(app, {"one", "two"});
  EXPECT_TRUE(answer.ends_with("0\r\nX-End: yes\r\n\r\n")) << answer;
  EXPECT_NE(answer.find("one"), std::string::npos);
  EXPECT_NE(answer.find("two"), std::string::npos);
}

bool left = false;
struct Leaving : RequestHandler {
  static constexpr bool stream_request_body = true;
  bool cancel_on_disconnect() const noexcept override { return false; }
  Task<> post() {
    try {
      for (;;) {
        const std::string_view piece = co_await request().body().read();
        if (piece.empty()) break;
      }
    } catch (const StreamClosedError&) {
      left = true;
      throw;
    }
  }
};

TEST_F(RequestBodyTest, AClientThatLeavesInTheMiddleIsNoticedByTheReader) {
  Application app({{"/", handler<Leaving>}});
  left = false;
  EXPECT_EQ(send(app, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"), "");
  EXPECT_TRUE(left);
}

struct TwoReaders : RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> post() {
    try {
      static_cast<void>(co_await with_timeout(5ms, next()));
    } catch (const TimeoutError&) {
      write("timed out, ");
    }
    co_await flush();
    std::size_t bytes = 0;
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      bytes += piece.size();
    }
    write(std::to_string(bytes));
  }
  Task<std::size_t> next() {
    const std::string_view piece = co_await request().body().read();
    co_return piece.size();
  }
};

TEST_F(RequestBodyTest, AReadThatIsCancelledLosesNothing) {
  Application app({{"/", handler<TwoReaders>}});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"});
  std::string answer;
  IOLoop& loop = IOLoop::current();
  std::thread client([&] {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string head = "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n";
    EXPECT_GT(::send(fd, head.data(), head.size(), MSG_NOSIGNAL), 0);
    char buffer[4096];
    ssize_t got;
    bool sent = false;
    while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0) {
      answer.append(buffer, static_cast<std::size_t>(got));
      if (!sent && answer.find("timed out") != std::string::npos) {
        sent = ::send(fd, "abc", 3, MSG_NOSIGNAL) == 3;
      }
    }
    ::close(fd);
    loop.post([&loop] { loop.stop(); });
  });
  loop.start();
  client.join();
  EXPECT_EQ(body_of(answer), "timed out, 3");
}

struct Hints : RequestHandler {
  void get() {
    send_informational(103, {{"Link", "</a.css>; rel=preload; as=style"}});
    EXPECT_THROW(send_informational(101), UsageError);
    EXPECT_THROW(send_informational(103, {{"X", "a\r\nb"}}), UsageError);
    EXPECT_THROW(add_trailer("Content-Length", "1"), UsageError);
    EXPECT_THROW(add_trailer("X", "a\nb"), UsageError);
    write("page");
  }
};

TEST_F(RequestBodyTest, HintsGoAheadOfTheResponse) {  // RFC 8297
  Application app({{"/", handler<Hints>}});
  const std::string answer = request(app, "GET /");
  EXPECT_TRUE(answer.starts_with(
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\n\r\nHTTP/1.1 200 OK"))
      << answer;
  const std::string old = send(app, "GET / HTTP/1.0\r\n\r\n", false);
  EXPECT_EQ(status_of(old), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace squall::web
