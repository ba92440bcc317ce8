// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"

#include <squall/escape.hpp>
#include <squall/httputil.hpp>

#include <string>

// Text within HTML and URLs: what is escaped comes back, and links change nothing but the links.

namespace {

using namespace squall;

/// What a browser would show of HTML that has no tags but links.
std::string shown(std::string_view html) {
  std::string text;
  for (;;) {
    const std::size_t tag = html.find('<');
    text += html.substr(0, tag);
    if (tag == std::string_view::npos) return xhtml_unescape(text);
    const std::string_view rest = html.substr(tag);
    fuzz::check(rest.starts_with("<a href=\"") || rest.starts_with("</a>"),
                "a link is all there is");
    html = rest.substr(rest.find('>') + 1);
  }
}

}  // namespace

void fuzz::run(std::string_view input) {
  const std::string text(input);
  fuzz::check_same(xhtml_unescape(xhtml_escape(text)), text, "HTML comes back");
  fuzz::check(xhtml_escape(text).find_first_of("<>\"'") == std::string::npos, "and is safe");
  static_cast<void>(xhtml_unescape(text));
  for (const bool plus : {true, false}) {
    fuzz::check_same(url_unescape(url_escape(text, plus), plus), text, "a URL's part comes back");
  }
  const std::string squeezed = squeeze(text);
  fuzz::check_same(squeeze(squeezed), squeezed, "what is squeezed stays so");

  fuzz::check_same(shown(linkify(text)), text, "links leave the text as it is");
  const std::string shortened = linkify(text, {.shorten = true});
  fuzz::check(shown(shortened).size() <= text.size(), "what is shortened is no longer");
  static_cast<void>(httputil::url_concat(text, {{"name", text}}));
  const httputil::HostAndPort parts = httputil::split_host_and_port(text);
  fuzz::check(parts.port >= -1 && parts.port <= 65535, "a port is one");
  static_cast<void>(httputil::parse_cookie(text));
}
