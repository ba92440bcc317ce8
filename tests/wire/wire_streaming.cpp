// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/json.hpp>
#include <squall/net/stream.hpp>
#include <squall/web.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

// Routes whose bodies come and go in pieces, and what stands around them: trailers, interim
// responses.
namespace wire {
namespace {

using namespace squall;
using namespace std::chrono_literals;

/// Enough to see that bytes came whole and in order (FNV-1a).
class Sum {
 public:
  void add(std::string_view bytes) noexcept {
    for (const char c : bytes) value_ = (value_ ^ static_cast<unsigned char>(c)) * 1099511628211U;
    count_ += bytes.size();
  }
  [[nodiscard]] json::object report() const {
    return {{"bytes", count_}, {"sum", std::to_string(value_)}};
  }

 private:
  std::uint64_t value_ = 14695981039346656037U;
  std::uint64_t count_ = 0;
};

/// Reads at its own pace: ?pause_ms= between two pieces, ?most= for its size.
struct Pulled : web::RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> prepare() override {
    const std::string most = get_query_argument("most", "");
    if (!most.empty()) set_max_body_size(std::stoull(most));
    if (get_query_argument("refuse", "") == "1") throw web::HTTPError(403);
    return {};
  }
  Task<> post() {
    const auto pause = std::chrono::milliseconds(std::stoi(get_query_argument("pause_ms", "0")));
    Sum sum;
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      sum.add(piece);
      if (pause > 0ms) co_await sleep(pause);
    }
    json::object report = sum.report();
    report["trailer"] = request().trailer("X-Sum");
    write(report);
  }
  Task<> put() { return post(); }
  void on_connection_close() override { count("pulled.left"); }
};

struct Pushed : web::RequestHandler {
  Task<> data_received(std::string_view piece) override {
    sum_.add(piece);
    return {};
  }
  void post() { write(sum_.report()); }
  void put() { post(); }

 private:
  Sum sum_;
};

struct EchoPieces : web::RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> post() {
    set_header("Content-Type", "application/octet-stream");
    std::uint64_t bytes = 0;
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      bytes += piece.size();
      write(piece);
      co_await flush();
    }
    add_trailer("X-Bytes", std::to_string(bytes));
  }
};

/// ?bytes= of zeroes, a piece at a time.
struct Down : web::RequestHandler {
  Task<> get() {
    const std::string piece(64 * 1024, '\0');
    for (std::uint64_t left = std::stoull(get_query_argument("bytes")); left > 0;) {
      const std::string_view now = std::string_view(piece).substr(0, left);
      left -= now.size();
      write(now);
      co_await flush();
    }
  }
};

struct Hints : web::RequestHandler {
  Task<> get() {
    send_informational(103, {{"Link", "</style.css>; rel=preload; as=style"}});
    co_await sleep(1ms);
    send_informational(103, {{"Link", "</script.js>; rel=preload; as=script"}});
    set_header("Link", "</style.css>; rel=preload; as=style");
    write("page");
  }
};

/// Answers with less or more than it announced.
struct Misframed : web::RequestHandler {
  Task<> get() {
    set_header("Content-Length", static_cast<std::int64_t>(10));
    write("12345");
    co_await flush();
    if (get_query_argument("kind") == "more") write("6789012345");
  }
};

/// Says every line back in capitals, once the client has asked for it.
struct Shout : web::RequestHandler {
  Task<> get() {
    if (!request().has_upgrade("shout")) throw web::HTTPError(426);
    set_header("X-Greeting", "hello");
    net::Stream stream = switch_protocols("shout");
    for (;;) {
      const Result<std::string> line = co_await stream.read_line();
      if (!line) break;
      std::string answer = *line;
      for (char& c : answer) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      }
      answer += '\n';
      static_cast<void>(co_await stream.write(answer));
    }
    count("shout.end");
  }
};

}  // namespace

void add_streaming_routes(web::Application& app) {
  app.add_route({"/pulled", web::handler<Pulled>});
  app.add_route({"/pushed", web::handler<Pushed>});
  app.add_route({"/echo-pieces", web::handler<EchoPieces>});
  app.add_route({"/down", web::handler<Down>});
  app.add_route({"/hints", web::handler<Hints>});
  app.add_route({"/shout", web::handler<Shout>});
  app.add_route({"/misframed", web::handler<Misframed>});
}

}  // namespace wire
