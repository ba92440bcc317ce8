// SPDX-License-Identifier: Apache-2.0
// Calls <squall/escape.hpp>, for the test beside it: squall_escape_tool FUNCTION. The input is texts
// with a zero byte behind each; so is the output.
#include <squall/escape.hpp>

#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace squall;

std::string call(std::string_view function, std::string_view text) {
  if (function == "xhtml_escape") return xhtml_escape(text);
  if (function == "xhtml_unescape") return xhtml_unescape(text);
  if (function == "url_escape") return url_escape(text);
  if (function == "url_escape_path") return url_escape(text, false);
  if (function == "url_unescape") return url_unescape(text);
  if (function == "url_unescape_path") return url_unescape(text, false);
  if (function == "squeeze") return squeeze(text);
  if (function == "linkify") return linkify(text);
  if (function == "linkify_shorten") return linkify(text, {.shorten = true});
  if (function == "linkify_strict") {
    return linkify(text, {.require_protocol = true, .permitted_protocols = {"http", "ftp"}});
  }
  return "no such function";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: squall_escape_tool FUNCTION\n";
    return 2;
  }
  std::ios::sync_with_stdio(false);
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  std::string_view rest = input;
  for (std::size_t end = 0; (end = rest.find('\0')) != std::string_view::npos;) {
    std::cout << call(argv[1], rest.substr(0, end)) << '\0';
    rest.remove_prefix(end + 1);
  }
}
