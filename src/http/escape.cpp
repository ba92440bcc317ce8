// SPDX-License-Identifier: Apache-2.0
#include "http/form.hpp"
#include "http/html.hpp"
#include "http/percent.hpp"

#include <squall/base/error.hpp>
#include <squall/escape.hpp>

#include <utility>

namespace squall {

std::string xhtml_escape(std::string_view text) { return http::escape_html(text); }

std::string url_escape(std::string_view text, bool plus) {
  const std::string_view kept = plus ? " " : "/";
  std::string out;
  for (;;) {
    const std::size_t at = text.find_first_of(kept);
    out += http::percent_encode(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    out += plus ? '+' : '/';
    text.remove_prefix(at + 1);
  }
}

std::string url_unescape(std::string_view text, bool plus) {
  return http::percent_decode(text, plus ? http::Plus::space : http::Plus::literal);
}

std::string squeeze(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool owes_space = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20) {
      owes_space = !out.empty();
      continue;
    }
    if (owes_space) out += ' ';
    owes_space = false;
    out += c;
  }
  return out;
}

std::map<std::string, std::vector<std::string>, std::less<>> parse_qs(std::string_view query,
                                                                      bool keep_blank_values) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (auto parsed = http::parse_form(query, pairs); !parsed) {
    throw Error("parse_qs(): " + parsed.error().message());
  }
  std::map<std::string, std::vector<std::string>, std::less<>> out;
  for (auto& [name, value] : pairs) {
    if (!value.empty() || keep_blank_values) out[std::move(name)].push_back(std::move(value));
  }
  return out;
}

}  // namespace squall
