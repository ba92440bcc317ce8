// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_protocol.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <string>

// Headers of the PROXY protocol, versions 1 and 2: with more bytes the answer does not change, and
// what is refused as a whole is refused in pieces.

namespace {

using namespace squall::net;

std::string parse(std::string_view in) {
  const fuzz::Exact exact(in);
  ProxyHeader header;
  ProxyError error{};
  switch (parse_proxy_header(exact.view(), header, error)) {
    case ProxyParse::need_more:
      fuzz::check(in.size() < squall::limits::proxy_header_bytes + 16, "it does not wait for ever");
      return "more";
    case ProxyParse::failed:
      return "failed " + make_error_code(error).message();
    case ProxyParse::done:
      break;
  }
  fuzz::check(header.bytes > 0 && header.bytes <= in.size(), "its bytes are there");
  std::string text = "done " + std::to_string(header.bytes);
  if (header.has_addresses) {
    text += " " + header.source.to_string() + " " + header.destination.to_string();
  }
  return text;
}

}  // namespace

void fuzz::run(std::string_view input) {
  const std::string whole = parse(input);
  std::string last = "more";
  for (std::size_t size = 0; size <= std::min<std::size_t>(input.size(), 600); ++size) {
    const std::string now = parse(input.substr(0, size));
    if (last != "more") check_same(now, last, "more bytes change nothing");
    last = now;
  }
  if (last != "more") check_same(whole, last, "nor do they all");
}
