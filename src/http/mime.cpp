// SPDX-License-Identifier: Apache-2.0
#include "http/mime.hpp"

#include "http/ascii.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace squall::http {
namespace {

struct Entry {
  std::string_view extension;
  std::string_view type;
};

constexpr Entry table[] = {
#define SQUALL_MIME(extension, type) {extension, type},
#include "http/mime_table.inc"
#undef SQUALL_MIME
};

constexpr bool is_sorted() {
  for (std::size_t i = 1; i < std::size(table); ++i) {
    if (table[i - 1].extension >= table[i].extension) return false;
  }
  return true;
}
static_assert(is_sorted(), "looked up by bisection");

constexpr std::size_t longest_extension = 11;  // webmanifest

}  // namespace

std::string_view mime_type(std::string_view path) noexcept {
  constexpr std::string_view unknown = "application/octet-stream";
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return unknown;
  const std::string_view extension = name.substr(dot + 1);
  if (extension.size() > longest_extension) return unknown;
  std::array<char, longest_extension> folded{};
  std::transform(extension.begin(), extension.end(), folded.begin(), ascii::lower);
  const std::string_view wanted(folded.data(), extension.size());
  const Entry* const found = std::lower_bound(
      std::begin(table), std::end(table), wanted,
      [](const Entry& entry, std::string_view key) { return entry.extension < key; });
  return found != std::end(table) && found->extension == wanted ? found->type : unknown;
}

}  // namespace squall::http
