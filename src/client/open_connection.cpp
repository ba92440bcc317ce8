// SPDX-License-Identifier: Apache-2.0
#include "client/open_connection.hpp"

#include "client/proxy.hpp"

#include <squall/base/duration.hpp>
#include <squall/net/tcp_client.hpp>

#include <utility>

namespace squall::client {

bool is_secure(const Url& url) noexcept { return url.scheme == "wss" || url.scheme == "https"; }

const net::TLSContext& default_tls(bool verify) {
  if (!verify) {
    static const net::TLSContext trusting = net::TLSContext::client({.verify = false});
    return trusting;
  }
  static const net::TLSContext verifying = net::TLSContext::client();
  return verifying;
}

Task<Result<net::Stream>> open_connection(const Url* url, const Route* route) {
  std::string named = route->proxy;
  if (named.empty() && route->proxy_from_environment) named = proxy_of_environment(*url);
  Url proxy;
  if (!named.empty()) {
    auto parsed = parse_proxy(named);
    if (!parsed) co_return parsed.error();
    proxy = std::move(*parsed);
  }
  const Url& first = named.empty() ? *url : proxy;
  net::TCPClient tcp;
  const net::ConnectOptions unlimited{.timeout = Duration(), .source_ip = route->source_ip};
  auto connected = co_await tcp.try_connect(first.host, first.port, unlimited);
  if (!connected) co_return connected.error();
  net::Stream stream = std::move(*connected);
  if (!named.empty()) {
    const std::error_code refused = co_await connect_through(&stream, &proxy, url);
    if (refused) co_return refused;
  }
  if (is_secure(*url)) {
    const auto begun = co_await stream.start_tls(route->tls, {.server_name = url->host});
    if (!begun) co_return begun.error();
  }
  co_return std::move(stream);
}

}  // namespace squall::client
