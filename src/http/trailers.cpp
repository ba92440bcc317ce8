// SPDX-License-Identifier: Apache-2.0
#include "http/trailers.hpp"

#include "http/ascii.hpp"

#include <algorithm>
#include <iterator>

namespace squall::http {
namespace {

constexpr std::string_view refused_names[] = {
    // message framing and the connection
    "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    // routing
    "forwarded", "host", "max-forwards", "origin", "via", "x-http-method-override", "x-real-ip",
    // authentication
    "authorization", "cookie", "set-cookie", "www-authenticate",
    // request modifiers and response controls
    "age", "cache-control", "date", "expect", "expires", "location", "pragma", "range",
    "retry-after", "vary", "warning"};

constexpr std::string_view refused_prefixes[] = {"content-", "if-", "proxy-", "sec-",
                                                 "x-forwarded-"};

}  // namespace

bool is_trailer_allowed(std::string_view name) noexcept {
  const auto begins = [name](std::string_view prefix) {
    return ascii::equal(name.substr(0, prefix.size()), prefix);
  };
  const auto same = [name](std::string_view other) { return ascii::equal(name, other); };
  if (std::any_of(std::begin(refused_prefixes), std::end(refused_prefixes), begins)) {
    return same("content-digest");
  }
  return std::none_of(std::begin(refused_names), std::end(refused_names), same);
}

Trailers::Field Trailers::Iterator::operator*() const noexcept {
  const std::size_t colon = lines_.find(':');
  const std::size_t end = lines_.find('\n', colon);
  return {lines_.substr(0, colon), ascii::trim(lines_.substr(colon + 1, end - colon - 1))};
}

std::string_view Trailers::field(std::string_view name) const noexcept {
  for (const Field& field : *this) {
    if (ascii::equal(field.name, name)) return field.value;
  }
  return {};
}

void Trailers::end_line() {
  const std::string_view line = std::string_view(lines_).substr(done_);
  if (is_trailer_allowed(line.substr(0, line.find(':')))) {
    lines_ += '\n';
  } else {
    lines_.resize(done_);
  }
  done_ = lines_.size();
}

}  // namespace squall::http
