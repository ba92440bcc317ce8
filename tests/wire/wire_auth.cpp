// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/web.hpp>
#include <squall/web/auth.hpp>
#include <squall/web/digest_auth.hpp>
#include <squall/web/password.hpp>
#include <squall/web/session.hpp>

#include <string>

// HTTP's own authentication, passwords and sessions.
namespace wire {
namespace {

using namespace squall;

constexpr std::string_view password = "pass:wörd";

struct Basic : web::RequestHandler {
  Task<> load_current_user() override {
    const web::BasicCredentials sent = web::require_basic_credentials(*this, "wire");
    if (!web::equal_secrets(sent.password, password)) web::challenge_basic(*this, "wire");
    set_current_user(sent.user);
    return {};
  }
  void get() { write("hello " + *current_user()); }
};

struct Bearer : web::RequestHandler {
  Task<> prepare() override {
    const std::string token = web::require_bearer_token(*this, "wire");
    if (!web::equal_secrets(token, "a.token~1=")) {
      web::challenge_bearer(*this, {.realm = "wire", .error = web::BearerError::invalid_token});
    }
    return {};
  }
  void get() { write("hello"); }
};

web::DigestAuth& digest(bool md5) {
  static web::DigestAuth sha256_only("wire");
  static web::DigestAuth both("wire", {.md5 = true});
  return md5 ? both : sha256_only;
}

struct Digest : web::RequestHandler {
  explicit Digest(bool md5 = false) : auth(digest(md5)) {}
  Task<> load_current_user() override {
    const web::DigestResponse sent = auth.require(*this);
    const bool known = sent.user == "Ann" || sent.user == "Grüße";
    auth.verify(*this, sent, known ? auth.hash(sent.user, password, sent.algorithm) : "");
    set_current_user(sent.user);
    return {};
  }
  void get() { write("hello " + *current_user()); }
  void post() { write(*current_user() + " sent " + get_argument("note")); }
  web::DigestAuth& auth;
};
struct DigestMD5 : Digest {
  DigestMD5() : Digest(true) {}
};

struct Password : web::RequestHandler {
  Task<> get() {
    const std::string hash = co_await web::hash_password(get_argument("password"));
    write(hash);
  }
  Task<> post() {
    const std::string hash = get_argument("hash");
    const bool right = co_await web::verify_password(get_argument("password"), hash);
    write(right ? "right" : "wrong");
    if (web::needs_rehash(hash)) write(" old");
  }
};

struct Sessions : web::RequestHandler {
  Task<> get() {
    web::Session session = co_await this->session();
    write(session.get("user").value_or("nobody"));
  }
  Task<> put() {  // something that is kept before anybody logs in
    web::Session session = co_await this->session();
    session.set("cart", get_argument("cart"));
    co_await session.save();
  }
  Task<> post() {
    web::Session session = co_await this->session();
    session.regenerate();
    session.set("user", get_argument("user"));
    co_await session.save();
    write(session.get("cart").value_or("empty"));
  }
  Task<> delete_() {
    web::Session session = co_await this->session();
    session.clear();
    co_await session.save();
  }
};

}  // namespace

void add_auth_routes(web::Application& app) {
  app.add_route({"/auth/basic", web::handler<Basic>});
  app.add_route({"/auth/bearer", web::handler<Bearer>});
  app.add_route({"/auth/digest", web::handler<Digest>});
  app.add_route({"/auth/digest-md5", web::handler<DigestMD5>});
  app.add_route({"/auth/password", web::handler<Password>});
  app.add_route({"/auth/session", web::handler<Sessions>});
}

}  // namespace wire
