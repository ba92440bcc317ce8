// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/web.hpp>

#include <string>
#include <utility>

// Signed cookies, a site with a login, and forms that may not be forged.
namespace wire {
namespace {

using namespace squall;

struct Site : web::RequestHandler {
  OptionalString get_current_user() override { return get_signed_cookie("user"); }
};

struct Login : Site {
  void get() {
    write("<form method=\"post\">" + xsrf_form_html() +
          "<input name=\"user\"><input type=\"submit\" value=\"in\"></form>");
  }
  void post() {
    set_signed_cookie("user", get_argument("user"), {.httponly = true, .samesite = "Lax"});
    redirect(get_next_url("/members"), false, 303);
  }
};

struct Logout : Site {
  void post() {
    clear_cookie("user");
    redirect("/login", false, 303);
  }
};

struct Members : Site {
  static constexpr bool authenticated = true;
  void get() { write("<p>hello " + *current_user() + "</p>" + xsrf_form_html()); }
  void post() { write("noted for " + *current_user() + ": " + get_argument("note")); }
};

struct Upload : Site {
  static constexpr bool stream_request_body = true;
  Task<> put() {
    std::size_t size = 0;
    for (;;) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      size += piece.size();
    }
    write(std::to_string(size));
  }
};

struct Signed : web::RequestHandler {
  void get() {
    set_signed_cookie("value", get_argument("value"));
    set_signed_cookie("old", get_argument("value"), {.version = 1});
  }
  void post() {
    const OptionalString value = get_signed_cookie("value");
    write(value ? "<" + *value + ">" : "none");
    write(" " + std::to_string(get_signed_cookie_key_version("value")));
  }
};

}  // namespace

void add_security_routes(web::Application& app) {
  app.add_route({"/login", web::handler<Login>});
  app.add_route({"/logout", web::handler<Logout>});
  app.add_route({"/members", web::handler<Members>});
  app.add_route({"/members/upload", web::handler<Upload>});
  app.add_route({"/signed", web::handler<Signed>});
}

}  // namespace wire
