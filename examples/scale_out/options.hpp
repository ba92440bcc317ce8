// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

struct Options {
  std::uint16_t port = 0;
  std::string redis = "redis://127.0.0.1:6379";
  std::string name = "process";
  std::string root = SCALE_OUT_PUBLIC_DIR;
};

[[noreturn]] inline void refuse_options(const std::string& why) {
  std::fprintf(stderr, "scale_out: %s; see scale_out --help\n", why.c_str());
  std::exit(2);
}

/// Reads the command line. Ends the program with 0 after --help, with 2 when something is wrong.
inline Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--help" || option == "-h") {
      std::printf(
          "usage: scale_out [options]\n\n"
          "One process of a chat that has several; ./dev run scale_out starts all that it "
          "needs.\n\n"
          "  --port N     listen on this port; 0 takes a free one (default: 0)\n"
          "  --redis URL  where the processes meet (default: %s)\n"
          "  --name TEXT  what the page calls this process (default: %s)\n"
          "  --root DIR   serve the page from this directory\n"
          "               (default: %s)\n"
          "  --help       this text\n",
          options.redis.c_str(), options.name.c_str(), options.root.c_str());
      std::exit(0);
    }
    if (option != "--port" && option != "--redis" && option != "--name" && option != "--root") {
      refuse_options("unknown option " + std::string(option));
    }
    if (++i == argc) refuse_options(std::string(option) + " needs a value");
    const std::string_view value = argv[i];
    if (option == "--redis") options.redis = value;
    if (option == "--name") options.name = value;
    if (option == "--root") options.root = value;
    if (option != "--port") continue;
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), options.port);
    if (error != std::errc() || end != value.data() + value.size()) {
      refuse_options("--port is a number from 0 to 65535, not " + std::string(value));
    }
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.root + "/index.html", error)) {
    refuse_options("there is no index.html in " + options.root);
  }
  return options;
}
