// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <squall/options.hpp>
#include <squall/options/logging.hpp>

using namespace squall;

Options read_options(int argc, char** argv) {
  constexpr std::string_view group = "blog";
  OptionParser parser({.name = "blog", .description = "A blog with one author."});
  const auto port = parser.define<std::uint16_t>("port", 8888, "listen on this port; 0 takes any",
                                                 {.group = group});
  const auto database =
      parser
          .define("database", "/tmp/squall-blog.sqlite3",
                  "a file of SQLite, or postgresql://user@host/name",
                  {.metavar = "DATABASE", .group = group})
          // Of those without a file every connection would have its own.
          .check([](const std::string& value) { return !value.empty() && value != ":memory:"; },
                 "is no file");
  const auto threads =
      parser.define<std::size_t>("database_threads", 4, "connections to it", {.group = group})
          .at_least(1)
          .at_most(64);
  const auto title = parser.define("title", "A blog", "what the blog is called", {.group = group});
  const auto author = parser.define("author", "", "only this address may become the author",
                                    {.metavar = "EMAIL", .group = group});
  const auto url = parser
                       .define("url", "", "where readers find the blog, for the feed",
                               {.metavar = "URL", .group = group})
                       .check(
                           [](const std::string& value) {
                             return value.starts_with("http://") || value.starts_with("https://");
                           },
                           "does not begin with http:// or https://");
  define_logging_options(parser);
  parser.define_config_option();
  parser.parse_command_line_or_exit(argc, argv);
  std::string base = *url;
  while (base.ends_with('/')) base.pop_back();
  return {*port, *database, *threads, *title, *author, base};
}
