// SPDX-License-Identifier: Apache-2.0
// One of the processes that the chaos test kills: a hub on Redis with everything that clients use.
#include <squall/realtime.hpp>
#include <squall/realtime/redis_broker.hpp>
#include <squall/web.hpp>
#include <squall/web/hub.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <set>
#include <string>

using namespace squall;

namespace {

/// Who is connected, so that the test can have the server close some of them.
template <class Handler>
std::set<Handler*> connected;

struct Socket : web::HubSocketHandler {
  using HubSocketHandler::HubSocketHandler;
  void open() {
    connected<Socket>.insert(this);
    HubSocketHandler::open();
  }
  void on_close() {
    connected<Socket>.erase(this);
    HubSocketHandler::on_close();
  }
};

struct Events : web::EventSourceHandler {
  explicit Events(realtime::Hub& hub) : hub_(hub) {}
  void open(std::string channel) {
    connected<Events>.insert(this);
    subscribe(hub_, channel);
  }
  void on_close() { connected<Events>.erase(this); }

 private:
  realtime::Hub& hub_;
};

struct Publish : web::RequestHandler {
  explicit Publish(realtime::Hub& hub) : hub_(hub) {}
  Task<> post(std::string channel) {
    const auto published = co_await hub_.try_publish(channel, request().body());
    if (published) {
      write(published->position.to_string());
    } else {
      set_status(503);
      write(published.error().message());
    }
  }

 private:
  realtime::Hub& hub_;
};

template <class Handler, class Close>
void close_some(unsigned percent, Close close) {
  const std::set<Handler*> all = connected<Handler>;
  for (Handler* one : all) {
    if (static_cast<unsigned>(std::rand()) % 100 < percent) close(*one);
  }
}

struct Close : web::RequestHandler {
  void post(unsigned percent) {
    close_some<Socket>(percent, [](Socket& socket) { socket.close(1012, "come again"); });
    close_some<Events>(percent, [](Events& stream) { stream.close(); });
  }
};

struct Ready : web::RequestHandler {
  void get() { write("ready"); }
};

struct Metrics : web::RequestHandler {
  explicit Metrics(realtime::Hub& hub) : hub_(hub) {}
  void get() {
    set_header("Content-Type", "text/plain; version=0.0.4");
    write(hub_.metrics_text());
  }

 private:
  realtime::Hub& hub_;
};

}  // namespace

int main(int count, char** words) {
  unsigned port = 0;
  std::string redis;
  bool durable = false;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(words[i], "--durable") == 0) durable = true;
    if (i + 1 == count) break;
    if (std::strcmp(words[i], "--port") == 0) port = static_cast<unsigned>(std::atoi(words[i + 1]));
    if (std::strcmp(words[i], "--redis") == 0) redis = words[i + 1];
  }
  if (port == 0 || redis.empty()) {
    std::fputs("usage: squall_chaos_server --port N --redis URL [--durable]\n", stderr);
    return 2;
  }
  realtime::Hub hub(
      realtime::redis_broker({.url = redis, .durable = durable}),
      {.position_check = Duration::from_seconds(2), .position_grace = Duration::from_seconds(2)});
  hub.configure("room:*", {.history_size = 250, .history_ttl = Duration::from_seconds(60)});
  hub.configure("brief:*", {.history_size = 20, .history_ttl = Duration::from_seconds(60)});
  hub.configure("bulk", {.history_size = 40, .history_ttl = Duration::from_seconds(60)});

  web::Application app(
      {
          {"/realtime", web::handler<Socket>(std::ref(hub))},
          {"/events/{channel}", web::handler<Events>(std::ref(hub))},
          {"/poll", web::handler<web::LongPollHandler>(std::ref(hub))},
          {"/publish/{channel}", web::handler<Publish>(std::ref(hub))},
          {"/close/{percent}", web::handler<Close>},
          {"/ready", web::handler<Ready>},
          {"/metrics", web::handler<Metrics>(std::ref(hub))},
      },
      {.access_log = false});
  app.listen(static_cast<std::uint16_t>(port));
  IOLoop::current().start();
}
