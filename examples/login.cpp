// SPDX-License-Identifier: Apache-2.0
// Accounts: register, log in, log out. Passwords are hashed, sessions are files, forms carry a
// token that other sites cannot know. Accounts live as long as the process; a site has a database.
#include <squall/options.hpp>
#include <squall/web.hpp>
#include <squall/web/password.hpp>
#include <squall/web/rate_limit.hpp>
#include <squall/web/security_headers.hpp>
#include <squall/web/session.hpp>
#include <squall/web/store.hpp>

#include <cstdio>
#include <map>
#include <string>

using namespace squall;

// By name, the hash of the password. One loop: nothing else touches it.
std::map<std::string, std::string, std::less<>> accounts;

struct Page : web::RequestHandler {
  Task<> load_current_user() override {
    web::Session session = co_await this->session();
    const OptionalString user = session.get("user");
    // Sessions outlive the process here, and the accounts do not.
    if (user && accounts.contains(*user)) set_current_user(*user);
  }

  void show(std::string_view title, const std::string& body) {
    write("<!doctype html><html lang=en><meta charset=utf-8><title>");
    write(title);
    write("</title><h1>");
    write(title);
    write("</h1>" + body);
  }
  void show_form(std::string_view title, std::string_view other, std::string_view problem = {}) {
    std::string body;
    if (!problem.empty()) body.append("<p role=alert>").append(problem).append("</p>");
    body += "<form method=post>" + xsrf_form_html() +
            "<p><label>Name <input name=name autocomplete=username required></label>"
            "<p><label>Password <input name=password type=password required></label>"
            "<p><button>";
    body.append(title).append("</button></form><p>").append(other);
    show(title, body);
  }
  Task<> enter(std::string name) {
    web::Session session = co_await this->session();
    session.regenerate();  // what anybody knew of the session before is worth nothing now
    session.set("user", name);
    co_await session.save();
    redirect(get_next_url("/"), false, 303);
  }
};

struct Home : Page {
  static constexpr bool authenticated = true;
  void get() {
    // Names are letters and digits, see Register: no escaping is needed.
    show("Hello, " + *current_user(), "<form method=post action=/logout>" + xsrf_form_html() +
                                          "<button>Log out</button></form>");
  }
};

struct Register : Page {
  static constexpr std::size_t shortest_password = 8;

  void get() { show_form("Register", "<a href=/login>I have an account</a>"); }
  Task<> post() {
    const std::string name = get_body_argument("name");
    const std::string password = get_body_argument("password", web::Strip::no);
    const char* const problem = wrong_with(name, password);
    if (problem != nullptr) {
      set_status(400);
      show_form("Register", "<a href=/login>I have an account</a>", problem);
      co_return;
    }
    std::string hash = co_await web::hash_password(password);
    // Somebody may have been quicker meanwhile.
    const bool is_new = accounts.emplace(name, std::move(hash)).second;
    if (!is_new) throw web::HTTPError(409);
    co_await enter(name);
  }

 private:
  static const char* wrong_with(const std::string& name, const std::string& password) {
    const bool is_plain =
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
    if (name.empty() || name.size() > 32 || !is_plain) {
      return "A name has 1 to 32 small letters and digits.";
    }
    if (accounts.contains(name)) return "That name is taken.";
    if (password.size() < shortest_password) return "A password has 8 characters or more.";
    return nullptr;
  }
};

struct Login : Page {
  void get() { show_form("Log in", "<a href=/register>I am new here</a>"); }
  Task<> post() {
    const std::string name = get_body_argument("name");
    const std::string password = get_body_argument("password", web::Strip::no);
    const auto known = accounts.find(name);
    const std::string hash = known != accounts.end() ? known->second : "";  // "" takes as long
    const bool is_right = co_await web::verify_password(password, hash);
    if (!is_right) {
      set_status(403);
      show_form("Log in", "<a href=/register>I am new here</a>", "Name or password is wrong.");
      co_return;
    }
    co_await enter(name);
  }
};

struct Logout : Page {
  Task<> post() {
    web::Session session = co_await this->session();
    session.clear();
    co_await session.save();
    redirect("/login", false, 303);
  }
};

int main(int argc, char** argv) {
  OptionParser parser({.description = "Accounts: register, log in, log out."});
  const auto port = parser.argument<std::uint16_t>("port", 8888, "listen on this port");
  const auto directory = parser.argument("directory", "/tmp/squall-login", "keep sessions here");
  parser.parse_command_line_or_exit(argc, argv);

  web::FileStore sessions(*directory);
  // Who guesses passwords gets ten tries, and one more every six seconds.
  const web::Middleware patience =
      web::rate_limit({.requests = 10, .window = Duration::from_seconds(60)});
  web::Application app({{"/", web::handler<Home>},
                        {"/register", web::handler<Register>, {.middleware = {patience}}},
                        {"/login", web::handler<Login>, {.middleware = {patience}}},
                        {"/logout", web::handler<Logout>}},
                       {.session_store = &sessions,
                        .login_url = "/login",
                        .xsrf_cookies = true,
                        .xsrf_check_origin = true});
  app.use(web::security_headers({.content_security_policy = "default-src 'self'"}));
  std::printf("listening on %d\n", app.listen(*port));
  std::fflush(stdout);
  IOLoop::current().start();
}
