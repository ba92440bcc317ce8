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
  std::string root = CHAT_PUBLIC_DIR;
};

[[noreturn]] inline void refuse_options(const std::string& why) {
  std::fprintf(stderr, "chat: %s; see chat --help\n", why.c_str());
  std::exit(2);
}

/// Reads the command line. Ends the program with 0 after --help, with 2 when something is wrong.
inline Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--help" || option == "-h") {
      std::printf(
          "usage: chat [options]\n\n"
          "A chat room on a web page.\n\n"
          "  --port N    listen on this port; 0 takes a free one (default: %u)\n"
          "  --root DIR  serve the page from this directory\n"
          "              (default: %s)\n"
          "  --help      this text\n",
          unsigned{options.port}, options.root.c_str());
      std::exit(0);
    }
    if (option != "--port" && option != "--root") {
      refuse_options("unknown option " + std::string(option));
    }
    if (++i == argc) refuse_options(std::string(option) + " needs a value");
    const std::string_view value = argv[i];
    if (option == "--root") {
      options.root = value;
    } else {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), options.port);
      if (error != std::errc() || end != value.data() + value.size()) {
        refuse_options("--port is a number from 0 to 65535, not " + std::string(value));
      }
    }
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.root + "/index.html", error)) {
    refuse_options("there is no index.html in " + options.root);
  }
  return options;
}
