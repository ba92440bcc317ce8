// SPDX-License-Identifier: Apache-2.0
//
// A chat by long polling, as Tornado's chat demo is: for clients that have neither WebSockets nor
// streams of events. `./dev run longpoll_chat` opens it on http://localhost:8888; any
// name of small letters and digits is a room, such as http://localhost:8888/room/garden.
//
//   POST /a/message/new       room, name, body: says something; answers with its position
//   GET  /a/message/updates   room, cursor: what was said after the cursor, as soon as there is
//                             something; without a cursor where the room stands, at once
//   GET  /a/message/history   room: the last messages, and the cursor behind them
//
// A hub keeps the last messages of each room, so whoever was away goes on from its cursor and is
// told when something between is gone. The cursor is all that a client has to know.
#include "options.hpp"

#include <squall/json.hpp>
#include <squall/realtime.hpp>
#include <squall/web.hpp>
#include <squall/web/hub.hpp>
#include <squall/web/security_headers.hpp>

#include <algorithm>
#include <chrono>
#include <functional>

using namespace squall;

constexpr std::size_t kept_messages = 200;
constexpr std::size_t max_room_bytes = 32, max_name_bytes = 96, max_body_bytes = 8000;

/// The hub's channel of the room that a request names.
std::string channel_of(web::RequestHandler& handler) {
  const std::string room = handler.get_argument("room", "lobby");
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (room.empty() || room.size() > max_room_bytes ||
      !std::all_of(room.begin(), room.end(), is_plain)) {
    throw web::HTTPError(400);
  }
  return "room:" + room;
}

struct MessageNew : web::RequestHandler {
  explicit MessageNew(realtime::Hub& hub) : hub_(hub) {}

  Task<> post() {
    const std::string channel = channel_of(*this);
    const std::string name = text("name", max_name_bytes);
    const std::string body = text("body", max_body_bytes);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string data = json::serialize(json::object{
        {"name", name},
        {"body", body},
        {"time", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
    });
    const auto published = co_await hub_.try_publish(channel, data);
    if (!published) throw web::HTTPError(503);  // too many rooms, say
    write(json::object{{"position", published->position.to_string()}});
  }

 private:
  std::string text(std::string_view field, std::size_t most) {
    std::string value = get_body_argument(field);
    if (value.empty() || value.size() > most) throw web::HTTPError(400);
    return value;
  }

  realtime::Hub& hub_;
};

/// Waiting, cursors, limits and clients that leave are the library's.
struct MessageUpdates : web::LongPollHandler {
  explicit MessageUpdates(realtime::Hub& hub) : LongPollHandler(hub) {}
  std::string channel() override { return channel_of(*this); }
};

struct MessageHistory : web::RequestHandler {
  explicit MessageHistory(realtime::Hub& hub) : hub_(hub) {}

  Task<> get() {
    const std::string channel = channel_of(*this);
    const realtime::HistoryPage page = co_await hub_.history(channel, {.limit = kept_messages});
    json::array messages;
    for (const auto& publication : page.publications) {
      messages.push_back(json::object{{"data", publication->data()}});
    }
    set_header("Cache-Control", "no-store");
    write(json::object{{"position", page.position.to_string()}, {"messages", std::move(messages)}});
  }

 private:
  realtime::Hub& hub_;
};

/// For Prometheus, and for whoever wonders how many are waiting.
struct Metrics : web::RequestHandler {
  explicit Metrics(realtime::Hub& hub) : hub_(hub) {}
  void get() {
    set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    write(hub_.metrics_text());
  }

 private:
  realtime::Hub& hub_;
};

/// The one page of all rooms; its script reads the room from the address.
struct Page : web::StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  void get(const std::string& /*room*/) { StaticFileHandler::get("index.html"); }
};

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  realtime::Hub hub;
  hub.configure("room:*",
                {.history_size = kept_messages, .history_ttl = Duration::from_seconds(24 * 3600)});
  web::Application app(
      {
          {"/", web::handler<web::RedirectHandler>("/room/lobby", 302)},
          {"/room/{name}", web::handler<Page>(options.root)},
          {"/a/message/new", web::handler<MessageNew>(std::ref(hub))},
          {"/a/message/updates", web::handler<MessageUpdates>(std::ref(hub))},
          {"/a/message/history", web::handler<MessageHistory>(std::ref(hub))},
          {"/metrics", web::handler<Metrics>(std::ref(hub))},
      },
      {.xsrf_check_origin = true, .static_path = options.root});
  app.use(web::security_headers(
      {.content_security_policy = "default-src 'self'; frame-ancestors 'none'"}));
  try {
    const unsigned port = app.listen(options.port);
    std::printf("The chat is open: http://localhost:%u\n", port);
    std::fflush(stdout);
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "longpoll_chat: %s\n", error.what());
    return 1;
  }
  IOLoop::current().start();
}
