// SPDX-License-Identifier: Apache-2.0
// The server that the benchmarks measure, written as a user would write it.
#include <squall/json.hpp>
#include <squall/web.hpp>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

using namespace squall;

namespace {

struct PlainText : web::RequestHandler {
  void get() {
    set_header("Content-Type", "text/plain");
    write("Hello, World!");
  }
};

struct Json : web::RequestHandler {
  void get() { write(json::object{{"message", "Hello, World!"}}); }
};

struct Echo : web::RequestHandler {
  void post() {
    set_header("Content-Type", "application/octet-stream");
    write(request().body());
  }
};

struct Upload : web::RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> prepare() override {
    set_max_body_size(std::uint64_t{1} << 40);
    return {};
  }
  Task<> post() {
    std::uint64_t bytes = 0;
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      bytes += piece.size();
    }
    write(std::to_string(bytes));
  }
  Task<> put() { return post(); }
};

struct Download : web::RequestHandler {
  Task<> get(std::uint64_t bytes) {
    const std::string piece(64 * 1024, 'x');
    while (bytes > 0) {
      const std::string_view now = std::string_view(piece).substr(0, bytes);
      bytes -= now.size();
      write(now);
      co_await flush();
    }
  }
};

// The streams of one worker, as for the room below.
struct Feed : web::EventSourceHandler {
  static inline thread_local std::set<Feed*> streams;
  void open() { streams.insert(this); }
  void on_close() { streams.erase(this); }
};

struct Publish : web::RequestHandler {
  void post() {
    const web::SharedEvent event({.data = request().body()});
    for (Feed* stream : Feed::streams) stream->send_event(event);
    set_status(204);
  }
};

struct EchoSocket : web::WebSocketHandler {
  void on_message(std::string_view message, bool binary) { write_message(message, binary); }
};

struct DeflateSocket : EchoSocket {
  websocket::CompressionOptions get_compression_options() override { return {.enabled = true}; }
};

// One room a worker: its members live on its loop.
struct RoomSocket : web::WebSocketHandler {
  static inline thread_local std::set<RoomSocket*> members;
  void open() { members.insert(this); }
  void on_message(std::string_view message, bool binary) {
    const web::SharedMessage shared(message, binary);
    for (RoomSocket* member : members) member->write_message(shared);
  }
  void on_close() { members.erase(this); }
};

struct Options {
  unsigned port = 8080;
  std::string static_directory;
  std::size_t workers = 1;
  unsigned tls_port = 0;
  std::string certificate;
  std::string key;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr,
               "bench_server: %s\n"
               "usage: bench_server --port N [--static DIR] [--engine epoll|uring|auto] "
               "[--workers N] [--tls-port N --cert FILE --key FILE]\n",
               why.c_str());
  std::exit(2);
}

unsigned number(std::string_view name, std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) {
    fail(std::string(name) + " needs a number up to " + std::to_string(most) + ", not \"" +
         std::string(text) + "\"");
  }
  return value;
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = words[i];
    if (name != "--port" && name != "--static" && name != "--engine" && name != "--workers" &&
        name != "--tls-port" && name != "--cert" && name != "--key") {
      fail("unknown option " + std::string(name));
    }
    if (i + 1 == count) fail(std::string(name) + " needs a value");
    const std::string_view value = words[++i];
    if (name == "--port") {
      options.port = number(name, value, 65535);
    } else if (name == "--static") {
      options.static_directory = value;
    } else if (name == "--workers") {
      options.workers = number(name, value, 1024);
      if (options.workers == 0) fail("--workers needs at least one");
    } else if (name == "--engine") {
      if (value != "epoll" && value != "uring" && value != "auto") {
        fail("--engine is epoll, uring or auto, not " + std::string(value));
      }
      ::setenv("SQUALL_ENGINE", words[i], 1);
    } else if (name == "--tls-port") {
      options.tls_port = number(name, value, 65535);
    } else if (name == "--cert") {
      options.certificate = value;
    } else {
      options.key = value;
    }
  }
  if (options.tls_port != 0 && options.certificate.empty()) fail("--tls-port needs --cert");
  return options;
}

}  // namespace

int main(int count, char** words) {
  const Options options = parse(count, words);
  try {
    web::Application app(
        {
            {"/", web::handler<PlainText>},
            {"/plaintext", web::handler<PlainText>},
            {"/json", web::handler<Json>},
            {"/echo", web::handler<Echo>},
            {"/upload", web::handler<Upload>},
            {"/download/{bytes}", web::handler<Download>},
            {"/feed", web::handler<Feed>},
            {"/feed/publish", web::handler<Publish>},
            {"/ws", web::handler<EchoSocket>},
            {"/ws/deflate", web::handler<DeflateSocket>},
            {"/ws/room", web::handler<RoomSocket>},
        },
        {.access_log = false, .static_path = options.static_directory});
    app.listen(static_cast<std::uint16_t>(options.port), {.workers = options.workers});
    if (options.tls_port != 0) {
      app.listen(static_cast<std::uint16_t>(options.tls_port),
                 {.workers = options.workers,
                  .tls = {.certificate_file = options.certificate, .key_file = options.key}});
    }
    IOLoop::current().start();
  } catch (const std::exception& error) {
    fail(error.what());
  }
}
