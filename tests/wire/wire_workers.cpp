// SPDX-License-Identifier: Apache-2.0
// A pre-fork server, driven by workers_test.py. usage: squall_wire_workers count directory
// [option...] A file "crash" in the directory makes new workers exit with 3, a file "hang" makes
// them never ready.
#include <squall/net/bind.hpp>
#include <squall/net/fork_processes.hpp>
#include <squall/web.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sched.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <unistd.h>

using namespace squall;

int main(int argc, char** argv) {
  unsigned count = 2;
  std::string directory;
  ForkOptions options;
  options.restart_delay = Duration::from_milliseconds(10);
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const std::string value(argument.substr(equals + 1));
    if (name == "--count") count = static_cast<unsigned>(std::stoul(value));
    if (name == "--directory") directory = value;
    if (name == "--max-restarts") options.max_restarts = static_cast<unsigned>(std::stoul(value));
    if (name == "--ready-ms") options.ready_timeout = Duration::from_milliseconds(std::stol(value));
    if (name == "--stop-ms") options.stop_timeout = Duration::from_milliseconds(std::stol(value));
    if (name == "--pin") options.pin_cpus = value == "1";
  }
  auto sockets = net::bind_sockets(0, "127.0.0.1");
  std::printf("listening on %u\n", net::local_port(sockets.front().get()));
  std::fflush(stdout);

  const unsigned id = fork_processes(count, options);
  if (std::filesystem::exists(directory + "/crash")) return 3;
  if (std::filesystem::exists(directory + "/hang")) {
    for (;;) ::pause();
  }
  web::Application app({}, {.access_log = false});
  app.get("/", [id] {
    return std::to_string(id) + " " + std::to_string(::getpid()) + " " + std::to_string(task_id());
  });
  app.get("/slow", [](web::Request&) -> Task<std::string> {
    co_await sleep(Duration::from_milliseconds(200));
    co_return std::to_string(::getpid());
  });
  app.get("/stubborn", [] {
    ::signal(SIGTERM, SIG_IGN);
    return "I stay";
  });
  app.get("/cpus", [] {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    ::sched_getaffinity(0, sizeof mine, &mine);
    return std::to_string(CPU_COUNT(&mine));
  });
  app.post("/exit/{code}", [](int code) {
    ::_exit(code);
    return "";
  });
  for (auto& socket : sockets) app.listen_socket(std::move(socket));
  IOLoop::current().start();
}
