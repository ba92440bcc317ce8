// SPDX-License-Identifier: Apache-2.0
// A program outside of the checkout: the first screen's handler, and a little of what is below it.
#include <cstdio>
#if __has_include(<squall/web.hpp>)
#include <squall/json.hpp>
#include <squall/web.hpp>
using namespace squall;

struct ApiHandler : web::RequestHandler {
  void get() { write(json::object{{"status", "ok"}}); }
};

int main() {
  web::Application app({
      {"/api", web::handler<ApiHandler>},
  });
  std::puts("ok");
}
#else
#include <squall/base/log.hpp>
#include <squall/base/result.hpp>

int main() {
  const squall::Result<int> result(7);
  squall::log::info("linked");
  std::puts(result && *result == 7 ? "ok" : "not ok");
  return result ? 0 : 1;
}
#endif
