// SPDX-License-Identifier: Apache-2.0
#include "net/connect_race.hpp"
#include "net/stream_core.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/net/resolver.hpp>
#include <squall/net/tcp_client.hpp>
#include <squall/net/tls.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <utility>

namespace squall::net {
namespace {

// A unix socket whose queue is full tells nothing when there is room again.
constexpr Duration full_queue_pause = Duration::from_milliseconds(5);

/// What a connection needs of its options, to be kept while it is made.
struct Plan {
  Plan(std::string_view to, std::string_view name, std::uint16_t at, const ConnectOptions& wanted)
      : host(to),
        server_name(wanted.server_name.empty() ? name : wanted.server_name),
        alpn(wanted.alpn),
        source_ip(wanted.source_ip),
        options(wanted),
        port(at) {
    if (wanted.tls != nullptr) tls = *wanted.tls;
    if (tls && tls.is_server()) throw UsageError("connect() needs a TLSContext made by client()");
  }
  std::string host;
  std::string server_name;
  std::string alpn;
  std::string source_ip;
  TLSContext tls;
  ConnectOptions options;  // its numbers only
  std::uint16_t port;
};

Task<Result<Stream>> begin_tls(Stream stream, TLSContext tls, std::string server_name,
                               std::string alpn) {
  if (tls) {
    const auto begun = co_await stream.start_tls(tls, {.server_name = server_name, .alpn = alpn});
    if (!begun) co_return begun.error();
  }
  co_return std::move(stream);
}

Task<Result<Stream>> connect_to(Resolver* resolver, Plan plan) {
  ConnectSource source;
  source.port = plan.options.source_port;
  if (!plan.source_ip.empty()) {
    source.address = SocketAddress::parse(plan.source_ip, 0);
    if (source.address.family() == SocketAddress::Family::none) {
      throw UsageError("source_ip is \"" + plan.source_ip + "\", which is no literal address");
    }
  }
  if (resolver == nullptr) resolver = &Resolver::current();
  const auto addresses = co_await resolver->resolve(plan.host, plan.port, plan.options.family);
  if (!addresses) co_return addresses.error();
  ConnectRace race(interleave_families(*addresses), source, plan.options.attempt_delay);
  auto connected = co_await race;
  if (!connected) co_return connected.error();
  Stream stream = detail::make_stream(loop::LoopCore::current(), std::move(*connected));
  co_return co_await begin_tls(std::move(stream), plan.tls, plan.server_name, plan.alpn);
}

Task<Result<Stream>> connect_to_unix(Plan plan) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool abstract_name = !plan.host.empty() && plan.host.front() == '@';
  if (plan.host.empty() || plan.host.size() >= sizeof address.sun_path) {
    co_return std::make_error_code(std::errc::filename_too_long);
  }
  std::memcpy(address.sun_path, plan.host.data(), plan.host.size());
  if (abstract_name) address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + plan.host.size() +
                                           (abstract_name ? 0 : 1));
  for (;;) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) {
      Stream stream = detail::make_stream(loop::LoopCore::current(), std::move(fd));
      co_return co_await begin_tls(std::move(stream), plan.tls, plan.server_name, plan.alpn);
    }
    if (errno != EAGAIN) co_return std::error_code(errno, std::generic_category());
    co_await sleep(full_queue_pause);
  }
}

Task<Result<Stream>> limit(Duration timeout, Task<Result<Stream>> task) {
  if (timeout <= Duration()) co_return co_await task;
  try {
    co_return co_await with_timeout(timeout, std::move(task));
  } catch (const TimeoutError&) {
    co_return std::make_error_code(std::errc::timed_out);
  }
}

Task<Stream> or_throw(std::string where, Task<Result<Stream>> task) {
  auto result = co_await task;
  if (!result) throw ConnectError(where, result.error());
  co_return std::move(*result);
}

std::string name_of(std::string_view host, std::uint16_t port) {
  const bool literal = host.find(':') != std::string_view::npos;
  return (literal ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::to_string(port);
}

}  // namespace

ConnectError::ConnectError(std::string_view where, std::error_code code)
    : Error("cannot connect to " + std::string(where) + ": " + code.message()), code_(code) {}

Task<Result<Stream>> TCPClient::try_connect(std::string_view host, std::uint16_t port,
                                            const ConnectOptions& options) {
  return limit(options.timeout, connect_to(resolver_, Plan(host, host, port, options)));
}

Task<Stream> TCPClient::connect(std::string_view host, std::uint16_t port,
                                const ConnectOptions& options) {
  return or_throw(name_of(host, port), try_connect(host, port, options));
}

Task<Result<Stream>> TCPClient::try_connect_unix(std::string_view path,
                                                 const ConnectOptions& options) {
  return limit(options.timeout, connect_to_unix(Plan(path, {}, 0, options)));
}

Task<Stream> TCPClient::connect_unix(std::string_view path, const ConnectOptions& options) {
  return or_throw(std::string(path), try_connect_unix(path, options));
}

}  // namespace squall::net
