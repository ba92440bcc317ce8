// SPDX-License-Identifier: Apache-2.0
// A program as `squall run --watch` runs it: it answers with what its build wrote into a file.
// usage: squall_reload_program port file [workers | fork [certificate key]]
#include <squall/net/bind.hpp>
#include <squall/net/fork_processes.hpp>
#include <squall/web.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace squall;

namespace {

std::string read(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Strict : web::RequestHandler {
  void get() {
    set_header("Content-Security-Policy", "default-src 'self'; script-src 'nonce-abc123'");
    set_header("ETag", "\"fixed\"");
    write("<!doctype html><body><p>strict</p></body>");
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string answer = read(argv[2]);
  if (answer.starts_with("throw")) throw std::runtime_error("no such table: <users>");
  web::Application app({{"/strict", web::handler<Strict>}}, {.restart_on_hangup = true});
  app.get("/", [answer](web::Request& request) {
    request.write("<!doctype html><title>page</title><body><p id=\"answer\">" + answer +
                  "</p></body>\n");
  });
  app.get("/api", [answer] { return answer; });
  app.get("/pid", [] { return std::to_string(::getpid()); });
  app.get("/fragment", [](web::Request& request) { request.write("<li>one</li>"); });
  web::ListenOptions options{.address = "127.0.0.1"};
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const std::string workers = argc > 3 ? argv[3] : "1";
  if (argc > 5) options.tls = {.certificate_file = argv[4], .key_file = argv[5]};
  if (workers == "fork") {
    auto sockets = net::bind_sockets(port, options.address);
    fork_processes(2);
    for (auto& socket : sockets) app.listen_socket(std::move(socket), options);
  } else {
    options.workers = static_cast<unsigned>(std::stoi(workers));
    app.listen(port, options);
  }
  IOLoop::current().start();
}
