// SPDX-License-Identifier: Apache-2.0
//
// The load generator: one thread, one epoll set, one workload a run. It checks every byte that
// comes back, reads the server's CPU time itself at both ends of the measured window, and prints
// one JSON line.
#include "load/window.hpp"
#include "load/workloads.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace wire_load {
namespace {

constexpr std::string_view usage =
    "usage: bench_load --workload NAME --port N [--pid PID[,PID...]] [--seconds S] [--warmup S]\n"
    "                  [--connections N] [--interactive 1]\n"
    "workloads: plaintext pipeline16 json echo16k static100k churn ws64 ws16k ws64x16 room1k\n"
    "           room1kx16 room10k sse1k idle_http idle_ws idle_wsz\n";

std::vector<pid_t> parse_pids(const std::string& list) {
  std::vector<pid_t> pids;
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, ',');) pids.push_back(std::atoi(item.c_str()));
  return pids;
}

bool parse(int argc, char** argv, Options& options) {
  if (argc % 2 == 0) return false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--workload") {
      options.workload = value;
    } else if (name == "--port") {
      options.port = static_cast<std::uint16_t>(std::atoi(value.c_str()));
    } else if (name == "--pid") {
      options.server_pids = parse_pids(value);
    } else if (name == "--seconds") {
      options.seconds = std::atof(value.c_str());
    } else if (name == "--warmup") {
      options.warmup_seconds = std::atof(value.c_str());
    } else if (name == "--connections") {
      options.connections = static_cast<std::size_t>(std::atol(value.c_str()));
    } else if (name == "--interactive") {
      options.is_interactive = value == "1";
    } else {
      return false;
    }
  }
  return options.port != 0 && !options.workload.empty();
}

void allow_many_connections() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const Options& options) {
  Window window(options);
  try {
    if (is_closed_loop(options.workload)) {
      run_closed_loop(options, window);
    } else if (options.workload == "churn") {
      run_churn(options, window);
    } else if (options.workload.starts_with("room")) {
      run_room(options, window);
    } else if (options.workload == "sse1k") {
      run_feed(options, window);
    } else if (options.workload.starts_with("idle_")) {
      run_idle(options);
      return 0;
    } else {
      std::fputs(usage.data(), stderr);
      return 2;
    }
  } catch (const std::exception& failure) {
    window.print(failure.what());
    return 1;
  }
  window.print({});
  return 0;
}

}  // namespace
}  // namespace wire_load

int main(int argc, char** argv) {
  wire_load::Options options;
  if (!wire_load::parse(argc, argv, options)) {
    std::fputs(wire_load::usage.data(), stderr);
    return 2;
  }
  wire_load::allow_many_connections();
  return wire_load::run(options);
}
