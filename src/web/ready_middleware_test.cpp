// SPDX-License-Identifier: Apache-2.0
#include "web/rate_table.hpp"
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/web/application.hpp>
#include <squall/web/cors.hpp>
#include <squall/web/rate_limit.hpp>
#include <squall/web/request_id.hpp>
#include <squall/web/security_headers.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

struct Page : RequestHandler {
  void get() { write("page"); }
  void put() { write("put"); }
  void post() { throw HTTPError(409); }
};

class ReadyMiddlewareTest : public WebTest {
 protected:
  std::string preflight(Application& app, std::string_view origin, std::string_view method,
                        std::string_view fields = {}) {
    std::string head = "Origin: " + std::string(origin) +
                       "\r\nAccess-Control-Request-Method: " + std::string(method) + "\r\n";
    if (!fields.empty()) {
      head += "Access-Control-Request-Headers: " + std::string(fields) + "\r\n";
    }
    return request(app, "OPTIONS /", head);
  }
};

TEST_F(ReadyMiddlewareTest, CORSAnswersPreflights) {
  Application app({{"/", handler<Page>}});
  app.use(cors({.origins = {"https://a.example", "http://localhost:3000"},
                .credentials = true,
                .methods = {"GET", "PUT"},
                .headers = {"X-Token"},
                .max_age = 10min}));
  const std::string yes = preflight(app, "https://a.example", "PUT", "content-type, x-token");
  EXPECT_EQ(code(yes), "204");
  EXPECT_EQ(field(yes, "Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(field(yes, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(field(yes, "Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(field(yes, "Access-Control-Allow-Headers"), "content-type, x-token");
  EXPECT_EQ(field(yes, "Access-Control-Max-Age"), "600");
  for (const char* const name :
       {"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}) {
    EXPECT_NE(field(yes, "Vary").find(name), std::string::npos) << yes;
  }
  EXPECT_EQ(code(preflight(app, "http://localhost:3000", "GET")), "204");
  for (const std::string& no :
       {preflight(app, "https://b.example", "PUT"), preflight(app, "https://a.example.evil", "PUT"),
        preflight(app, "https://a.example:8443", "PUT"), preflight(app, "null", "PUT")}) {
    EXPECT_EQ(code(no), "403");
    EXPECT_EQ(field(no, "Access-Control-Allow-Origin"), "") << no;
    EXPECT_NE(field(no, "Vary").find("Origin"), std::string::npos) << no;
  }
  EXPECT_EQ(code(preflight(app, "https://a.example", "DELETE")), "403");
  EXPECT_EQ(code(preflight(app, "https://a.example", "put")), "403");  // methods have a case
  EXPECT_EQ(code(preflight(app, "https://a.example", "PUT", "x-other")), "403");
  // Without the field of a preflight, OPTIONS is itself.
  EXPECT_NE(field(request(app, "OPTIONS /", "Origin: https://a.example\r\n"), "Allow"), "");
}

TEST_F(ReadyMiddlewareTest, CORSMarksResponsesAndErrors) {
  Application app({{"/", handler<Page>}});
  app.use(cors({.origins = {"https://a.example"}, .exposed_headers = {"X-Total", "Etag"}}));
  for (const auto& [line, status] : {std::pair("GET /", "200"), std::pair("POST /", "409"),
                                     std::pair("GET /none", "404"), std::pair("DELETE /", "405")}) {
    const std::string yes = request(app, line, "Origin: https://a.example\r\n");
    EXPECT_EQ(code(yes), status);
    EXPECT_EQ(field(yes, "Access-Control-Allow-Origin"), "https://a.example") << yes;
    EXPECT_EQ(field(yes, "Access-Control-Expose-Headers"), "X-Total, Etag") << yes;
    EXPECT_EQ(field(yes, "Access-Control-Allow-Credentials"), "") << yes;
    EXPECT_EQ(field(yes, "Vary"), "Origin");
    const std::string no = request(app, line, "Origin: https://b.example\r\n");
    EXPECT_EQ(code(no), status);
    EXPECT_EQ(no.find("Access-Control"), std::string::npos) << no;
    EXPECT_EQ(field(no, "Vary"), "Origin");
    const std::string none = request(app, line);
    EXPECT_EQ(none.find("Access-Control"), std::string::npos) << none;
    EXPECT_EQ(field(none, "Vary"), "Origin");
  }
}

TEST_F(ReadyMiddlewareTest, CORSForAnyOriginAndByAFunction) {
  Application any({{"/", handler<Page>}});
  any.use(cors({.origins = {"*"}, .headers = {"*"}}));
  const std::string page = request(any, "GET /");
  EXPECT_EQ(field(page, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(field(page, "Vary"), "");
  EXPECT_EQ(code(preflight(any, "https://x.example", "PATCH", "x-anything")), "204");
  Application some({{"/", handler<Page>}});
  some.use(cors({.allow_origin = [](std::string_view origin) {
    return origin.starts_with("https://") && origin.ends_with(".example.com");
  }}));
  EXPECT_EQ(code(preflight(some, "https://x.example.com", "GET")), "204");
  EXPECT_EQ(code(preflight(some, "http://x.example.com", "GET")), "403");
}

TEST_F(ReadyMiddlewareTest, CORSRefusesOptionsThatDoNotGoTogether) {
  EXPECT_THROW(static_cast<void>(cors({})), UsageError);
  EXPECT_THROW(static_cast<void>(cors({.origins = {"*"}, .credentials = true})), UsageError);
  EXPECT_THROW(static_cast<void>(cors({.origins = {"null"}, .credentials = true})), UsageError);
  EXPECT_THROW(static_cast<void>(cors({.origins = {"*", "https://a.example"}})), UsageError);
  EXPECT_THROW(static_cast<void>(
                   cors({.origins = {"https://a.example"}, .credentials = true, .headers = {"*"}})),
               UsageError);
  for (const std::string_view origin : {"https://a.example/", "a.example", "https://A.example",
                                        "https://*.example", "https://", "://a", ""}) {
    EXPECT_THROW(static_cast<void>(cors({.origins = {origin}})), UsageError) << origin;
  }
  EXPECT_THROW(static_cast<void>(cors({.origins = {"*"}, .exposed_headers = {"A: b"}})),
               UsageError);
}

struct TellsID : RequestHandler {
  void get() { write(request_id()); }
};

TEST_F(ReadyMiddlewareTest, RequestsGetIDs) {
  Application app({{"/", handler<TellsID>}});
  app.use(request_ids());
  std::set<std::string> seen;
  for (const char* const path : {"/", "/", "/none"}) {
    const std::string answer =
        request(app, std::string("GET ") + path, "X-Request-Id: from-the-client\r\n");
    const std::string id = field(answer, "X-Request-Id");
    EXPECT_EQ(id.size(), 32u) << answer;
    EXPECT_TRUE(code(answer) == "404" || body_of(answer) == id) << answer;
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST_F(ReadyMiddlewareTest, IDsOfWhoIsTrustedAreTaken) {
  using Trust = RequestIDOptions::Trust;
  for (const auto& [trust, proxy, taken] :
       {std::tuple(Trust::all, false, true), std::tuple(Trust::proxies, false, false),
        std::tuple(Trust::proxies, true, true), std::tuple(Trust::nobody, true, false)}) {
    Application app({{"/", handler<TellsID>}},
                    {.trusted_proxies = {proxy ? "127.0.0.1" : "10.0.0.1"}});
    app.use(request_ids({.trust = trust, .header = "X-Correlation"}));
    const auto id = [&](std::string_view given) {
      return field(request(app, "GET /", "X-Correlation: " + std::string(given) + "\r\n"),
                   "X-Correlation");
    };
    EXPECT_EQ(id("abc-1.2:3@x") == "abc-1.2:3@x", taken);
    for (const std::string& bad :
         {std::string("a b"), std::string("<x>"), std::string(129, 'a'), std::string("\xc3\xa9")}) {
      EXPECT_EQ(id(bad).size(), 32u) << bad;
    }
  }
  EXPECT_THROW(static_cast<void>(request_ids({.header = "no name"})), UsageError);
}

TEST_F(ReadyMiddlewareTest, SecurityHeadersAreOnEachResponse) {
  Application app({{"/", handler<Page>}});
  app.get("/own", [](Request& request) {
    request.set_header("X-Frame-Options", "DENY");
    return "own";
  });
  app.use(security_headers(
      {.content_security_policy = "default-src 'self'", .permissions_policy = "camera=()"}));
  for (const char* const line : {"GET /", "GET /none", "POST /"}) {
    const std::string answer = request(app, line);
    EXPECT_EQ(field(answer, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(field(answer, "Referrer-Policy"), "strict-origin-when-cross-origin");
    EXPECT_EQ(field(answer, "X-Frame-Options"), "SAMEORIGIN");
    EXPECT_EQ(field(answer, "Content-Security-Policy"), "default-src 'self'");
    EXPECT_EQ(field(answer, "Permissions-Policy"), "camera=()");
    EXPECT_EQ(field(answer, "Cross-Origin-Opener-Policy"), "same-origin");
  }
  EXPECT_EQ(field(request(app, "GET /own"), "X-Frame-Options"), "DENY");
  EXPECT_THROW(static_cast<void>(security_headers({.referrer_policy = "none"})), UsageError);
  EXPECT_THROW(static_cast<void>(security_headers({.frame_options = "ALLOW-FROM x"})), UsageError);
  EXPECT_THROW(static_cast<void>(security_headers({.content_security_policy = "a\r\nb"})),
               UsageError);
}

TEST_F(ReadyMiddlewareTest, TooManyRequestsAre429) {
  Application app({{"/", handler<Page>}});
  app.use(rate_limit({.requests = 3, .window = 1h, .name = "hourly"}));
  for (const char* const left : {"2", "1", "0"}) {
    const std::string answer = request(app, "GET /");
    EXPECT_EQ(code(answer), "200");
    EXPECT_EQ(field(answer, "RateLimit-Policy"), "\"hourly\";q=3;w=3600");
    EXPECT_EQ(field(answer, "RateLimit").rfind("\"hourly\";r=" + std::string(left) + ";t=", 0), 0u)
        << answer;
    EXPECT_EQ(field(answer, "Retry-After"), "");
  }
  const std::string refused = request(app, "GET /");
  EXPECT_EQ(code(refused), "429");
  const int wait = std::stoi("0" + field(refused, "Retry-After"));
  EXPECT_GT(wait, 1100);
  EXPECT_LE(wait, 1200);
  EXPECT_EQ(code(request(app, "GET /none")), "429");
}

TEST_F(ReadyMiddlewareTest, KeysAreCountedApart) {
  Application app({{"/", handler<Page>}});
  app.use(rate_limit({.requests = 1, .window = 1h, .key = [](RequestHandler& request) {
                        return std::string(request.request().header("X-User"));
                      }}));
  EXPECT_EQ(code(request(app, "GET /", "X-User: a\r\n")), "200");
  EXPECT_EQ(code(request(app, "GET /", "X-User: a\r\n")), "429");
  EXPECT_EQ(code(request(app, "GET /", "X-User: b\r\n")), "200");
  const std::string free = request(app, "GET /");
  EXPECT_EQ(code(free), "200");
  EXPECT_EQ(field(free, "RateLimit"), "");
  EXPECT_EQ(code(request(app, "GET /")), "200");
}

TEST_F(ReadyMiddlewareTest, RateLimitsOutOfRangeAreRefused) {
  EXPECT_THROW(static_cast<void>(rate_limit({})), UsageError);
  EXPECT_THROW(static_cast<void>(rate_limit({.requests = 1, .window = 10ms})), UsageError);
  EXPECT_THROW(static_cast<void>(rate_limit({.requests = 1, .name = "a\"b"})), UsageError);
  EXPECT_THROW(static_cast<void>(rate_limit({.requests = 1, .max_keys = 0})), UsageError);
}

RateTable::Key key_of(int number) {
  RateTable::Key key{};
  std::copy_n(reinterpret_cast<const unsigned char*>(&number), sizeof number, key.begin());
  return key;
}

TEST(RateTableTest, TokensDropIntoABucketEvenly) {
  RateTable table(100, 3, 10);
  const RateTable::Key key = key_of(1);
  EXPECT_EQ(table.look(key, 0).remaining, 3u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.take(key, 1000).taken);
  const RateTable::State empty = table.take(key, 1000);
  EXPECT_FALSE(empty.taken);
  EXPECT_EQ(empty.remaining, 0u);
  EXPECT_EQ(empty.next_ns, 100);
  EXPECT_EQ(empty.full_ns, 300);
  EXPECT_FALSE(table.take(key, 1099).taken);
  EXPECT_TRUE(table.take(key, 1100).taken);
  EXPECT_FALSE(table.take(key, 1199).taken);
  EXPECT_EQ(table.look(key, 1'000'000).remaining, 3u);  // never more than it holds
  EXPECT_TRUE(table.take(key_of(2), 1000).taken);
}

TEST(RateTableTest, ItsKeysAreBoundedAndTheEmptiestAreKept) {
  constexpr std::size_t most = 100;
  RateTable table(1000, 10, most);
  const RateTable::Key guilty = key_of(-1);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(table.take(guilty, 0).taken);
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(table.take(key_of(i), 0).taken);
  EXPECT_LE(table.size(), most);
  EXPECT_FALSE(table.take(guilty, 0).taken) << "a flood of other keys has washed its bucket away";
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(table.take(key_of(20'000 + i), 5'000).taken);
  EXPECT_LE(table.size(), most);
  EXPECT_EQ(table.look(guilty, 5'000).remaining, 5u);
}

}  // namespace
}  // namespace squall::web
