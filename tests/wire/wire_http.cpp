// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/json.hpp>
#include <squall/loop/executor.hpp>
#include <squall/web.hpp>

#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

// Routes that show a request back: verbs, arguments, headers, cookies, bodies.
namespace wire {
namespace {

using namespace squall;
using namespace std::chrono_literals;

std::string thread_name() {
  std::ostringstream out;
  out << std::this_thread::get_id();
  return out.str();
}

struct Plain : web::RequestHandler {
  void get() { write("plain get"); }
  void post() { write("plain post"); }
  void put() { write("plain put"); }
  void patch() { write("plain patch"); }
  void delete_() { write("plain delete"); }
};

struct Coroutine : web::RequestHandler {
  Task<> get() { return answer("coroutine get"); }
  Task<> post() { return answer("coroutine post"); }
  Task<> put() { return answer("coroutine put"); }
  Task<> patch() { return answer("coroutine patch"); }
  Task<> delete_() { return answer("coroutine delete"); }

 private:
  Task<> answer(std::string text) {
    co_await sleep(1ms);
    write(text);
  }
};

struct OwnVerbs : web::RequestHandler {
  void get() { write("own"); }
  void head() { set_header("X-Own-Head", "yes"); }
  void options() {
    set_status(204);
    set_header("X-Own-Options", "yes");
  }
};

struct GetOnly : web::RequestHandler {
  void get() { write("only get"); }
};

struct IntArgument : web::RequestHandler {
  void get(int n) { write(std::to_string(n)); }
};
struct DoubleArgument : web::RequestHandler {
  void get(double x) { write(x == 0.5 ? "a half" : std::to_string(x)); }
};
struct TextArgument : web::RequestHandler {
  Task<> get(std::string text) {
    co_await sleep(0ms);
    write("<" + text + ">");
  }
};
struct TwoArguments : web::RequestHandler {
  void get(unsigned char number, std::string_view text) {
    write(std::to_string(number) + "|" + std::string(text) + "|" +
          std::string(path_argument("text")));
  }
};

struct Echo : web::RequestHandler {
  void post() {
    set_header("Content-Type", request().header("Content-Type"));
    set_header("X-Body-Bytes", static_cast<std::int64_t>(request().body().size()));
    write(request().body());
  }
  void put() { post(); }
  void patch() { post(); }
  void delete_() { post(); }
  // A body of GET means nothing, but it must be read.
  void get() { post(); }
};

struct Length : web::RequestHandler {
  void post() { write(std::to_string(request().body().size())); }
};

struct Headers : web::RequestHandler {
  void get() {
    json::array all;
    for (std::size_t i = 0; i < request().header_count(); ++i) {
      all.push_back(json::array{json::string(request().header_name(i)),
                                json::string(request().header_value(i))});
    }
    write(all);
  }
};

struct Facts : web::RequestHandler {
  void get() {
    write(json::object{{"method", request().method_name()},
                       {"uri", request().uri()},
                       {"path", request().path()},
                       {"query", request().query()},
                       {"version", request().version()},
                       {"host", request().host()},
                       {"protocol", request().protocol()},
                       {"full_url", request().full_url()},
                       {"remote_ip", request().remote_ip()}});
  }
};

struct Arguments : web::RequestHandler {
  void get() {
    json::object all;
    for (const char* const name : {"a", "b", "c"}) {
      json::array values;
      for (const std::string& value : get_arguments(name)) values.emplace_back(value);
      all[name] = std::move(values);
    }
    all["last"] = get_argument("a", "none");
    write(all);
  }
  void post() { get(); }
};

struct Required : web::RequestHandler {
  void get() { write(get_argument("needed")); }
};

struct JSONBody : web::RequestHandler {
  void post() {
    const json::value document = json_body();
    write(json::object{{"got", document}});
  }
};

struct Cookies : web::RequestHandler {
  void get() { write(json::object{{"a", get_cookie("a")}, {"b", get_cookie("b", "none")}}); }
  void post() {
    web::CookieOptions options;
    options.httponly = true;
    options.samesite = "Lax";
    options.max_age = 3600;
    set_cookie(get_argument("name"), get_argument("value"), options);
    set_cookie("other", "1");
  }
  void delete_() { clear_cookie("a"); }
};

struct Redirect : web::RequestHandler {
  void get() { redirect(get_argument("to"), get_argument("permanent", "") == "1"); }
  void post() { redirect("/facts", false, 303); }
};

struct Prepared : web::RequestHandler {
  Task<> prepare() override {
    co_await sleep(0ms);
    if (get_argument("stop", "").empty()) co_return;
    set_status(403);
    finish("stopped in prepare");
  }
  void get() { write("past prepare"); }
  void on_finish() override { count("prepared.on_finish"); }
};

struct InExecutor : web::RequestHandler {
  Task<> get(unsigned n) {
    const std::string here = thread_name();
    const std::string there = co_await run_in_executor(&work, n);
    write(there == here ? "the same thread" : "another thread");
  }

 private:
  static std::string work(unsigned n) {
    if (n == 13) throw std::runtime_error("the job failed");
    return thread_name();
  }
};

struct RegexRoute : web::RequestHandler {
  void get(int number, std::string word) { write(word + "=" + std::to_string(number)); }
};

}  // namespace

void add_http_routes(web::Application& app) {
  app.add_route({"/plain", web::handler<Plain>});
  app.add_route({"/coroutine", web::handler<Coroutine>});
  app.add_route({"/own", web::handler<OwnVerbs>});
  app.add_route({"/get-only", web::handler<GetOnly>});
  app.add_route({"/int/{n}", web::handler<IntArgument>});
  app.add_route({"/double/{x}", web::handler<DoubleArgument>});
  app.add_route({"/text/{text}", web::handler<TextArgument>});
  app.add_route({"/two/{number}/{text}", web::handler<TwoArguments>});
  app.add_route({"/tail/{rest...}", web::handler<TextArgument>});
  app.add_route({"/echo", web::handler<Echo>});
  app.add_route({"/length", web::handler<Length>});
  app.add_route({"/headers", web::handler<Headers>});
  app.add_route({"/facts", web::handler<Facts>});
  app.add_route({"/arguments", web::handler<Arguments>});
  app.add_route({"/required", web::handler<Required>});
  app.add_route({"/json", web::handler<JSONBody>});
  app.add_route({"/cookies", web::handler<Cookies>});
  app.add_route({"/redirect", web::handler<Redirect>});
  app.add_route({"/prepared", web::handler<Prepared>});
  app.add_route({"/executor/{n}", web::handler<InExecutor>});
  app.add_route({web::re("/re/([0-9]+)-([a-z]+)"), web::handler<RegexRoute>});

  app.get("/hello", [] { return "hello"; });
  app.get("/lambda/{name}", [](web::Request& request, std::string name) {
    request.set_header("X-Lambda", "yes");
    return "hello, " + name;
  });
  app.post("/lambda/{name}", [](std::string name) {
    return json::object{{"posted", std::move(name)}};
  });
  app.get("/lambda-task/{ms}", [](unsigned ms) -> Task<std::string> {
    co_await sleep(Duration::from_milliseconds(ms));
    co_return "slept " + std::to_string(ms);
  });
  app.get("/thread", [] { return thread_name(); });
  app.get("/sanitizer", [] { return std::string(sanitizer()); });
  app.get("/counters", [](web::Request& request) {
    request.set_header("Content-Type", "application/json");
    return counters_as_json();
  });
}

}  // namespace wire
