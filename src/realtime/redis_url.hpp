// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace squall::realtime {

/// Where a Redis server is, and who asks.
struct RedisTarget {
  RedisTarget() = default;
  std::string host;
  std::string unix_path;  ///< instead of host and port
  std::string user;
  std::string password;
  unsigned database = 0;
  std::uint16_t port = 6379;
  bool tls = false;

  /// For log lines: no password in it.
  [[nodiscard]] std::string name() const;
};

/// Reads `redis://[[user]:password@]host[:port][/db]`, the same with `rediss://` (TLS), or
/// `unix:///path[?db=n]`. User, password and path may be percent-encoded. Throws UsageError, with
/// what is wrong but without the password.
[[nodiscard]] RedisTarget parse_redis_url(std::string_view url);

}  // namespace squall::realtime
