// SPDX-License-Identifier: Apache-2.0
// Virtual hosts, groups and middleware, driven by routing_test.py. It uses the public interface
// only.
#include <squall/web.hpp>
#include <squall/web/cors.hpp>
#include <squall/web/rate_limit.hpp>
#include <squall/web/request_id.hpp>
#include <squall/web/security_headers.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

using namespace squall;
using namespace std::chrono_literals;

namespace {

struct Page : web::RequestHandler {
  explicit Page(std::string_view text) : text_(text) {}
  void get() { write(text_); }
  std::string_view text_;
};
struct Item : web::RequestHandler {
  void get(std::string name) { write(name); }
  void put(std::string name) { write(reverse_url("item", name)); }
};
struct Count : web::EventSourceHandler {
  void open() {
    send_event({.data = "1"});
    close();
  }
};
struct Echo : web::WebSocketHandler {
  void on_message(std::string_view message) { write_message(message); }
};

// The page of cors_test.mjs.
bool is_browser_test(std::string_view origin) { return origin.starts_with("http://127.0.0.1:"); }

}  // namespace

int main() {
  web::Router api({{"/item/{name}", web::handler<Item>, {.name = "item"}}},
                  {.middleware = {web::cors({.origins = {"https://app.example"},
                                             .allow_origin = is_browser_test,
                                             .credentials = true,
                                             .headers = {"X-Token"},
                                             .exposed_headers = {"X-Request-Id"},
                                             .max_age = 10min})}});
  api.post("/small", [](web::Request& request) { return std::string(request.request().body()); },
           {.max_body_size = 10});
  web::Application app(
      {
          {"/", web::handler<Page>("any host")},
          {"/api", api},
          {"/limited",
           web::handler<Page>("limited"),
           {.middleware = {web::rate_limit({.requests = 2, .window = 1h})}}},
          {"/old/{path...}", web::handler<web::RedirectHandler>("/{path}")},
          {"/moved/{name}", web::handler<web::RedirectHandler>("/api/item/{name}", 308)},
          {"/gone", web::handler<web::ErrorHandler>(410)},
          {"/events", web::handler<Count>},
          {"/socket", web::handler<Echo>},
      },
      {.access_log = false, .default_host = "www.example"});
  app.add_handlers("www.example",
                   {{"/about", web::handler<Page>("about www")}, {"/", web::handler<Page>("www")}});
  app.add_handlers("*.example", {{"/", web::handler<Page>("a subdomain")}});
  app.use(web::request_ids());
  app.use(web::security_headers());
  app.use([](web::Request& request, web::Next next) -> Task<> {
    if (request.request().path() == "/slow") co_await sleep(1ms);
    Task<> rest = next();
    co_await rest;
    if (!request.is_finished()) request.set_header("X-Around", "yes");
  });
  std::printf("listening on %u\n", app.listen(0, {.address = "127.0.0.1"}));
  std::fflush(stdout);
  IOLoop::current().start();
}
