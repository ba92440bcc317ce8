// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.hpp"

#include "fuzz.hpp"
#include "http/head_parser.hpp"

#include <string>
#include <vector>

// Forwarded fields (RFC 7239), and the lists of X-Forwarded-For and its kin, read from behind.

namespace {

using namespace squall::http;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void check_forwarded(std::string_view value) {
  std::vector<ForwardedElement> elements;
  if (!parse_forwarded(value, elements)) return;
  std::string text;
  for (const ForwardedElement& element : elements) {
    if (!text.empty()) text += ", ";
    std::string part;
    const auto add = [&](std::string_view name, std::string_view parameter) {
      if (parameter.empty()) return;
      part.append(part.empty() ? "" : ";").append(name).append("=").append(quoted(parameter));
    };
    add("by", element.by);
    add("for", element.forwarded_for);
    add("host", element.host);
    add("proto", element.proto);
    text += part;
    const std::string_view address = node_address(element.forwarded_for);
    fuzz::check(address.empty() || fuzz::is_within(address, element.forwarded_for),
                "an address is a part of its node");
  }
  std::vector<ForwardedElement> again;
  fuzz::check(parse_forwarded(text, again), "what was read can be written");
  std::size_t at = 0;
  for (const ForwardedElement& element : elements) {
    const bool is_empty = element.by.empty() && element.forwarded_for.empty() &&
                          element.host.empty() && element.proto.empty();
    if (is_empty) continue;  // an element of nothing may be left out of a list
    while (at < again.size() && again[at].by.empty() && again[at].forwarded_for.empty() &&
           again[at].host.empty() && again[at].proto.empty()) {
      ++at;
    }
    fuzz::check(at < again.size(), "and read again");
    fuzz::check_same(again[at].by, element.by, "by");
    fuzz::check_same(again[at].forwarded_for, element.forwarded_for, "for");
    fuzz::check_same(again[at].host, element.host, "host");
    fuzz::check_same(again[at].proto, element.proto, "proto");
    ++at;
  }
}

void check_lists(std::string_view fields) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  text.append(fields).append("\r\n\r\n");
  RequestHead head;
  RequestHeadParser parser;
  if (parser.parse(text, head, {}) != RequestHeadParser::Status::done) return;
  std::size_t commas = 0, found = 0;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    for (const char c : head.field_value(i)) commas += c == ',';
  }
  ReverseFieldList list(head, "X-Forwarded-For");
  for (std::string_view element = list.next(); !element.empty(); element = list.next()) {
    fuzz::check(fuzz::is_within(element, text), "an element lies in its field");
    fuzz::check(element.find(',') == std::string_view::npos, "and is one");
    fuzz::check(++found <= commas + head.field_count(), "it comes to an end");
    static_cast<void>(node_address(element));
  }
}

}  // namespace

void fuzz::run(std::string_view input) {
  const fuzz::Exact copy(input);
  std::string_view rest = copy.view();
  const std::string_view value = fuzz::take(rest);
  check_forwarded(value);
  check_lists(rest);
}
