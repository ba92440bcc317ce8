// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>
#include <squall/base/result.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/address.hpp>
#include <squall/net/stream.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace squall::net {

class Resolver;

struct ConnectOptions {
  /// Speaks TLS after this context, made by TLSContext::client(); none by default.
  const TLSContext* tls = nullptr;
  std::string_view server_name = {};  ///< whom the certificate must be for; "" for the host
  std::string_view alpn = {};         ///< protocols to offer, in place of the context's

  /// For everything: finding the addresses, TCP, TLS. Zero or less: no limit.
  Duration timeout = Duration::from_seconds(20);
  /// Addresses of this family only; none: of both.
  SocketAddress::Family family = SocketAddress::Family::none;
  /// How long an attempt has for itself before the next address is tried beside it (RFC 8305 §5).
  Duration attempt_delay = Duration::from_milliseconds(250);

  std::string_view source_ip = {};  ///< a literal address of this host; "" leaves the choice to it
  std::uint16_t source_port = 0;    ///< 0: any
};
static_assert(std::is_trivially_destructible_v<ConnectOptions>);

/// Thrown when a connection cannot be made; the text names the address.
class ConnectError : public Error {
 public:
  ConnectError(std::string_view where, std::error_code code);
  /// ResolveError, TLSError, or what the operating system says; std::errc::timed_out past the
  /// time-out.
  [[nodiscard]] std::error_code code() const noexcept { return code_; }

 private:
  std::error_code code_;
};

/// Makes connections, as fast as the best of a host's addresses allows.
///
/// Addresses of IPv6 and IPv4 are tried in turn, beginning with the family that the resolver
/// prefers (RFC 8305, "Happy Eyeballs"): the next one when an attempt fails, or beside it after
/// `attempt_delay`. The first to succeed is taken, the others are closed. When all fail, the error
/// is the last one's. A light value; it belongs to one loop. A wait that is cancelled closes its
/// attempts.
class TCPClient {
 public:
  /// Finds addresses with Resolver::current().
  TCPClient() noexcept = default;
  /// With `resolver`, which must outlive it.
  explicit TCPClient(Resolver& resolver) noexcept : resolver_(&resolver) {}

  /// Connects to `host`, a name or a literal address. TCP_NODELAY is on.
  [[nodiscard]] Task<Result<Stream>> try_connect(std::string_view host, std::uint16_t port,
                                                 const ConnectOptions& options = {});
  /// The same; throws ConnectError.
  [[nodiscard]] Task<Stream> connect(std::string_view host, std::uint16_t port,
                                     const ConnectOptions& options = {});

  /// Connects to the unix socket `path`; one that begins with '@' names the abstract namespace. Of
  /// the options, the timeout and those for TLS count; TLS needs a `server_name`.
  [[nodiscard]] Task<Result<Stream>> try_connect_unix(std::string_view path,
                                                      const ConnectOptions& options = {});
  /// The same; throws ConnectError.
  [[nodiscard]] Task<Stream> connect_unix(std::string_view path,
                                          const ConnectOptions& options = {});

 private:
  Resolver* resolver_ = nullptr;
};

}  // namespace squall::net
