// SPDX-License-Identifier: Apache-2.0
#include "http/html.hpp"

namespace squall::http {
namespace {

std::string_view entity(char c) noexcept {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    default:
      return "&#x27;";
  }
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (;;) {
    const std::size_t plain = text.find_first_of("&<>\"'");
    out += text.substr(0, plain);
    if (plain == std::string_view::npos) return out;
    out += entity(text[plain]);
    text.remove_prefix(plain + 1);
  }
}

}  // namespace squall::http
