// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/ascii.hpp"
#include "http/etag.hpp"
#include "http/html.hpp"
#include "http/mime.hpp"
#include "http/tokens.hpp"

#include <squall/http/method.hpp>

#include <string>

// Small parsers of field values: lists of tokens, entity tags; and of names: media types, methods.

void fuzz::run(std::string_view input) {
  using namespace squall::http;
  std::size_t commas = 0, elements = 0;
  for (const char c : input) commas += c == ',' ? 1 : 0;
  for (ListReader list(input); list.next(); ++elements) {
    const std::string_view element = list.element();
    check(element.empty() || is_within(element, input), "an element lies in the list");
    check(element == ascii::trim(element), "an element is trimmed");
    check(has_token(input, element), "an element is found");
  }
  check(elements == commas + 1, "each comma is between two elements");

  const std::string_view etag = take(input);
  check(none_match("", etag), "an empty list has no tag");
  check(!none_match("*", etag), "a star is any tag");
  static_cast<void>(none_match(input, etag));
  if (etag.size() >= 2 && etag.front() == '"' && etag.find('"', 1) == etag.size() - 1) {
    bool plain = true;
    for (const char c : etag) plain = plain && c > ' ' && c < 0x7f;
    check(!plain || !none_match(etag, etag), "a tag matches itself");
  }
  check(!mime_type(input).empty(), "each file has a media type");
  const Method method = parse_method(input);
  check(method == Method::unknown || to_string(method) == input, "a known method has its name");
  check(escape_html(input).find_first_of("<>\"'") == std::string::npos, "nothing is left");
}
