// SPDX-License-Identifier: Apache-2.0
//
// A chat room: a page (the files in public/), and a WebSocket for each visitor. Every message is a
// JSON object with a "type". The page sends
//   join      name, and token: the browser's secret, with which it may use its name twice;
//             coming back, also epoch and last, the newest id it has, to get what came after
//   message   text, and key: the page's own id for it, so that one sent twice counts once
//   typing, ping
// and is sent welcome, people, message, typing, pong, or error with a code and a text to show.
#include "fields.hpp"
#include "options.hpp"
#include "room.hpp"

#include <squall/json.hpp>
#include <squall/loop/periodic_callback.hpp>
#include <squall/web.hpp>

#include <array>
#include <chrono>
#include <functional>

using namespace squall;
using namespace std::chrono_literals;

constexpr std::size_t max_name = 24, max_text = 2000, max_key = 64;  // characters
constexpr std::size_t max_request_bytes = 16'384;
constexpr std::size_t max_burst = 20;  // requests in burst_time; typing and sending make two
constexpr Duration burst_time = 5s;
constexpr Duration ping_time = 20s;
constexpr Duration silence_time = 60s;  // without an answer; then the client is taken for gone

class ChatSocket : public web::WebSocketHandler {
 public:
  explicit ChatSocket(Room& room) : room_(room) {}

  void open() {
    heard_ = IOLoop::current().time();
    pings_.start();
  }

  void on_message(std::string_view message) {
    heard_ = IOLoop::current().time();
    std::error_code error;
    const json::value value = json::parse(message, error);
    const json::object* request = value.if_object();
    if (request == nullptr) return refuse("bad_request", "A message is a JSON object.");

    const std::string type = text_at(*request, "type");
    if (is_too_fast()) {
      refuse("too_fast", "Not so fast, please.", text_at(*request, "key"));
    } else if (type == "ping") {
      write_message(json::object{{"type", "pong"}});
    } else if (type == "join") {
      join(*request);
    } else if (type == "message" && !name_.empty()) {
      say(text_at(*request, "text"), text_at(*request, "key"));
    } else if (type == "typing" && !name_.empty()) {
      room_.tell_all({{"type", "typing"}, {"name", name_}});
    } else {
      refuse("bad_request", name_.empty() ? "Join first." : "There is no such type.");
    }
  }

  void on_pong(std::string_view) override { heard_ = IOLoop::current().time(); }

  void on_close() {
    pings_.stop();
    room_.leave(*this);
  }

 private:
  void join(const json::object& request) {
    const std::string name = text_at(request, "name");
    const std::string token = text_at(request, "token");
    if (token.size() > max_key) return refuse("bad_request", "The token is too long.");
    if (!has_length(name, max_name) || has_control_characters(name)) {
      return refuse("bad_name", "A name has 1 to 24 characters.");
    }
    if (!room_.join(*this, name, token)) {
      return refuse("name_taken", "Somebody called " + name + " is here already.");
    }
    name_ = name;
    write_message(room_.welcome(text_at(request, "epoch"), number_at(request, "last")));
    room_.tell_who_is_here();
  }

  void say(const std::string& text, const std::string& key) {
    if (!has_length(text, max_text)) {
      return refuse("bad_text", "A message has 1 to 2000 characters.", key);
    }
    if (!has_length(key, max_key)) return refuse("bad_request", "A key has 1 to 64 characters.");
    room_.say(name_, text, key);
  }

  bool is_too_fast() {
    TimePoint& oldest = recent_[next_];
    if (heard_ - oldest < burst_time) return true;
    oldest = heard_;
    next_ = (next_ + 1) % recent_.size();
    return false;
  }

  void ping_or_give_up() {
    if (IOLoop::current().time() - heard_ > silence_time) return close(1001, "no answer");
    ping();
  }

  void refuse(std::string_view code, std::string_view text, std::string_view key = {}) {
    write_message(json::object{{"type", "error"}, {"code", code}, {"text", text}, {"key", key}});
  }

  Room& room_;
  std::string name_;  // "" before the client has joined
  TimePoint heard_;   // when it last said anything
  std::array<TimePoint, max_burst> recent_;
  std::size_t next_ = 0;
  PeriodicCallback pings_{[this] { ping_or_give_up(); }, ping_time};
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
  Room room;
  web::Application app(
      {
          {"/ws", web::handler<ChatSocket>(std::ref(room))},
          {"/{path...}", web::handler<Page>(options.root, "index.html")},
      },
      {.websocket_max_message_size = max_request_bytes});
  try {
    const unsigned port = app.listen(options.port);
    std::printf("The chat room is open: http://localhost:%u\n", port);
    std::fflush(stdout);
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "chat: %s\n", error.what());
    return 1;
  }
  IOLoop::current().start();
}
