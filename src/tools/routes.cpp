// SPDX-License-Identifier: Apache-2.0
#include "tools/run_settings.hpp"
#include "web/list_routes.hpp"

#include <squall/base/error.hpp>
#include <squall/json.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/loop/unique_fd.hpp>
#include <squall/net/subprocess.hpp>
#include <squall/options.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace squall::tools {
namespace {

/// A file of its own that goes when this does.
class TemporaryFile {
 public:
  TemporaryFile() {
    const char* const folder = ::secure_getenv("TMPDIR");
    path_ = std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") +
            "/squall-routes-XXXXXX";
    const UniqueFd made(::mkstemp(path_.data()));
    if (!made) throw std::system_error(errno, std::generic_category(), "cannot make " + path_);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string content() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string path_;
};

/// Whether the program ended well.
Task<bool> run_to_end(std::vector<std::string> program, std::string variable) {
  const std::array<std::string_view, 1> environment{variable};
  SubprocessOptions options;
  options.input = Stdio::null;
  options.output = Stdio::null;
  options.environment = environment;
  Subprocess child(Command(std::move(program)), options);
  const ExitStatus status = co_await child.wait();
  co_return status.is_success();
}

/// Each worker of fork_processes() tells them all.
std::vector<std::string> unique_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
  return lines;
}

using Row = std::array<std::string, 4>;

std::string methods_of(const json::object& route) {
  std::string text;
  for (const json::value& method : route.at("methods").as_array()) {
    text.append(text.empty() ? "" : ",").append(method.as_string());
  }
  return text;
}

Row row_of(const json::object& route) {
  const auto text = [&route](const char* name) { return std::string(route.at(name).as_string()); };
  std::string pattern = text("host") + (route.at("regex").as_bool() ? "re(" + text("pattern") + ")"
                                                                    : text("pattern"));
  std::string handler = text("handler");
  if (route.at("authenticated").as_bool()) handler += ", users only";
  if (const std::int64_t count = route.at("middleware").to_number<std::int64_t>(); count > 0) {
    handler += ", behind " + std::to_string(count) + " middleware";
  }
  return {methods_of(route), std::move(pattern), text("name"), std::move(handler)};
}

void print_table(std::vector<Row> rows) {
  rows.insert(rows.begin(), Row{"METHODS", "PATTERN", "NAME", "HANDLER"});
  Row::size_type columns = std::tuple_size_v<Row>;
  for (Row::size_type column = 0; column + 1 < columns; ++column) {
    std::size_t width = 0;
    for (const Row& row : rows) width = std::max(width, row[column].size());
    for (Row& row : rows) row[column].append(width - row[column].size() + 2, ' ');
  }
  for (const Row& row : rows) {
    for (const std::string& cell : row) std::fputs(cell.c_str(), stdout);
    std::fputc('\n', stdout);
  }
}

}  // namespace

int routes_command(const Arguments& arguments) {
  OptionParser parser(
      {.name = "squall routes",
       .description =
           "Lists the routes of a program. It is run until it calls listen(), and ends "
           "then without having listened. In the folder of a CMake project PROGRAM may be "
           "one of its executables, and the only one needs no name: it is built first."});
  const auto as_json =
      parser.define("json", false, "a line of JSON for each route", {.group = "listing"});
  const auto timeout = parser.define("timeout", Duration::from_seconds(10),
                                     "how long the program may take", {.group = "listing"});
  const auto program =
      parser.argument("program", std::vector<std::string>(), "the program and its arguments");
  parser.parse_command_line(arguments);
  RunSettings settings;
  settings.program = *program;
  Plan plan(settings);
  if (const int code = build_now(plan); code != 0) return code;

  const TemporaryFile file;
  const std::string& name = plan.program().front();
  bool is_well = false;
  try {
    is_well = IOLoop::current().run_sync(
        run_to_end(plan.program(), std::string(web::routes_variable) + "=" + file.path()),
        *timeout);
  } catch (const TimeoutError&) {
    throw Error("\"" + name + "\" has not called listen() within " + format_option(*timeout) +
                "; see --timeout");
  }
  if (!is_well) throw Error("\"" + name + "\" has failed");
  const std::vector<std::string> lines = unique_lines(file.content());
  if (lines.empty()) {
    throw Error(
        "\"" + name +
        "\" told no routes: it has none, ended without listen(), or is no program of Squall");
  }
  if (*as_json) {
    for (const std::string& line : lines) std::puts(line.c_str());
    return 0;
  }
  std::vector<Row> rows;
  for (const std::string& line : lines) rows.push_back(row_of(json_decode(line).as_object()));
  print_table(std::move(rows));
  return 0;
}

}  // namespace squall::tools
