// SPDX-License-Identifier: Apache-2.0
#include "loop/symbols.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <execinfo.h>
#include <memory>
#include <string_view>

namespace squall::loop {
namespace {

// backtrace_symbols gives "binary(mangled+0x12) [0x...]".
std::string readable(std::string_view line) {
  const auto open = line.find('(');
  const auto plus = line.find('+', open);
  if (open == std::string_view::npos || plus == std::string_view::npos || plus == open + 1) {
    return std::string(line);
  }
  return demangled(std::string(line.substr(open + 1, plus - open - 1)).c_str());
}

}  // namespace

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 ? plain.get() : name;
}

std::vector<std::string> describe_frames(void* const* frames, int count) {
  std::vector<std::string> lines;
  const std::unique_ptr<char*, decltype(&std::free)> symbols(::backtrace_symbols(frames, count),
                                                             &std::free);
  for (int i = 0; symbols != nullptr && i < count; ++i) {
    lines.push_back(readable(symbols.get()[i]));
  }
  return lines;
}

}  // namespace squall::loop
