// SPDX-License-Identifier: Apache-2.0
#include "base/url.hpp"
#include "fuzz.hpp"
#include "http/form.hpp"
#include "http/host.hpp"
#include "http/percent.hpp"
#include "http/scan.hpp"

#include <arpa/inet.h>
#include <string>
#include <utility>
#include <vector>

// Percent-encoding, queries and forms, hosts and addresses, URLs and what they refer to.

namespace {

using namespace squall::http;
using Pairs = std::vector<std::pair<std::string, std::string>>;

void check_percent(std::string_view text) {
  fuzz::check_same(percent_decode(percent_encode(text)), text, "what is encoded can be decoded");
  for (const Plus plus : {Plus::literal, Plus::space}) {
    const std::string decoded = percent_decode(text, plus);
    fuzz::check(decoded.size() <= text.size(), "decoding makes nothing longer");
    fuzz::check_same(percent_decode(percent_encode(decoded), plus), decoded, "and goes around");
  }
}

void check_form(std::string_view text) {
  Pairs pairs;
  const auto read = parse_form(text, pairs, 50);
  fuzz::check(pairs.size() <= 50, "arguments are limited");
  fuzz::check(read.has_value() || pairs.size() == 50, "only too many are refused");
  std::string encoded;
  for (const auto& [name, value] : pairs) {
    encoded.append("&").append(percent_encode(name)).append("=").append(percent_encode(value));
  }
  Pairs again;
  fuzz::check(parse_form(encoded, again, 50).has_value() && again == pairs, "a form goes around");
}

void check_host(std::string_view text) {
  const bool authority = is_authority(text);
  if (is_authority(text, PortRule::required)) {
    fuzz::check(authority && text.find(':') != text.npos, "a port that is required is there");
  }
  fuzz::check(!authority || text.find_first_of(" ,/@?#\\\"<>\r\n") == text.npos, "a host is safe");
  const std::string front = "GET / HTTP/1.1\r\nhost:";
  const fuzz::Exact buffer(front + std::string(text));
  if (scan::is_plain_host(buffer.view().data() + front.size(), text.size())) {
    fuzz::check(authority, "a plain host is a host");
  }
  // The C library reads the same grammar, but for NUL, where it stops.
  if (text.find('\0') == text.npos) {
    in6_addr address{};
    const bool expected = ::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
    fuzz::check(is_ipv6(text) == expected, "IPv6 is what the C library takes for it");
    const std::string literal = "[" + std::string(text) + "]";
    const bool future = text.starts_with('v') || text.starts_with('V');
    fuzz::check(future || is_authority(literal) == expected, "and so in brackets");
  }
}

void check_url(const squall::Result<squall::Url>& url) {
  if (!url) return;
  fuzz::check(is_authority(url->host_and_port()) || url->port == 0, "a URL's host is a host");
  fuzz::check(url->target.starts_with('/'), "a target is a path");
  fuzz::check(url->target.find_first_of(" #\r\n\"<>") == url->target.npos, "and safe to send");
  if (url->port == 0) return;
  const auto again = squall::parse_url(url->text());
  fuzz::check(again.has_value(), "a URL's text is a URL");
  fuzz::check_same(again->text(), url->text(), "and the same one");
  fuzz::check(!again->has_user, "without user and password");
}

void check_urls(std::string_view text) {
  check_url(squall::parse_url(text));
  squall::Url base;
  base.scheme = "http";
  base.host = "a.example";
  base.port = 8080;
  base.target = "/b/c?d";
  check_url(squall::resolve_url(base, text));
}

}  // namespace

void fuzz::run(std::string_view input) {
  check_percent(input);
  check_form(input);
  check_host(input);
  check_urls(input);
}
