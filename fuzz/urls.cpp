// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/form.hpp"
#include "http/host.hpp"
#include "http/percent.hpp"
#include "http/scan.hpp"

#include <arpa/inet.h>
#include <string>
#include <utility>
#include <vector>

// Percent-encoding, queries and forms, hosts and addresses.

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

}  // namespace

void fuzz::run(std::string_view input) {
  check_percent(input);
  check_form(input);
  check_host(input);
}
