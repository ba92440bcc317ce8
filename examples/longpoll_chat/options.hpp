// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/options.hpp>
#include <squall/options/logging.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

struct Options {
  std::uint16_t port;
  std::string root;
};

/// Reads the command line. Ends the program with 0 after --help, with 2 when something is wrong.
inline Options read_options(int argc, char** argv) {
  squall::OptionParser parser(
      {.name = "longpoll_chat", .description = "A chat by long polling, in rooms."});
  const auto port = parser.define<std::uint16_t>(
      "port", 8888, "listen on this port; 0 takes a free one", {.group = "longpoll_chat"});
  const auto root =
      parser.define("root", LONGPOLL_CHAT_PUBLIC_DIR, "serve the page from this directory",
                    {.metavar = "DIR", .group = "longpoll_chat"});
  squall::define_logging_options(parser);
  parser.parse_command_line_or_exit(argc, argv);
  std::error_code error;
  if (!std::filesystem::is_regular_file(*root + "/index.html", error)) {
    std::fprintf(stderr, "longpoll_chat: there is no index.html in %s\n", root->c_str());
    std::exit(2);
  }
  return {*port, *root};
}
