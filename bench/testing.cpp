// SPDX-License-Identifier: Apache-2.0
// How many requests a second a test's fetch() makes, over each transport.
#include <squall/testing.hpp>
#include <squall/web.hpp>

#include <chrono>
#include <cstdio>

using namespace squall;

struct Hello : web::RequestHandler {
  void get() { write("Hello"); }
};

int main() {
  constexpr int requests = 50'000;
  for (const auto transport : {testing::Transport::memory, testing::Transport::tcp}) {
    web::Application app({{"/", web::handler<Hello>}}, {.access_log = false});
    testing::HTTPTest test(app, {.transport = transport});
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < requests; ++i) {
      if (test.fetch("/").body() != "Hello") return 1;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
    std::printf("%s: %.0f requests a second\n",
                transport == testing::Transport::memory ? "memory" : "tcp",
                requests / took.count());
  }
}
