// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/coro/event.hpp>
#include <squall/json.hpp>
#include <squall/web.hpp>

#include <cstddef>
#include <string>
#include <string_view>

// Routes of forms with files, and of responses that are compressed.
namespace wire {
namespace {

using namespace squall;

/// Text of lines that differ: "line 0", "line 1", ...
std::string lines(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i) + "\n";
  text.resize(size);
  return text;
}

struct Compressed : web::RequestHandler {
  void get(std::size_t size) {
    set_compression(true);
    set_header("Content-Type", "text/plain; charset=utf-8");
    set_header("Etag", "\"strong\"");
    write(lines(size));
  }
};

// Sends an event whenever /next-event is asked for.
struct CompressedEvents : web::RequestHandler {
  static inline thread_local Event next;
  Task<> get(int count) {
    set_compression(true);
    set_header("Content-Type", "text/event-stream");
    for (int i = 0; i < count; ++i) {
      write("data: " + std::to_string(i) + "\n\n");
      co_await flush();
      next.clear();
      co_await next.wait();
    }
  }
};
struct NextEvent : web::RequestHandler {
  void post() { CompressedEvents::next.set(); }
};

// Large pieces, each awaited: what waits for the client stays bounded.
struct CompressedStream : web::RequestHandler {
  Task<> get(int count) {
    set_compression(true);
    set_header("Content-Type", "text/plain");
    for (int i = 0; i < count; ++i) {
      write(lines(1'000'000));
      co_await flush();
    }
  }
};

struct Form : web::RequestHandler {
  void post() {
    json::object told;
    json::array names;
    for (const std::string& value : get_arguments("text")) names.emplace_back(value);
    told["text"] = names;
    json::array all;
    for (const web::HTTPFile& file : request().files()) {
      std::size_t sum = 0;
      for (const char c : file.body()) sum += static_cast<unsigned char>(c);
      all.push_back({{"name", file.name},
                     {"filename", file.filename},
                     {"type", file.content_type},
                     {"size", file.size()},
                     {"sum", sum}});
    }
    told["files"] = all;
    write(told);
  }
};

}  // namespace

void add_content_routes(web::Application& app) {
  app.add_route({"/compressed/{size}", web::handler<Compressed>});
  app.add_route({"/compressed-events/{count}", web::handler<CompressedEvents>});
  app.add_route({"/next-event", web::handler<NextEvent>});
  app.add_route({"/compressed-stream/{count}", web::handler<CompressedStream>});
  app.add_route({"/form", web::handler<Form>});
}

}  // namespace wire
