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
#include <unistd.h>

struct Options {
  std::uint16_t port;
  std::string directory;
  std::uint64_t max_bytes;
};

/// Reads the command line. Ends the program with 0 after --help, with 2 when something is wrong.
inline Options read_options(int argc, char** argv) {
  squall::OptionParser parser({.name = "upload", .description = "Takes uploads."});
  const auto port = parser.define<std::uint16_t>(
      "port", 8888, "listen on this port; 0 takes a free one", {.group = "upload"});
  const auto directory = parser.define("directory", "/tmp/squall-uploads", "keep files here",
                                       {.metavar = "DIR", .group = "upload"});
  const auto max_size = parser.define("max_size", squall::ByteCount{1 << 30},
                                      "take no larger files", {.group = "upload"});
  squall::define_logging_options(parser);
  parser.parse_command_line_or_exit(argc, argv);
  std::error_code error;
  std::filesystem::create_directories(*directory, error);
  if (!error && access(directory->c_str(), W_OK | X_OK) != 0) {
    error = std::error_code(errno, std::generic_category());
  }
  if (error) {
    std::fprintf(stderr, "upload: cannot keep files in %s: %s\n", directory->c_str(),
                 error.message().c_str());
    std::exit(2);
  }
  return {*port, *directory, max_size->count};
}
