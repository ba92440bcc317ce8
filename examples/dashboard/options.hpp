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
  std::uint16_t port = 8888;
  std::uint32_t interval_ms = 1000;
  std::string root = DASHBOARD_PUBLIC_DIR;
};

[[noreturn]] inline void refuse_options(const std::string& why) {
  std::fprintf(stderr, "dashboard: %s; see dashboard --help\n", why.c_str());
  std::exit(2);
}

template <class Number>
void read_number(std::string_view name, std::string_view value, Number least, Number& into) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), into);
  if (error != std::errc() || end != value.data() + value.size() || into < least) {
    refuse_options(std::string(name) + " cannot be " + std::string(value));
  }
}

/// Reads the command line. Ends the program with 0 after --help, with 2 when something is wrong.
inline Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--help" || option == "-h") {
      std::printf(
          "usage: dashboard [options]\n\n"
          "What this machine does, live on a web page.\n\n"
          "  --port N      listen on this port; 0 takes a free one (default: %u)\n"
          "  --interval N  milliseconds between two readings, 20 or more (default: %u)\n"
          "  --root DIR    serve the page from this directory\n"
          "                (default: %s)\n"
          "  --help        this text\n",
          unsigned{options.port}, options.interval_ms, options.root.c_str());
      std::exit(0);
    }
    if (option != "--port" && option != "--interval" && option != "--root") {
      refuse_options("unknown option " + std::string(option));
    }
    if (++i == argc) refuse_options(std::string(option) + " needs a value");
    const std::string_view value = argv[i];
    if (option == "--root") options.root = value;
    if (option == "--port") read_number<std::uint16_t>(option, value, 0, options.port);
    if (option == "--interval") read_number<std::uint32_t>(option, value, 20, options.interval_ms);
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.root + "/index.html", error)) {
    refuse_options("there is no index.html in " + options.root);
  }
  return options;
}
