// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/url.hpp"

#include <squall/base/result.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/stream.hpp>
#include <squall/net/tls.hpp>

#include <string>

namespace squall::client {

/// How a client reaches its servers.
class Route {
 public:
  Route() = default;

  net::TLSContext tls;                  ///< for URLs that want TLS
  std::string proxy;                    ///< "" for none; see parse_proxy()
  bool proxy_from_environment = false;  ///< when `proxy` is ""
  std::string source_ip;                ///< "" leaves the choice to the system
};

/// Whether the scheme means TLS: wss, https.
[[nodiscard]] bool is_secure(const Url& url) noexcept;

/// The context of clients that bring none of their own; of all threads.
[[nodiscard]] const net::TLSContext& default_tls(bool verify);

/// Connects to the host of `url`, through a proxy where there is one, with TLS where the scheme
/// wants it, and verifies the host's name. No time-out: it ends when its task is asked to stop.
/// `url` and `route` must live until it has ended.
[[nodiscard]] Task<Result<net::Stream>> open_connection(const Url* url, const Route* route);

}  // namespace squall::client
