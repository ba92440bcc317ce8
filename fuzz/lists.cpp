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

  for (EntityTagReader reader(input); reader.next();) {
    check(is_entity_tag(reader.tag()), "what is read is an entity tag");
    check(is_within(reader.tag(), input), "and lies in the field");
  }
  const std::string_view tag = take(input);
  if (is_entity_tag(tag)) {
    EntityTagReader alone(tag);
    check(alone.next() && alone.tag() == tag && !alone.next(), "a tag alone is a list of one");
    check(weakly_equal(tag, tag), "a tag is equal to itself");
    check(strongly_equal(tag, tag) == !tag.starts_with("W/"), "strongly, when it is not weak");
  }
  check(!mime_type(input).empty(), "each file has a media type");
  const Method method = parse_method(input);
  check(method == Method::unknown || to_string(method) == input, "a known method has its name");
  check(escape_html(input).find_first_of("<>\"'") == std::string::npos, "nothing is left");
}
