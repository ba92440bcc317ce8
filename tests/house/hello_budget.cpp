// SPDX-License-Identifier: Apache-2.0
// What a small program of two handlers costs to compile: tools/check_headers
// counts its preprocessed lines, and fails past the budget.
#include <squall/web.hpp>

#include <string>
using namespace squall;

struct Hello : web::RequestHandler {
  void get(std::string name) { write("Hello, " + name); }
};

struct Slow : web::RequestHandler {
  Task<> get(int seconds) {
    co_await sleep(Duration::from_seconds(seconds));
    write("done");
  }
};

int main() {
  web::Application app({
      {"/hello/{name}", web::handler<Hello>},
      {"/slow/{seconds}", web::handler<Slow>},
  });
  app.listen(8888);
  IOLoop::current().start();
}
