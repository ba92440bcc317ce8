// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "http/html.hpp"

#include <squall/escape.hpp>

#include <algorithm>
#include <cstddef>

namespace squall {
namespace {

constexpr std::size_t most_shown = 30;  // characters
constexpr std::size_t most_of_path = 8;

bool is_word(char c) noexcept {
  return ascii::is_alphanumeric(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_scheme(char c) noexcept { return is_word(c) || c == '-'; }
/// What never stands in a URL in running text, apart from parentheses.
bool ends_url(char c) noexcept {
  return static_cast<unsigned char>(c) <= 0x20 || c == '<' || c == '>' || c == '\'';
}
/// What may stand within a URL, but is the sentence's when it stands at the end.
bool is_punctuation(char c) noexcept {
  return std::string_view("!\"#$%&*+,.:;=?@[\\]^`{|}~").find(c) != std::string_view::npos;
}

struct Link {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view scheme;     // "" for one that begins with www.
  std::size_t host_begin = 0;  // behind the scheme and its slashes
};

/// Where a URL that goes on at `at` ends; `at` when there is nothing of it.
std::size_t end_of_url(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at;
  while (at < text.size() && !ends_url(text[at]) && text[at] != ')') {
    if (text[at] != '(') {
      if (!is_punctuation(text[at++])) end = at;
      continue;
    }
    // A pair of parentheses is part of it, directly behind what is.
    if (at != end) break;
    std::size_t close = at + 1;
    while (close < text.size() && !ends_url(text[close]) && text[close] != '(' &&
           text[close] != ')') {
      ++close;
    }
    if (close == text.size() || text[close] != ')') break;
    at = end = close + 1;
  }
  return end;
}

/// The next URL from `from` on; false when there is none.
bool find_link(std::string_view text, std::size_t from, Link& link) {
  std::size_t word = from;  // where the run of scheme characters before `at` begins
  for (std::size_t at = from; at < text.size(); ++at) {
    const bool is_first = at == 0 || !is_word(text[at - 1]);
    if (is_first && text.substr(at).starts_with("www.")) {
      link = {at, end_of_url(text, at + 4), {}, at};
      if (link.end > at + 4) return true;
    }
    if (text[at] == ':' && at > word) {
      std::size_t begin = word;
      while (begin < at && !is_word(text[begin])) ++begin;  // a hyphen begins no word
      std::size_t host = at + 1;
      while (host < text.size() && host < at + 4 && text[host] == '/') ++host;
      link = {begin, end_of_url(text, host), text.substr(begin, at - begin), host};
      const bool is_whole = begin == 0 || !is_word(text[begin - 1]);
      if (is_whole && begin < at && host > at + 1 && link.end > host) return true;
    }
    if (!is_scheme(text[at])) word = at + 1;
  }
  return false;
}

bool begins_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }
std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}
std::string_view first_characters(std::string_view text, std::size_t most) noexcept {
  std::size_t at = 0;
  while (at < text.size() && (most > 0 || !begins_character(text[at]))) {
    if (begins_character(text[at++])) --most;
  }
  return text.substr(0, at);
}

/// The text of a long link, or the link itself when nothing is gained.
std::string_view shortened(std::string_view url, std::size_t host, std::string& storage) {
  if (characters(url) <= most_shown) return url;
  storage = url;
  const std::size_t slash = url.find('/', host);
  if (slash != std::string_view::npos) {
    std::string_view path = first_characters(url.substr(slash + 1), most_of_path);
    path = path.substr(0, path.find_first_of("/?."));
    storage.resize(slash + 1 + path.size());
  }
  if (characters(storage) > most_shown * 3 / 2) {
    storage.resize(first_characters(storage, most_shown).size());
  }
  storage += "...";
  return characters(storage) < characters(url) ? std::string_view(storage) : url;
}

bool is_permitted(std::string_view scheme, const LinkifyOptions& options) {
  const auto& permitted = options.permitted_protocols;
  if (permitted.size() == 0) return scheme == "http" || scheme == "https";
  return std::find(permitted.begin(), permitted.end(), scheme) != permitted.end();
}

void append_link(std::string& out, std::string_view url, const Link& link,
                 const LinkifyOptions& options) {
  const std::string href =
      http::escape_html((link.scheme.empty() ? "http://" : "") + std::string(url));
  out.append("<a href=\"").append(href).append("\"");
  const std::string made =
      options.extra_params_of != nullptr ? options.extra_params_of(href) : std::string();
  std::string_view extra = options.extra_params_of != nullptr ? made : options.extra_params;
  while (extra.starts_with(' ')) extra.remove_prefix(1);
  while (extra.ends_with(' ')) extra.remove_suffix(1);
  if (!extra.empty()) out.append(" ").append(extra);
  std::string storage;
  const std::string_view shown =
      options.shorten ? shortened(url, link.host_begin - link.begin, storage) : url;
  if (shown.data() != url.data()) out.append(" title=\"").append(href).append("\"");
  out.append(">").append(http::escape_html(shown)).append("</a>");
}

}  // namespace

std::string linkify(std::string_view text, const LinkifyOptions& options) {
  std::string out;
  std::size_t done = 0;
  std::size_t from = 0;
  Link link;
  while (find_link(text, from, link)) {
    from = link.end;
    const bool wanted =
        link.scheme.empty() ? !options.require_protocol : is_permitted(link.scheme, options);
    if (!wanted) continue;
    out += http::escape_html(text.substr(done, link.begin - done));
    append_link(out, text.substr(link.begin, link.end - link.begin), link, options);
    done = link.end;
  }
  out += http::escape_html(text.substr(done));
  return out;
}

}  // namespace squall
