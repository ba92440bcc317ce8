// SPDX-License-Identifier: Apache-2.0
#include "net/resolver_backend.hpp"

#include <squall/loop/executor.hpp>

#include <cerrno>
#include <netdb.h>
#include <sys/socket.h>
#include <utility>

namespace squall::net {
namespace {

struct Answer {
  std::error_code error;
  Addresses addresses;
};

std::error_code error_of(int code) noexcept {
  switch (code) {
    case EAI_NONAME:
      return ResolveError::host_not_found;
    case EAI_NODATA:
      return ResolveError::no_address;
    case EAI_AGAIN:
      return ResolveError::try_again;
    case EAI_FAMILY:
    case EAI_ADDRFAMILY:
      return ResolveError::family_not_supported;
    case EAI_MEMORY:
      return ResolveError::out_of_memory;
    case EAI_SYSTEM:
      return {errno, std::generic_category()};
    default:
      return ResolveError::failed;
  }
}

Answer ask_system(const std::string& host, SocketAddress::Family family) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;  // or each address comes three times
  if (family == SocketAddress::Family::ipv4) hints.ai_family = AF_INET;
  if (family == SocketAddress::Family::ipv6) hints.ai_family = AF_INET6;
  addrinfo* found = nullptr;
  Answer answer;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) {
    answer.error = error_of(code);
    return answer;
  }
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const auto address = SocketAddress::from_native(info->ai_addr, info->ai_addrlen);
    if (address.family() != SocketAddress::Family::none) answer.addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return answer;
}

// Its own, so that a name server which does not answer holds up no other work. Never destroyed: a
// program that ends would have to wait for it.
Executor& threads() {
  static Executor& pool = *new Executor(limits::resolver_threads);
  return pool;
}

class SystemBackend final : public ResolverBackend {
 public:
  Task<Result<Addresses>> look_up(std::string host, SocketAddress::Family family) override {
    Answer answer = co_await threads().run(&ask_system, std::move(host), family);
    if (answer.error) co_return answer.error;
    co_return std::move(answer.addresses);
  }
};

}  // namespace

std::unique_ptr<ResolverBackend> make_system_backend() { return std::make_unique<SystemBackend>(); }

}  // namespace squall::net
