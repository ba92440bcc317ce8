// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/web.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

// Routes whose responses are odd: errors, misuse, streams, waits, sizes.
namespace wire {
namespace {

using namespace squall;
using namespace std::chrono_literals;

struct Throws : web::RequestHandler {
  void get() {
    write("never seen");
    throw std::runtime_error("the wheel came off");
  }
  Task<> post() {
    co_await sleep(1ms);
    throw std::runtime_error("the wheel came off later");
  }
};

struct Teapot : web::RequestHandler {
  void get() { throw web::HTTPError(418, "only the log knows", "Short and Stout"); }
};

struct ErrorPage : web::RequestHandler {
  void get() { throw web::HTTPError(409); }
  void write_error(int status, std::exception_ptr error) override {
    set_header("Content-Type", "text/x-error");
    write("page of " + std::to_string(status) + (error ? " with" : " without") + " an error");
  }
};

struct ErrorPageThrows : web::RequestHandler {
  void get() { throw web::HTTPError(409); }
  void write_error(int, std::exception_ptr) override {
    throw std::runtime_error("the page of the error has an error");
  }
};

struct WriteAfterFinish : web::RequestHandler {
  void get() {
    finish("first");
    write("second");
  }
  Task<> post() {
    finish("first");
    co_await sleep(1ms);
    write("second");
  }
};

struct FinishTwice : web::RequestHandler {
  void get() {
    finish("once");
    finish("twice");
  }
};

struct HeaderInjection : web::RequestHandler {
  void get() { set_header("X-Bad", "a\r\nX-Injected: yes"); }
  void post() { set_cookie("a", "b\r\nX-Injected: yes"); }
  void put() { redirect("/a\r\nX-Injected: yes"); }
  void patch() { set_status(200, "OK\r\nX-Injected: yes"); }
};

/// Waits for an hour, and tells how it ended.
struct Never : web::RequestHandler {
  Task<> get() {
    count("never.started");
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      count("never.cancelled");
      throw;
    }
  }
  void on_connection_close() override { count("never.on_connection_close"); }
  void on_finish() override { count("never.on_finish"); }
  ~Never() override { count("never.destroyed"); }
};

/// Its work goes on without the client.
struct Stubborn : web::RequestHandler {
  Task<> get() {
    count("stubborn.started");
    co_await sleep(100ms);
    count("stubborn.ended");
    write("done");
  }
  bool cancel_on_disconnect() const noexcept override { return false; }
};

struct Sleeps : web::RequestHandler {
  Task<> get(unsigned ms) {
    count("sleep.started");
    co_await sleep(Duration::from_milliseconds(ms));
    write("slept");
  }
};

struct Stream : web::RequestHandler {
  Task<> get(unsigned chunks) {
    for (unsigned i = 0; i < chunks; ++i) {
      write("chunk " + std::to_string(i) + "\n");
      co_await flush();
    }
  }
};

struct SlowStream : web::RequestHandler {
  Task<> get(unsigned chunks) {
    for (unsigned i = 0; i < chunks; ++i) {
      write("data: " + std::to_string(i) + "\n\n");
      co_await flush();
      co_await sleep(20ms);
    }
  }
  void on_connection_close() override { count("slow-stream.on_connection_close"); }
};

/// Writes pieces for as long as the client reads them.
struct Endless : web::RequestHandler {
  Task<> get() {
    count("endless.started");
    const std::string piece(64 * 1024, 'e');
    try {
      for (;;) {
        write(piece);
        co_await flush();
        count("endless.pieces");
      }
    } catch (const Error&) {  // the client has left, or we are cancelled because it has
      count("endless.ended");
      throw;
    }
  }
};

struct Large : web::RequestHandler {
  void get(std::size_t bytes) { write(std::string(bytes, 'x')); }
};

struct LargeStream : web::RequestHandler {
  Task<> get(std::size_t bytes) {
    const std::string piece(64 * 1024, 'y');
    while (bytes > 0) {
      const std::size_t size = std::min(bytes, piece.size());
      write(std::string_view(piece).substr(0, size));
      co_await flush();
      bytes -= size;
    }
  }
};

struct ThrowsAfterFlush : web::RequestHandler {
  void get() {
    write("the beginning");
    flush();
    throw std::runtime_error("lost the thread");
  }
  Task<> post() {
    write("the beginning");
    co_await flush();
    throw std::runtime_error("lost the thread");
  }
  /// With a Content-Length.
  Task<> put() {
    set_header("Content-Length", 1000);
    write("the beginning");
    co_await flush();
    throw web::HTTPError(404);
  }
};

struct ShortBody : web::RequestHandler {
  Task<> get() {
    set_header("Content-Length", 100);
    write("short");
    co_await flush();
  }
  Task<> post() {
    set_header("Content-Length", 3);
    write("abc");
    co_await flush();
    write("defgh");
    co_await flush();
  }
};

struct Status : web::RequestHandler {
  void get(int code) {
    set_status(code, get_argument("reason", ""));
    if (code != 204 && code != 304) write("status " + std::to_string(code));
  }
};

}  // namespace

void add_output_routes(web::Application& app) {
  app.add_route({"/throw", web::handler<Throws>});
  app.add_route({"/teapot", web::handler<Teapot>});
  app.add_route({"/error-page", web::handler<ErrorPage>});
  app.add_route({"/error-page-throws", web::handler<ErrorPageThrows>});
  app.add_route({"/write-after-finish", web::handler<WriteAfterFinish>});
  app.add_route({"/finish-twice", web::handler<FinishTwice>});
  app.add_route({"/injection", web::handler<HeaderInjection>});
  app.add_route({"/never", web::handler<Never>});
  app.add_route({"/stubborn", web::handler<Stubborn>});
  app.add_route({"/sleep/{ms}", web::handler<Sleeps>});
  app.add_route({"/stream/{chunks}", web::handler<Stream>});
  app.add_route({"/slow-stream/{chunks}", web::handler<SlowStream>});
  app.add_route({"/endless", web::handler<Endless>});
  app.add_route({"/large/{bytes}", web::handler<Large>});
  app.add_route({"/large-stream/{bytes}", web::handler<LargeStream>});
  app.add_route({"/truncated", web::handler<ThrowsAfterFlush>});
  app.add_route({"/short-body", web::handler<ShortBody>});
  app.add_route({"/status/{code}", web::handler<Status>});
}

}  // namespace wire
