// SPDX-License-Identifier: Apache-2.0
#include "web/forwarding.hpp"

#include "http/ascii.hpp"
#include "http/forwarded.hpp"
#include "http/host.hpp"

#include <squall/base/limits.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace squall::web {
namespace {

using Scheme = Forwarding::Scheme;

Scheme scheme_of(std::string_view text) noexcept {
  if (http::ascii::equal(text, "https")) return Scheme::https;
  if (http::ascii::equal(text, "http")) return Scheme::http;
  return Scheme::unknown;
}

/// Goes outwards, a hop at a time.
class Walk {
 public:
  Walk(const net::SocketAddress& peer, const net::NetworkSet& trusted) noexcept
      : trusted_(trusted), at_(peer) {}

  /// Whether who is here may say where the request came from.
  [[nodiscard]] bool may_go_on() const noexcept {
    return !ended_ && hops_ < limits::proxy_hops && trusted_.contains(at_);
  }
  void step(std::string_view node) noexcept {
    ++hops_;
    const auto next = net::SocketAddress::parse(http::node_address(node), 0);
    if (next.family() == net::SocketAddress::Family::none) {
      ended_ = true;
    } else {
      at_ = next.unmapped();
    }
  }
  [[nodiscard]] std::size_t hops() const noexcept { return hops_; }
  [[nodiscard]] const net::SocketAddress& address() const noexcept { return at_; }

 private:
  const net::NetworkSet& trusted_;
  net::SocketAddress at_;
  std::size_t hops_ = 0;
  bool ended_ = false;
};

void say(Forwarding& result, std::string_view proto, std::string_view host) {
  if (const Scheme scheme = scheme_of(proto); scheme != Scheme::unknown) result.scheme = scheme;
  if (http::is_authority(host)) result.host = host;
}

Forwarding read_forwarded(const http::RequestHead& head, Walk& walk) {
  Forwarding result;
  std::vector<http::ForwardedElement> elements;
  for (std::size_t field = head.field_count(); field > 0 && walk.may_go_on(); --field) {
    if (!http::ascii::equal(head.field_name(field - 1), "Forwarded")) continue;
    elements.clear();
    // A quote that a client opened may hold what the proxies wrote behind it.
    if (!http::parse_forwarded(head.field_value(field - 1), elements)) break;
    for (std::size_t i = elements.size(); i > 0 && walk.may_go_on(); --i) {
      const http::ForwardedElement& element = elements[i - 1];
      say(result, element.proto, element.host);
      walk.step(element.forwarded_for);
    }
  }
  result.client = walk.address();
  return result;
}

// Of the lists beside X-Forwarded-For: as many elements from the right as proxies were gone
// through.
template <class Use>
void read_list(const http::RequestHead& head, std::string_view name, std::size_t hops, Use use) {
  http::ReverseFieldList list(head, name);
  for (std::size_t i = 0; i < hops; ++i) {
    const std::string_view element = list.next();
    if (element.empty()) return;
    use(element);
  }
}

Forwarding read_x_forwarded(const http::RequestHead& head, Walk& walk) {
  http::ReverseFieldList nodes(head, "X-Forwarded-For");
  while (walk.may_go_on()) {
    const std::string_view node = nodes.next();
    if (node.empty()) break;
    walk.step(node);
  }
  Forwarding result;
  result.client = walk.address();
  // The nearest proxy may say the scheme and leave the address out.
  const std::size_t hops = walk.hops() > 0 ? walk.hops() : 1;
  read_list(head, "X-Forwarded-Proto", hops, [&](std::string_view one) { say(result, one, {}); });
  read_list(head, "X-Forwarded-Host", hops, [&](std::string_view one) { say(result, {}, one); });
  return result;
}

Forwarding read_x_real_ip(const http::RequestHead& head, Walk& walk) {
  const std::string_view node = http::ReverseFieldList(head, "X-Real-IP").next();
  if (!node.empty()) walk.step(node);
  Forwarding result;
  result.client = walk.address();
  read_list(head, "X-Forwarded-Proto", 1, [&](std::string_view one) { say(result, one, {}); });
  read_list(head, "X-Forwarded-Host", 1, [&](std::string_view one) { say(result, {}, one); });
  return result;
}

}  // namespace

Forwarding read_forwarding(const http::RequestHead& head, const net::SocketAddress& peer,
                           const net::NetworkSet& trusted, ProxyHeaders headers) {
  Walk walk(peer, trusted);
  if (!walk.may_go_on()) {
    Forwarding result;
    result.client = peer;
    return result;
  }
  switch (headers) {
    case ProxyHeaders::forwarded:
      return read_forwarded(head, walk);
    case ProxyHeaders::x_real_ip:
      return read_x_real_ip(head, walk);
    case ProxyHeaders::x_forwarded:
      break;
  }
  return read_x_forwarded(head, walk);
}

}  // namespace squall::web
