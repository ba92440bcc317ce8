// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

struct Options {
  std::uint16_t port;
  std::string database;
  std::size_t threads;  // for the database
  std::string title;
  std::string author;  // the only address that may become the author, "" for anybody's
  std::string url;     // where readers find the blog, "" for where they say that it is
};

/// Reads the command line. Ends the program with 0 after --help, with 2 when something is wrong.
Options read_options(int argc, char** argv);
