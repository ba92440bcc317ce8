// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/tls_openssl.hpp"

#include <squall/base/limits.hpp>

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::net {

/// What a client remembers to resume sessions with, by host; the hosts not used for longest are
/// forgotten first. Any thread may use it.
class TLSSessionCache {
 public:
  explicit TLSSessionCache(std::size_t most_hosts = limits::tls_session_hosts) noexcept
      : most_hosts_(most_hosts) {}

  void put(std::string_view key, SessionPtr session);
  /// Takes one out: a ticket that is used twice lets watchers link the two connections
  /// (RFC 8446 §C.4).
  [[nodiscard]] SessionPtr take(std::string_view key);
  [[nodiscard]] std::size_t host_count();

 private:
  // Servers send two tickets, for two connections at once.
  static constexpr std::size_t sessions_of_a_host = 4;
  struct Host {
    std::string key;
    std::vector<SessionPtr> sessions;
  };

  const std::size_t most_hosts_;
  std::mutex mutex_;
  std::list<Host> hosts_;  // the one used last is first
  std::unordered_map<std::string_view, std::list<Host>::iterator> by_key_;
};

}  // namespace squall::net
