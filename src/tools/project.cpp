// SPDX-License-Identifier: Apache-2.0
#include "tools/project.hpp"

#include <squall/base/error.hpp>
#include <squall/json.hpp>
#include <squall/options/values.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace squall::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder = "build";
// cmake-file-api(7): what is to be told, and where the answer is.
constexpr std::string_view query = "build/.cmake/api/v1/query/client-squall/codemodel-v2";
constexpr std::string_view replies = "build/.cmake/api/v1/reply";

bool has_program(std::string_view name) {
  const char* const path = std::getenv("PATH");  // NOLINT: one thread
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::error_code ignored;
    if (fs::exists(fs::path(rest.substr(0, end)) / name, ignored)) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

/// Where the library is that this program was installed with; "" when it was not.
std::string installed_prefix() {
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  const bool is_there =
      !error && fs::exists(prefix / SQUALL_CMAKE_DIR "/squallConfig.cmake", error);
  return is_there ? prefix.string() : std::string();
}

json::value read_json(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  json::error_code error;
  json::value document = json::parse(text, error);
  if (error) throw Error("cannot read " + path.string() + ": " + error.message());
  return document;
}

/// The newest answer's index; empty without one.
fs::path find_index() {
  fs::path newest;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(replies, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("index-") && name > newest.filename().string()) newest = entry.path();
  }
  return newest;
}

struct Model {
  std::string project;
  std::vector<Project::Executable> executables;
};

std::string text_of(const json::value& value) { return json::value_to<std::string>(value); }

Model read_model() {
  const fs::path index = find_index();
  if (index.empty()) throw Error("CMake has not told what the project in build/ makes");
  const json::value answers = read_json(index);
  const auto& answer = answers.at("reply").at("client-squall").at("codemodel-v2");
  const json::value model = read_json(fs::path(replies) / text_of(answer.at("jsonFile")));
  const json::object& configuration = model.at("configurations").at(0).as_object();
  Model found;
  found.project = text_of(configuration.at("projects").at(0).at("name"));
  for (const json::value& entry : configuration.at("targets").as_array()) {
    const json::value target = read_json(fs::path(replies) / text_of(entry.at("jsonFile")));
    if (text_of(target.at("type")) != "EXECUTABLE") continue;
    // What comes with the project, tests of fetched libraries for one, is not the project's.
    const std::string source = text_of(target.at("paths").at("source"));
    const json::object& fields = target.as_object();
    if (source.starts_with("build") || source.starts_with('/') || !fields.contains("artifacts")) {
      continue;
    }
    const fs::path artifact = text_of(fields.at("artifacts").at(0).at("path"));
    found.executables.push_back(
        {text_of(target.at("name")), (fs::path(folder) / artifact).string()});
  }
  return found;
}

}  // namespace

bool Project::is_here() { return fs::exists("CMakeLists.txt"); }

std::optional<Arguments> Project::configure_command() {
  const bool was_configured = fs::exists("build/CMakeCache.txt");
  const fs::path index = find_index();
  // CMake looks at its lists when it builds, but what there is to build is asked before.
  if (was_configured && !index.empty() && fs::exists(query) &&
      fs::last_write_time("CMakeLists.txt") < fs::last_write_time(index)) {
    return std::nullopt;
  }
  fs::create_directories(fs::path(query).parent_path());
  std::ofstream(fs::path(query)).flush();
  Arguments command{"cmake", "-S", ".", "-B", std::string(folder)};
  if (!was_configured) {
    command.emplace_back("-DCMAKE_BUILD_TYPE=Debug");
    const std::string prefix = installed_prefix();
    if (!prefix.empty()) command.push_back("-Dsquall_ROOT=" + prefix);
    if (has_program("ninja") && std::getenv("CMAKE_GENERATOR") == nullptr) {  // NOLINT
      command.insert(command.end(), {"-G", "Ninja"});
    }
  }
  return command;
}

Arguments Project::build_command(const std::string& target) {
  Arguments command{"cmake", "--build", std::string(folder)};
  if (!target.empty()) command.insert(command.end(), {"--target", target});
  return command;
}

std::vector<Project::Executable> Project::executables() { return read_model().executables; }

std::optional<Project::Executable> Project::choose(const std::string& wanted) {
  const Model model = read_model();
  const auto& all = model.executables;
  const auto named = [&](const std::string& name) {
    return std::find_if(all.begin(), all.end(),
                        [&](const Executable& one) { return one.target == name; });
  };
  if (!wanted.empty()) {
    const auto found = named(wanted);
    return found != all.end() ? std::optional(*found) : std::nullopt;
  }
  if (all.empty()) throw OptionError("the project makes no executable");
  if (all.size() == 1) return all.front();
  if (const auto found = named(model.project); found != all.end()) return *found;
  std::string names;
  for (const Executable& one : all) names += (names.empty() ? "" : ", ") + one.target;
  throw OptionError("the project makes several executables: name one of " + names);
}

}  // namespace squall::tools
