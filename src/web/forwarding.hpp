// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/request_head.hpp>
#include <squall/net/address.hpp>
#include <squall/net/network.hpp>
#include <squall/web/application.hpp>

#include <cstdint>
#include <string>

namespace squall::web {

/// Where a request came from before it came to the nearest proxy, as far as that can be believed.
struct Forwarding {
  enum class Scheme : std::uint8_t { unknown, http, https };

  net::SocketAddress client;
  Scheme scheme = Scheme::unknown;
  std::string host;  ///< "" when no proxy says
};

/// Walks through what the proxies say, from `peer`, the nearest, which is trusted, outwards. The
/// first address that is not trusted is the client's. At what is no address ("unknown", "_hidden",
/// garbage) the walk ends, and the proxy that said it counts as the client.
///
/// Scheme and host are those that the outermost trusted proxy saw, or the next one inwards that
/// says. Only one family of header fields is looked at: a proxy that rewrites one lets the others
/// pass as the client wrote them.
[[nodiscard]] Forwarding read_forwarding(const http::RequestHead& head,
                                         const net::SocketAddress& peer,
                                         const net::NetworkSet& trusted, ProxyHeaders headers);

}  // namespace squall::web
