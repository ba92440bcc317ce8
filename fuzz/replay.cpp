// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Stands in for libFuzzer where it is only wanted that the corpus still passes: runs the target
// over all files that are named, or lie in folders that are named, and over their beginnings.

namespace {

// The longest of which all beginnings are tried; of longer ones, so many.
constexpr std::size_t most_beginnings = 600;

void replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);  // the last one named is the one that failed
  fuzz::run(fuzz::Exact(text).view());
  const std::size_t step = text.size() / most_beginnings + 1;
  for (std::size_t size = 0; size < text.size(); size += step) {
    fuzz::run(fuzz::Exact(std::string_view(text).substr(0, size)).view());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry);
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) replay(file);
  if (files.empty()) std::fprintf(stderr, "no inputs\n");
  return files.empty() ? 1 : 0;
}
