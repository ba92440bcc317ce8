// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/web.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace wire {
namespace {

using namespace squall;
using namespace std::chrono_literals;

/// Counts that it was opened and how it was closed: "ws.opened", "ws.closed", "ws.closed.1000".
struct Counted : web::WebSocketHandler {
  void open() { count("ws.opened"); }
  void on_close() {
    count("ws.closed");
    count("ws.closed." + std::to_string(close_code()));
    if (!close_reason().empty()) count("ws.reason." + std::string(close_reason()));
    if (closed_) count("ws.closed.twice");
    closed_ = true;
  }
  ~Counted() override { count("ws.destroyed"); }

 private:
  bool closed_ = false;
};

struct EchoSocket : Counted {
  void on_message(std::string_view message, bool binary) { write_message(message, binary); }
};

struct RoomSocket : web::WebSocketHandler {
  static inline thread_local std::set<RoomSocket*> members;
  void open() { members.insert(this); }
  void on_message(std::string_view message) {
    for (RoomSocket* const member : members) member->write_message(message);
  }
  void on_close() {
    members.erase(this);
    count("room.left");
  }
};

/// Takes 50 ms for each message.
struct SlowSocket : Counted {
  Task<> on_message(std::string_view message, bool binary) {
    if (busy_) count("slow.overlapped");
    busy_ = true;
    co_await sleep(50ms);
    busy_ = false;
    write_message(message, binary);
  }
  void on_ping(std::string_view) override { count("slow.pings"); }

 private:
  bool busy_ = false;
};

/// "4001 bye" makes it close with that code and reason.
struct ClosingSocket : Counted {
  void on_message(std::string_view message) {
    int code = 1000;
    std::from_chars(message.data(), message.data() + message.size(), code);
    const std::size_t space = message.find(' ');
    close(code, space == std::string_view::npos ? std::string_view() : message.substr(space + 1));
    if (write_message("too late") != web::SendResult::closed) count("ws.written_after_close");
  }
};

struct ThrowingSocket : Counted {
  void on_message(std::string_view) { throw std::runtime_error("the socket's wheel came off"); }
};

struct ThrowingTaskSocket : Counted {
  Task<> on_message(std::string_view) {
    co_await sleep(1ms);
    throw std::runtime_error("the socket's wheel came off later");
  }
};

struct OpenThrowsSocket : Counted {
  void open() {
    Counted::open();
    throw std::runtime_error("no way in");
  }
};

struct OpenClosesSocket : Counted {
  void open() {
    Counted::open();
    write_message("goodbye");
    close(4000, "closed in open");
  }
};

struct OpenSlowlySocket : Counted {
  Task<> open(int first) {
    Counted::open();
    co_await sleep(30ms);
    write_message("opened " + std::to_string(first));
  }
  void on_message(std::string_view message) { write_message(message); }
};

/// Writes until no more is taken, or, asked for "drain", waits for the client each time.
struct FloodSocket : Counted {
  Task<> on_message(std::string_view message) {
    const std::string piece(32 * 1024, 'f');
    if (message.starts_with("drain ")) {
      std::size_t pieces = 0;
      std::from_chars(message.data() + 6, message.data() + message.size(), pieces);
      for (std::size_t i = 0; i < pieces; ++i) {
        write_message(piece, true);
        co_await drained();
      }
      write_message("drained");
      co_return;
    }
    web::SendResult result = web::SendResult::sent;
    while (result == web::SendResult::sent) result = write_message(piece, true);
    count(result == web::SendResult::overflow ? "flood.overflow" : "flood.closed");
    if (write_message(piece) != web::SendResult::closed) count("flood.written_after_overflow");
    if (is_open()) count("flood.open_after_overflow");
  }
};

struct SubprotocolSocket : Counted {
  std::string_view select_subprotocol(const std::vector<std::string_view>& offered) override {
    for (const std::string_view ours : {"squall.v2", "squall.v1"}) {
      const auto found = std::find(offered.begin(), offered.end(), ours);
      if (found != offered.end()) return *found;
    }
    return {};
  }
  void open() {
    Counted::open();
    write_message("chose " + std::string(selected_subprotocol()));
  }
};

struct PingSocket : Counted {
  void on_message(std::string_view message) { ping(message); }
  void on_ping(std::string_view data) override { write_message("ping " + std::string(data)); }
  void on_pong(std::string_view data) override { write_message("pong " + std::string(data)); }
};

struct NeverSocket : Counted {
  Task<> on_message(std::string_view) {
    count("ws.never.started");
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      count("ws.never.cancelled");
      throw;
    }
  }
};

struct RequestSocket : Counted {
  void open() {
    Counted::open();
    keep_request();
  }
  void on_message(std::string_view message) { write_message(request().header(message)); }
};

struct PreparedSocket : Counted {
  Task<> prepare() override {
    co_await sleep(1ms);
    if (get_argument("token", "") != "good") throw web::HTTPError(401);
  }
  void on_message(std::string_view message) { write_message(message); }
};

struct SilentSocket : web::WebSocketHandler {};

struct StringSocket : Counted {
  Task<> on_message(std::string message) {
    co_await sleep(0ms);
    write_message(message);
  }
};

}  // namespace

void add_websocket_routes(web::Application& app) {
  app.add_route({"/ws", web::handler<EchoSocket>});
  app.add_route({"/ws/room", web::handler<RoomSocket>});
  app.add_route({"/ws/slow", web::handler<SlowSocket>});
  app.add_route({"/ws/close", web::handler<ClosingSocket>});
  app.add_route({"/ws/throw", web::handler<ThrowingSocket>});
  app.add_route({"/ws/throw-task", web::handler<ThrowingTaskSocket>});
  app.add_route({"/ws/open-throws", web::handler<OpenThrowsSocket>});
  app.add_route({"/ws/open-closes", web::handler<OpenClosesSocket>});
  app.add_route({"/ws/open/{first}", web::handler<OpenSlowlySocket>});
  app.add_route({"/ws/flood", web::handler<FloodSocket>});
  app.add_route({"/ws/sub", web::handler<SubprotocolSocket>});
  app.add_route({"/ws/ping", web::handler<PingSocket>});
  app.add_route({"/ws/never", web::handler<NeverSocket>});
  app.add_route({"/ws/request", web::handler<RequestSocket>});
  app.add_route({"/ws/prepared", web::handler<PreparedSocket>});
  app.add_route({"/ws/silent", web::handler<SilentSocket>});
  app.add_route({"/ws/string", web::handler<StringSocket>});
}

}  // namespace wire
