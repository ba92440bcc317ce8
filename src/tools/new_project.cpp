// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "tools/commands.hpp"
#include "tools/project_files.hpp"

#include <squall/base/error.hpp>
#include <squall/options.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace squall::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 40;

/// A name that CMake, systemd, Docker and a file system all take.
void check_name(const std::string& name) {
  const auto may_stand = [](char c) {
    return (c >= 'a' && c <= 'z') || ascii::is_digit(c) || c == '_' || c == '-';
  };
  const bool is_name = !name.empty() && name.size() <= longest_name && name[0] >= 'a' &&
                       name[0] <= 'z' && std::all_of(name.begin(), name.end(), may_stand);
  constexpr std::string_view taken[] = {"all",     "build",  "clean", "help",
                                        "install", "squall", "test"};
  if (!is_name || std::find(std::begin(taken), std::end(taken), name) != std::end(taken)) {
    throw OptionError("\"" + name +
                      "\" is no name for a project: small letters, digits, '-' and '_', a letter "
                      "first, at most " +
                      std::to_string(longest_name) + ", and no name of a build's own");
  }
}

std::string filled(std::string_view text, const std::string& name) {
  std::string out(text);
  for (const auto& [place, value] :
       {std::pair<std::string_view, std::string_view>("@NAME@", name),
        std::pair<std::string_view, std::string_view>("@VERSION@", SQUALL_VERSION)}) {
    for (std::size_t at = out.find(place); at != std::string::npos;
         at = out.find(place, at + value.size())) {
      out.replace(at, place.size(), value);
    }
  }
  return out;
}

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    throw std::system_error(errno, std::generic_category(), "cannot write " + path.string());
  }
}

}  // namespace

int new_command(const Arguments& arguments) {
  OptionParser parser({.name = "squall new",
                       .description =
                           "Makes a folder with an application: routes, a page, tests, CMake, a "
                           "Dockerfile and a unit for systemd."});
  const auto place =
      parser.argument("path", "", "the folder; its last part is the name", {.required = true});
  parser.parse_command_line(arguments);
  fs::path folder(*place);
  if (!folder.has_filename()) folder = folder.parent_path();  // "shop/"
  const std::string name = fs::absolute(folder).lexically_normal().filename().string();
  check_name(name);
  if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder))) {
    throw Error(folder.string() + " is there already, and is no empty folder");
  }
  for (const ProjectFile& file : project_files()) {
    write_file(folder / filled(file.path, name), filled(file.text, name));
  }
  std::printf("%s is made. It is built and served by:\n\n  cd %s\n  squall run\n", name.c_str(),
              folder.c_str());
  return 0;
}

}  // namespace squall::tools
