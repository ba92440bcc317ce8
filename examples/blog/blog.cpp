// SPDX-License-Identifier: Apache-2.0
//
// A blog with one author, as Tornado's blog demo is: `./dev run blog`, then http://localhost:8888,
// where the first to come creates the author. It keeps its entries in a file of SQLite, or with
//
//   ./dev run blog --database postgresql://user@host/name
//
// in PostgreSQL. `--help` tells the other options. What it shows, each in a file of its own:
//
//   database.hpp       one small interface to two databases, with parameters only
//   database_pool.hpp  blocking calls on threads of their own, so that the loop goes on
//   migrations.cpp     the schema, step by step, at the start
//   store.cpp          what the blog asks of its database, in SQL
//   pages.cpp          its HTML and its Atom feed, where everything is escaped
//   site.hpp           the base of its handlers: users by signed cookies, errors as pages
//   reading.cpp, writing.cpp   the handlers
#include "database_pool.hpp"
#include "migrations.hpp"
#include "options.hpp"
#include "reading.hpp"
#include "writing.hpp"

#include <squall/web.hpp>
#include <squall/web/rate_limit.hpp>
#include <squall/web/security_headers.hpp>

#include <cstdio>
#include <functional>
#include <sys/stat.h>
#include <system_error>

using namespace squall;

namespace {

int serve(const Options& options) {
  // Before there is anybody who could wait for it.
  const std::unique_ptr<Connection> connection = connect_to(options.database);
  migrate(*connection);
  const std::string secret = cookie_secret(*connection);

  DatabasePool database(options.database, options.threads);
  Site site{database, options.title, options.author, options.url};
  const auto shared = std::ref(site);
  // Who guesses passwords gets twenty tries a minute.
  const web::Middleware patience =
      web::rate_limit({.requests = 20, .window = Duration::from_seconds(60)});
  web::Application app(
      {
          {"/", web::handler<Home>(shared)},
          {"/archive", web::handler<Archive>(shared)},
          {"/feed", web::handler<Feed>(shared)},
          {"/entry/{slug}", web::handler<EntryPage>(shared), {.name = "entry"}},
          {"/compose", web::handler<Compose>(shared)},
          {"/auth/create", web::handler<CreateAuthor>(shared), {.middleware = {patience}}},
          {"/auth/login", web::handler<Login>(shared), {.middleware = {patience}}},
          {"/auth/logout", web::handler<Logout>(shared)},
          {"/{path...}", web::handler<NotFound>(shared)},
      },
      {.cookie_secret = secret,
       .login_url = "/auth/login",
       .xsrf_cookies = true,
       .xsrf_check_origin = true,
       .static_path = BLOG_PUBLIC_DIR});
  app.use(web::security_headers({.content_security_policy = "default-src 'self'; base-uri 'none'; "
                                                            "frame-ancestors 'none'"}));
  std::printf("The blog is open: http://localhost:%u\n", unsigned{app.listen(options.port)});
  std::fflush(stdout);
  IOLoop::current().start();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  umask(077);  // the database has the password's hash
  try {
    return serve(options);
  } catch (const DatabaseError& error) {
    std::fprintf(stderr, "blog: %s\n", error.what());
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "blog: %s\n", error.what());
  }
  return 1;
}
