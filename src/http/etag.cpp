// SPDX-License-Identifier: Apache-2.0
#include "http/etag.hpp"

#include "http/ascii.hpp"

#include <cstddef>

namespace squall::http {
namespace {

constexpr std::string_view weak_prefix = "W/";  // in this case only: RFC 9110 §8.8.3

std::string_view opaque(std::string_view tag) noexcept {
  return tag.starts_with(weak_prefix) ? tag.substr(weak_prefix.size()) : tag;
}

// The length of the tag that `text` begins with, 0 when it begins with none.
std::size_t tag_size(std::string_view text) noexcept {
  const std::size_t open = text.starts_with(weak_prefix) ? weak_prefix.size() : 0;
  if (open >= text.size() || text[open] != '"') return 0;
  for (std::size_t at = open + 1; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    // etagc: neither blanks nor controls. Blanks are let through, for those who send them.
    if (!ascii::is(text[at], ascii::value)) return 0;
  }
  return 0;
}

}  // namespace

bool is_entity_tag(std::string_view text) noexcept {
  return !text.empty() && tag_size(text) == text.size();
}

bool strongly_equal(std::string_view left, std::string_view right) noexcept {
  return left == right && left.starts_with('"');
}

bool weakly_equal(std::string_view left, std::string_view right) noexcept {
  return opaque(left) == opaque(right);
}

EntityTagReader::EntityTagReader(std::string_view field) noexcept
    : rest_(ascii::trim(field)), any_(rest_ == "*") {
  if (any_) rest_ = {};
}

bool EntityTagReader::next() noexcept {
  while (!rest_.empty() && (rest_.front() == ',' || ascii::is_blank(rest_.front()))) {
    rest_.remove_prefix(1);
  }
  const std::size_t size = tag_size(rest_);
  tag_ = rest_.substr(0, size);
  rest_ = size == 0 ? std::string_view() : ascii::trim(rest_.substr(size));
  if (!rest_.empty() && rest_.front() != ',') rest_ = {};  // what follows is no list any more
  return size != 0;
}

}  // namespace squall::http
