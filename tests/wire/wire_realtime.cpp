// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/sleep.hpp>
#include <squall/json.hpp>
#include <squall/web.hpp>
#include <squall/web/hub.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REALTIME_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REALTIME_SANITIZED true
#endif
#endif
#ifndef REALTIME_SANITIZED
#define REALTIME_SANITIZED false
#endif

// Streams of events, long polls and HubSocketHandler, for real clients and browsers.
namespace {

using namespace squall;
using namespace std::chrono_literals;

long open_streams = 0;
long closed_streams = 0;

/// A number of events, and the end.
struct Some : web::EventSourceHandler {
  Task<> open(int count) {
    ++open_streams;
    send_event({.event = "start", .id = "s", .data = last_event_id(), .retry = 200ms});
    for (int i = 0; i < count; ++i) {
      const std::string id = std::to_string(i);
      send_event({.id = id, .data = "line " + id + "\nmore"});
      if (i % 10 == 9) co_await drained();
    }
    send_comment("end");
    close();
  }
  void on_close() { ++closed_streams; }
};

struct Compressed : Some {
  Task<> open(int count) {
    set_compression(true);
    return Some::open(count);
  }
};

/// A channel of the hub.
struct Channel : web::EventSourceHandler {
  explicit Channel(realtime::Hub& the_hub) : hub(the_hub) {}
  Task<> open(std::string name) {
    ++open_streams;
    co_await subscribe(hub, name);
  }
  void on_close() { ++closed_streams; }
  realtime::Hub& hub;
};

/// Broadcasts to all who listen; slow ones are treated as ?policy= says.
struct Crowd : web::EventSourceHandler {
  static inline std::set<Crowd*> all;
  void open() {
    const std::string policy = get_argument("policy", "disconnect");
    const std::size_t bytes = 256 * 1024;
    if (policy == "drop_oldest") set_slow_consumer(SlowConsumer::drop_oldest, bytes);
    if (policy == "drop_newest") set_slow_consumer(SlowConsumer::drop_newest, bytes);
    if (policy == "conflate") set_slow_consumer(SlowConsumer::conflate, bytes);
    set_heartbeat(Duration::from_milliseconds(std::stol(get_argument("heartbeat_ms", "15000"))));
    all.insert(this);
    ++open_streams;
  }
  void on_close() {
    all.erase(this);
    ++closed_streams;
  }
};

Task<std::string> publish(realtime::Hub* hub, std::string channel, std::string text) {
  const realtime::PublishResult result = co_await hub->publish(channel, text);
  co_return result.position.to_string();
}

constexpr std::string_view page = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><title>realtime</title><link rel="icon" href="data:,">
<p id="state"></p><ol id="log"></ol>
<script type="module">
import { Realtime } from "/squall-realtime.js";
const query = new URLSearchParams(location.search);
const say = (text) => {
  const line = document.createElement("li");
  line.textContent = text;
  document.querySelector("#log").append(line);
};
if (query.has("sse")) {
  const source = new EventSource("/channel/news");
  source.onopen = () => say("open");
  source.onmessage = (event) => say("message " + event.data);
  source.onerror = () => say("error");
  source.addEventListener("recovered", (event) => say("recovered " + JSON.parse(event.data).missed));
  source.addEventListener("reset", (event) => say("reset " + JSON.parse(event.data).reason));
} else {
  const realtime = new Realtime(query.get("ws") ?? "/realtime", {
    poll: query.has("poll") ? "/poll" : undefined, min_delay: 50, max_delay: 500, timeout: 3000,
    idle: 1000 });
  realtime.on("state", (state) => { document.querySelector("#state").textContent = state; });
  const news = realtime.subscribe("news");
  news.on("subscribed", ({ recovered }) => say("subscribed " + recovered));
  news.on("message", (message) => say("message " + message.text));
  news.on("recovered", ({ missed }) => say("recovered " + missed));
  news.on("lost", ({ reason }) => say("lost " + reason));
  news.on("error", (error) => say("error " + error.code));
  window.realtime = realtime;
  window.news = news;
}
</script></html>
)";

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // the test may be killed
  int port = 0;
  long spread_ms = 5000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option.starts_with("--port=")) port = std::atoi(argv[i] + 7);
    if (option.starts_with("--spread-ms=")) spread_ms = std::atol(argv[i] + 12);
  }
  realtime::Hub hub;
  hub.configure("news", {.history_size = 100, .presence = true, .join_leave = true});
  hub.configure("short", {.history_size = 3});
  hub.configure("polled", {.history_size = 100});
  hub.set_authorizer(
      [](const realtime::AccessRequest& request) { return request.channel != "secret"; });
  web::Application app(
      {
          {"/some/{count}", web::handler<Some>},
          {"/compressed/{count}", web::handler<Compressed>},
          {"/channel/{name}", web::handler<Channel>(std::ref(hub))},
          {"/crowd", web::handler<Crowd>},
          {"/poll", web::handler<web::LongPollHandler>(std::ref(hub))},
          {"/realtime", web::handler<web::HubSocketHandler>(
                            std::ref(hub), web::HubSocketOptions{.publish = true})},
          {"/squall-realtime.js", web::handler<web::HubScriptHandler>},
      },
      {.access_log = false,
       .event_source_write_timeout = 60s,
       .reconnect_spread = Duration::from_milliseconds(spread_ms)});
  app.get("/", [] { return std::string(page); });
  app.get("/publish/{channel}/{text}",
          [&hub](std::string channel, std::string text) -> Task<std::string> {
            return publish(&hub, std::move(channel), std::move(text));
          });
  app.get("/shout/{count}/{bytes}", [](int count, int bytes) {
    for (int i = 0; i < count; ++i) {
      const std::string id = std::to_string(i);
      const std::string data = id + std::string(static_cast<std::size_t>(bytes), 'x');
      const web::SharedEvent event({.id = id, .data = data, .key = "k"});
      for (Crowd* const one : Crowd::all) one->send_event(event);
    }
    return std::to_string(Crowd::all.size());
  });
  app.get("/counters", [&hub] {
    return json::object{{"open", open_streams},
                        {"closed", closed_streams},
                        {"sanitized", REALTIME_SANITIZED},
                        {"crowd", Crowd::all.size()},
                        {"subscriptions", hub.metrics().subscriptions}};
  });
  const std::uint16_t bound =
      app.listen(static_cast<std::uint16_t>(port), {.address = "127.0.0.1"});
  std::printf("listening on %u\n", bound);
  std::fflush(stdout);
  IOLoop::current().start();
  return 0;
}
