// SPDX-License-Identifier: Apache-2.0
//
// One chat, many processes: each is this program, nginx spreads the clients over them, and a hub on
// Redis joins them. `./dev run scale_out` starts them all; see README.md beside this file.
//
//   /realtime?name=NAME   a WebSocket with the hub's protocol, for the channel `chat`
//   /poll                 the same by long polling
//   POST /say             {"name", "text", "key"}: says something; key is the page's own id for it
#include "options.hpp"

#include <squall/json.hpp>
#include <squall/realtime.hpp>
#include <squall/realtime/redis_broker.hpp>
#include <squall/web.hpp>
#include <squall/web/hub.hpp>

#include <chrono>
#include <functional>

using namespace squall;

constexpr std::string_view channel = "chat";
constexpr std::size_t max_name_bytes = 96, max_text_bytes = 8000, max_key_bytes = 64;

/// What all handlers of this process share.
struct Chat {
  realtime::Hub& hub;
  std::string process;  // its name, which the page shows
};

/// A visitor: the hub's protocol, and a member of the channel under the name that the page gives.
struct Visitor : web::HubSocketHandler {
  explicit Visitor(Chat& chat) : HubSocketHandler(chat.hub), chat_(chat) {}

  Task<> prepare() override {
    name_ = get_query_argument("name", {});
    if (name_.size() > max_name_bytes) throw web::HTTPError(400);
    return {};
  }
  std::string user() override { return name_; }
  std::string info() override { return json::serialize(json::object{{"process", chat_.process}}); }

 private:
  Chat& chat_;
  std::string name_;
};

struct Say : web::RequestHandler {
  explicit Say(Chat& chat) : chat_(chat) {}

  Task<> post() {
    const json::value message = json_body();
    const std::string name = text(message, "name", max_name_bytes);
    const std::string said = text(message, "text", max_text_bytes);
    const std::string key = text(message, "key", max_key_bytes);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string data = json::serialize(json::object{
        {"name", name},
        {"text", said},
        {"key", key},
        {"time", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
        {"process", chat_.process},
    });
    const auto published = co_await chat_.hub.try_publish(channel, data);
    if (!published) throw web::HTTPError(503);  // the page tries again; the key keeps it single
    write(json::object{{"position", published->position.to_string()}});
  }

 private:
  static std::string text(const json::value& message, std::string_view field, std::size_t most) {
    const json::object* const object = message.if_object();
    const json::value* const found = object != nullptr ? object->if_contains(field) : nullptr;
    if (found == nullptr || !found->is_string()) throw web::HTTPError(400);
    const json::string& value = found->get_string();
    if (value.empty() || value.size() > most) throw web::HTTPError(400);
    return {value.data(), value.size()};
  }

  Chat& chat_;
};

/// The page: it may load nothing from elsewhere, and browsers ask each time whether it is the same.
struct Page : web::StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  void set_default_headers() override {
    set_header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
    set_header("X-Content-Type-Options", "nosniff");
    set_header("Cache-Control", "no-cache");
  }
};

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  realtime::Hub hub(realtime::redis_broker({.url = options.redis}));
  hub.configure(channel, {.history_size = 200,
                          .history_ttl = Duration::from_seconds(24 * 3600),
                          .presence = true,
                          .join_leave = true});
  // Anyone may read the chat, and nothing else; who says something does it by POST /say.
  hub.set_authorizer([](const realtime::AccessRequest& request) {
    return request.channel == channel && request.action != realtime::Action::publish;
  });
  Chat chat{hub, options.name};
  web::Application app(
      {
          {"/realtime", web::handler<Visitor>(std::ref(chat))},
          {"/poll", web::handler<web::LongPollHandler>(std::ref(hub))},
          {"/say", web::handler<Say>(std::ref(chat))},
          {"/squall-realtime.js", web::handler<web::HubScriptHandler>},
          {"/{path...}", web::handler<Page>(options.root, "index.html")},
      },
      {.trusted_proxies = {"127.0.0.1", "::1", "unix"}});
  try {
    const unsigned port = app.listen(options.port);
    std::printf("%s listens on http://localhost:%u\n", options.name.c_str(), port);
    std::fflush(stdout);
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "scale_out: %s\n", error.what());
    return 1;
  }
  IOLoop::current().start();
}
