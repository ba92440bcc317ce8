// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/address.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace squall::net {

/// Why a host name has no addresses; most are the reasons of getaddrinfo(3).
enum class ResolveError : std::uint8_t {
  host_not_found = 1,    ///< nobody knows the name (EAI_NONAME)
  no_address,            ///< the name has no address of the family asked for (EAI_NODATA)
  try_again,             ///< the name server did not answer, or with a passing failure (EAI_AGAIN)
  failed,                ///< the name server failed for good (EAI_FAIL)
  family_not_supported,  ///< the system has no such addresses (EAI_FAMILY, EAI_ADDRFAMILY)
  out_of_memory,         ///< EAI_MEMORY
  bad_name,              ///< empty, longer than 253 bytes, or with a NUL byte
  too_many_lookups,      ///< limits::resolver_lookups are under way already
  closed,                ///< the Resolver was destroyed meanwhile
};

[[nodiscard]] const std::error_category& resolve_category() noexcept;
[[nodiscard]] std::error_code make_error_code(ResolveError error) noexcept;

using Addresses = std::vector<SocketAddress>;

/// Where a Resolver's answers come from; derive from it for another source, such as a test's.
class ResolverBackend {
 public:
  virtual ~ResolverBackend();
  /// The addresses of `host`, of one family or, with Family::none, of both, the best first. Their
  /// ports do not matter. The task is destroyed when the Resolver is.
  virtual Task<Result<Addresses>> look_up(std::string host, SocketAddress::Family family) = 0;
};

struct ResolverOptions {
  enum class Backend : std::uint8_t {
    system,  ///< getaddrinfo() on threads of its own: all that the system is configured for
    cares,   ///< c-ares, without threads; see Resolver::has_cares()
  };
  Backend backend = Backend::system;
  /// For how long answers are remembered; zero: not at all. The system's caches do better where
  /// there are any.
  Duration cache_ttl = {};
  /// The same for names that do not exist.
  Duration negative_cache_ttl = {};
  std::size_t cache_entries = limits::resolver_cache_entries;
  std::size_t max_lookups = limits::resolver_lookups;
  /// c-ares only: name servers in place of the system's, "192.0.2.1:53,[2001:db8::1]:53".
  std::string_view servers = {};
  /// c-ares only: for one attempt, of three at each server.
  Duration attempt_timeout = Duration::from_seconds(2);
};
static_assert(std::is_trivially_destructible_v<ResolverOptions>);

/// Sends a host name, or one port of it, elsewhere; see Resolver::add_override().
struct ResolverOverride {
  std::string_view host;                                       ///< compared without regard to case
  std::uint16_t port = 0;                                      ///< 0: any
  SocketAddress::Family family = SocketAddress::Family::none;  ///< none: whatever was asked for
  std::string_view to_host;   ///< a literal address, or another name
  std::uint16_t to_port = 0;  ///< 0: the same
};
static_assert(std::is_trivially_destructible_v<ResolverOverride>);

/// Finds the addresses of host names without blocking the loop.
///
/// It belongs to one loop. Equal lookups at a time are made once. Destroying it ends those under
/// way with ResolveError::closed.
class Resolver {
 public:
  /// A UsageError when the backend is not part of this build.
  explicit Resolver(const ResolverOptions& options = {});
  /// Asks `backend`, which must outlive it.
  explicit Resolver(ResolverBackend& backend, const ResolverOptions& options = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  /// The calling thread's, which TCPClient uses unless it is given another.
  [[nodiscard]] static Resolver& current();
  /// Replaces current() by one with these options; `Resolver::use({.cache_ttl = 60s})`. Not while a
  /// TCPClient uses it.
  static void use(const ResolverOptions& options);
  /// Whether this build has the c-ares backend.
  [[nodiscard]] static bool has_cares() noexcept;

  /// The addresses of `host` with `port`, in the order in which they are to be tried; never none. A
  /// literal address is its own answer, at once. When the wait is cancelled (CancelledError) the
  /// lookup goes on for others that wait.
  [[nodiscard]] Task<Result<Addresses>> resolve(
      std::string_view host, std::uint16_t port,
      SocketAddress::Family family = SocketAddress::Family::none);

  /// From now on `to_host` is looked up in place of `host`. The most specific one counts: with port
  /// and family, then with port, then with family, then the host alone. An equal one is replaced.
  /// What it leads to is not looked at for overrides again.
  void add_override(const ResolverOverride& entry);
  void clear_overrides() noexcept;
  void clear_cache() noexcept;

  struct Impl;

 private:
  Impl* impl_;
};

}  // namespace squall::net

template <>
struct std::is_error_code_enum<squall::net::ResolveError> : std::true_type {};
