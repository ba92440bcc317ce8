// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <string>

// What routes and groups say beside their paths: see RouteOptions.
namespace squall::web {
namespace {

class RouteRulesTest : public WebTest {};

/// Believes a header, which only a test may.
struct Page : RequestHandler {
  OptionalString get_current_user() override {
    if (!request().has_header("User")) return {};
    return request().header("User");
  }
  void get() { write("page " + std::string(request().path())); }
  void post() { write("posted"); }
};

TEST_F(RouteRulesTest, AnotherSlashLeadsToThePatternsOwnForm) {
  Application app({{"/with/", handler<Page>, {.redirect_slash = true}},
                   {"/without/{id}", handler<Page>, {.redirect_slash = true}},
                   {"/strict", handler<Page>}});
  EXPECT_EQ(body_of(request(app, "GET /with/")), "page /with/");
  std::string answer = request(app, "GET /with?a=1&b=%20");
  EXPECT_EQ(code(answer), "301");
  EXPECT_EQ(field(answer, "Location"), "/with/?a=1&b=%20");
  answer = request(app, "HEAD /without/7/");
  EXPECT_EQ(code(answer), "301");
  EXPECT_EQ(field(answer, "Location"), "/without/7");
  EXPECT_EQ(code(request(app, "POST /with", {}, "x")), "404");
  EXPECT_EQ(code(request(app, "GET /strict/")), "404");
  EXPECT_EQ(code(request(app, "GET //example.com/")), "404");
}

TEST_F(RouteRulesTest, RoutesGoBeforeSlashes) {
  const RouteOptions redirecting{.redirect_slash = true};
  Application app({{"/both/", handler<Page>}, {"/{any}", handler<Page>, redirecting}});
  app.add_route({"/both", handler<Page>, redirecting});
  EXPECT_EQ(body_of(request(app, "GET /both")), "page /both");
  EXPECT_EQ(body_of(request(app, "GET /both/")), "page /both/");
  EXPECT_EQ(field(request(app, "GET /other/"), "Location"), "/other");
}

struct Nothing : RequestHandler {
  void get() {
    set_status(404);
    write("nothing at " + std::string(request().path()));
  }
};
struct TakesAll : RequestHandler {
  Task<> prepare() override {
    finish("all " + std::string(request().method_name()));
    return {};
  }
};

TEST_F(RouteRulesTest, AGroupsDefaultHandlerAnswersWhatIsLeftBelowItsPrefix) {
  Router api({{"/known", handler<Page>}});
  api.set_default_handler(handler<Nothing>);
  Router any;
  any.set_default_handler(handler<TakesAll>);
  Router nested({{"/known", handler<Page>}});
  api.add_route({"/nested", nested});
  Application app({{"/api", api}, {"/any/{place}", any}, {re("/v[12]"), api}});
  app.add_route({"/api/elsewhere", handler<Page>});
  EXPECT_EQ(body_of(request(app, "GET /api/known")), "page /api/known");
  EXPECT_EQ(body_of(request(app, "GET /api/elsewhere")), "page /api/elsewhere");
  EXPECT_EQ(body_of(request(app, "GET /api/nested/known")), "page /api/nested/known");
  EXPECT_EQ(body_of(request(app, "GET /api")), "nothing at /api");
  EXPECT_EQ(body_of(request(app, "GET /api/")), "nothing at /api/");
  EXPECT_EQ(body_of(request(app, "GET /api/nested/none")), "nothing at /api/nested/none");
  EXPECT_EQ(body_of(request(app, "GET /v2/none")), "nothing at /v2/none");
  EXPECT_EQ(body_of(request(app, "GET /v2/known")), "page /v2/known");
  EXPECT_EQ(code(request(app, "POST /api/none", {}, "x")), "404");  // not 405
  EXPECT_EQ(body_of(request(app, "DELETE /any/where/it/is")), "all DELETE");
  EXPECT_EQ(code(request(app, "GET /apiary")), "404");
}

TEST_F(RouteRulesTest, AGroupMayAskForUsersAndSayWhereTheyLogIn) {
  Router admin({{"/page", handler<Page>}, {"/own", handler<Page>, {.login_url = "/own-login"}}},
               {.login_url = "/admin/login", .authenticated = true});
  Application app({{"/admin", admin}, {"/open", handler<Page>}}, {.login_url = "/login"});
  EXPECT_EQ(field(request(app, "GET /admin/page?a=1"), "Location"),
            "/admin/login?next=%2Fadmin%2Fpage%3Fa%3D1");
  EXPECT_EQ(field(request(app, "GET /admin/own"), "Location"), "/own-login?next=%2Fadmin%2Fown");
  EXPECT_EQ(code(request(app, "POST /admin/page", {}, "x")), "403");
  EXPECT_EQ(body_of(request(app, "GET /admin/page", "User: Ann\r\n")), "page /admin/page");
  EXPECT_EQ(body_of(request(app, "GET /open")), "page /open");
}

TEST_F(RouteRulesTest, AGroupMayDoWithoutTokensOfForms) {
  Router api({{"/things", handler<Page>}}, {.xsrf_exempt = true});
  Application app({{"/api", api}, {"/form", handler<Page>}},
                  {.xsrf_cookies = true, .xsrf_check_origin = true});
  EXPECT_EQ(code(request(app, "POST /form", {}, "x")), "403");
  EXPECT_EQ(body_of(request(app, "POST /api/things", "Origin: https://other\r\n", "x")), "posted");
}

TEST_F(RouteRulesTest, ABodyHasTheTimeOfItsRoute) {
  Application app({{"/quick", handler<Page>, {.body_timeout = Duration::from_milliseconds(20)}}});
  EXPECT_EQ(code(send(app,
                      "POST /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
                      "5\r\n\r\n123",
                      false)),
            "408");
  EXPECT_THROW(Route("/", handler<Page>, {.body_timeout = Duration::from_seconds(-1)}), UsageError);
}

}  // namespace
}  // namespace squall::web
