// SPDX-License-Identifier: Apache-2.0
//
// A live dashboard: what this machine does, measured each second, drawn on every page that looks.
//
//   GET /history   {"position": ..., "interval": ms, "readings": [...]}: the last minutes, and
//   where
//                  the stream stands after them
//   GET /events    the readings from there on, as server-sent events whose ids are positions
//
// A page that comes back tells the last id it has had, and the hub sends what it has missed, or
// says that it no longer can.
#include "machine.hpp"
#include "options.hpp"

#include <squall/json.hpp>
#include <squall/loop/periodic_callback.hpp>
#include <squall/realtime.hpp>
#include <squall/web.hpp>
#include <squall/web/hub.hpp>

#include <functional>

using namespace squall;

constexpr std::string_view channel = "readings";
constexpr std::size_t kept_readings = 180;

class Dashboard {
 public:
  explicit Dashboard(Duration interval) : interval_(interval) {
    hub_.configure(channel,
                   {.history_size = kept_readings, .history_ttl = Duration::from_seconds(3600)});
    clock_.start();
  }

  realtime::Hub& hub() { return hub_; }
  Duration interval() const { return interval_; }
  int viewers = 0;

 private:
  void measure() {
    const Reading reading = machine_.read();
    hub_.publish(channel, json::serialize(json::object{
                              {"number", ++number_},
                              {"time", reading.time_ms},
                              {"cpu", reading.cpu_percent},
                              {"memory", reading.memory_percent},
                              {"received", reading.received_bytes},
                              {"sent", reading.sent_bytes},
                              {"viewers", viewers},
                          }));
  }

  Duration interval_;
  realtime::Hub hub_;
  Machine machine_;
  std::int64_t number_ = 0;
  PeriodicCallback clock_{[this] { measure(); }, interval_};
};

struct History : web::RequestHandler {
  explicit History(Dashboard& dashboard) : dashboard_(dashboard) {}

  Task<> get() {
    const realtime::HistoryPage page =
        co_await dashboard_.hub().history(channel, {.limit = kept_readings});
    json::array readings;
    for (const auto& publication : page.publications) {
      readings.push_back(json::parse(publication->data()));
    }
    set_header("Cache-Control", "no-store");
    write(json::object{{"position", page.position.to_string()},
                       {"interval", dashboard_.interval().milliseconds()},
                       {"readings", std::move(readings)}});
  }

 private:
  Dashboard& dashboard_;
};

struct Events : web::EventSourceHandler {
  explicit Events(Dashboard& dashboard) : dashboard_(dashboard) {}

  void open() {
    ++dashboard_.viewers;
    subscribe(dashboard_.hub(), channel);  // from Last-Event-ID on
  }
  void on_close() { --dashboard_.viewers; }

 private:
  Dashboard& dashboard_;
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
  Dashboard dashboard(Duration::from_milliseconds(options.interval_ms));
  web::Application app({
      {"/history", web::handler<History>(std::ref(dashboard))},
      {"/events", web::handler<Events>(std::ref(dashboard))},
      {"/{path...}", web::handler<Page>(options.root, "index.html")},
  });
  try {
    const unsigned port = app.listen(options.port);
    std::printf("The dashboard is open: http://localhost:%u\n", port);
    std::fflush(stdout);
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "dashboard: %s\n", error.what());
    return 1;
  }
  IOLoop::current().start();
}
