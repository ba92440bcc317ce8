// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "loop/loop_core.hpp"
#include "net/resolver_backend.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/coro/event.hpp>
#include <squall/net/resolver.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace squall::net {
namespace {

using Family = SocketAddress::Family;

constexpr std::size_t longest_name = 253;  // RFC 1035 §2.3.4

std::string lower(std::string_view text) {
  std::string result(text);
  ascii::make_lower(result);
  return result;
}

Result<Addresses> with_port(Addresses addresses, std::uint16_t port) {
  if (addresses.empty()) return ResolveError::no_address;
  for (SocketAddress& address : addresses) address = address.with_port(port);
  return addresses;
}

}  // namespace

ResolverBackend::~ResolverBackend() = default;

struct Resolver::Impl {
  using Key = std::pair<std::string, Family>;
  using OverrideKey = std::tuple<std::string, std::uint16_t, Family>;

  /// One question to the backend, and those who wait for its answer.
  struct Lookup {
    Key key;
    Impl* owner = nullptr;  // null once it has ended
    std::error_code error;
    Addresses addresses;
    Event done;
    squall::detail::TaskRunner runner;
  };
  struct Entry {
    std::error_code error;
    Addresses addresses;
    std::uint64_t expires_ms = 0;
  };

  static Impl* make(const ResolverOptions& wanted) {
    auto impl = std::make_shared<Impl>();
    impl->options = wanted;
    impl->self = impl;
    return impl.get();
  }

  static Task<Result<Addresses>> resolve(std::shared_ptr<Impl> self, std::string host,
                                         std::uint16_t port, Family family);
  static Task<> ask(ResolverBackend* backend, Lookup* lookup);
  static void on_answer(void* context, std::exception_ptr error);

  void start(const std::shared_ptr<Lookup>& lookup);
  void remember(const Lookup& lookup);
  const Entry* recall(const Key& key);
  void apply_override(std::string& host, std::uint16_t& port, Family family) const;
  void close() noexcept;

  ResolverOptions options;
  loop::LoopCore& loop = loop::LoopCore::current();
  std::unique_ptr<ResolverBackend> own_backend;
  ResolverBackend* backend = nullptr;
  std::map<OverrideKey, std::pair<std::string, std::uint16_t>> overrides;
  std::map<Key, Entry> cache;
  StopSource stop;
  std::map<Key, std::shared_ptr<Lookup>> lookups;
  bool closed = false;
  std::shared_ptr<Impl> self;  // the Resolver's share; a resolve() that waits has one too
};

void Resolver::Impl::apply_override(std::string& host, std::uint16_t& port, Family family) const {
  if (overrides.empty()) return;
  const std::pair<std::uint16_t, Family> ways[] = {
      {port, family}, {port, Family::none}, {0, family}, {0, Family::none}};
  for (const auto& [wanted_port, wanted_family] : ways) {
    const auto found = overrides.find({host, wanted_port, wanted_family});
    if (found == overrides.end()) continue;
    host = found->second.first;
    if (found->second.second != 0) port = found->second.second;
    return;
  }
}

Task<Result<Addresses>> Resolver::Impl::resolve(std::shared_ptr<Impl> self, std::string host,
                                                std::uint16_t port, Family family) {
  if (host.empty() || host.size() > longest_name || host.find('\0') != std::string::npos) {
    co_return ResolveError::bad_name;
  }
  host = lower(host);
  self->apply_override(host, port, family);
  const SocketAddress literal = SocketAddress::parse(host, port);
  if (literal.family() != Family::none) {
    if (family != Family::none && family != literal.family()) co_return ResolveError::no_address;
    co_return with_port(Addresses(1, literal), port);
  }
  const Key key(host, family);
  if (const Entry* const entry = self->recall(key)) {
    if (entry->error) co_return entry->error;
    co_return with_port(entry->addresses, port);
  }
  std::shared_ptr<Lookup> lookup;
  const auto found = self->lookups.find(key);
  if (found != self->lookups.end()) {
    lookup = found->second;
  } else {
    if (self->closed) co_return ResolveError::closed;
    if (self->lookups.size() >= self->options.max_lookups) co_return ResolveError::too_many_lookups;
    lookup = std::make_shared<Lookup>();
    lookup->key = key;
    self->start(lookup);
  }
  co_await lookup->done.wait();
  if (lookup->error) co_return lookup->error;
  co_return with_port(lookup->addresses, port);
}

void Resolver::Impl::start(const std::shared_ptr<Lookup>& lookup) {
  lookup->owner = this;
  lookups.emplace(lookup->key, lookup);
  lookup->runner.start(ask(backend, lookup.get()), stop.state(), &on_answer, lookup.get());
}

Task<> Resolver::Impl::ask(ResolverBackend* backend, Lookup* lookup) {
  auto answer = co_await backend->look_up(lookup->key.first, lookup->key.second);
  lookup->error = answer.error();
  if (answer) lookup->addresses = std::move(*answer);
}

void Resolver::Impl::on_answer(void* context, std::exception_ptr error) {
  auto& lookup = *static_cast<Lookup*>(context);
  Impl& self = *lookup.owner;
  lookup.owner = nullptr;
  // A backend that throws, as when the threads' queue is full, has not answered.
  if (error) lookup.error = ResolveError::try_again;
  lookup.done.set();
  self.remember(lookup);
  self.lookups.erase(lookup.key);  // which may end it
}

void Resolver::Impl::remember(const Lookup& lookup) {
  const bool negative =
      lookup.error == ResolveError::host_not_found || lookup.error == ResolveError::no_address;
  if (lookup.error && !negative) return;
  const Duration ttl = negative ? options.negative_cache_ttl : options.cache_ttl;
  if (ttl <= Duration() || options.cache_entries == 0) return;
  const std::uint64_t now = loop.now_ms();
  if (cache.size() >= options.cache_entries) {
    std::erase_if(cache, [now](const auto& item) { return item.second.expires_ms <= now; });
  }
  if (cache.size() >= options.cache_entries) {
    cache.erase(std::min_element(cache.begin(), cache.end(), [](const auto& a, const auto& b) {
      return a.second.expires_ms < b.second.expires_ms;
    }));
  }
  cache[lookup.key] = {lookup.error, lookup.addresses,
                       now + static_cast<std::uint64_t>(ttl.milliseconds())};
}

const Resolver::Impl::Entry* Resolver::Impl::recall(const Key& key) {
  const auto found = cache.find(key);
  if (found == cache.end()) return nullptr;
  if (found->second.expires_ms > loop.now_ms()) return &found->second;
  cache.erase(found);
  return nullptr;
}

void Resolver::Impl::close() noexcept {
  closed = true;
  const auto ended = std::move(lookups);
  lookups.clear();
  for (const auto& [key, lookup] : ended) {
    lookup->runner.cancel();
    lookup->error = ResolveError::closed;
    lookup->done.set();
  }
}

namespace {
std::unique_ptr<ResolverBackend> make_backend(const ResolverOptions& options) {
  if (options.backend == ResolverOptions::Backend::system) return make_system_backend();
#ifdef SQUALL_HAS_CARES
  return make_cares_backend(options);
#else
  throw UsageError("this build of Squall has no c-ares: configure it with SQUALL_CARES=ON");
#endif
}

std::unique_ptr<Resolver>& current_resolver() {
  loop::LoopCore::current();  // is made first and so outlives it
  static thread_local std::unique_ptr<Resolver> resolver;
  return resolver;
}
}  // namespace

Resolver::Resolver(const ResolverOptions& options) : impl_(Impl::make(options)) {
  try {
    impl_->own_backend = make_backend(options);
  } catch (...) {
    impl_->self.reset();
    throw;
  }
  impl_->backend = impl_->own_backend.get();
}

Resolver::Resolver(ResolverBackend& backend, const ResolverOptions& options)
    : impl_(Impl::make(options)) {
  impl_->backend = &backend;
}

Resolver::~Resolver() {
  impl_->close();
  impl_->self.reset();
}

Resolver& Resolver::current() {
  auto& resolver = current_resolver();
  if (!resolver) resolver = std::make_unique<Resolver>();
  return *resolver;
}

void Resolver::use(const ResolverOptions& options) {
  current_resolver() = std::make_unique<Resolver>(options);
}

bool Resolver::has_cares() noexcept {
#ifdef SQUALL_HAS_CARES
  return true;
#else
  return false;
#endif
}

Task<Result<Addresses>> Resolver::resolve(std::string_view host, std::uint16_t port,
                                          Family family) {
  return Impl::resolve(impl_->self, std::string(host), port, family);
}

void Resolver::add_override(const ResolverOverride& entry) {
  if (entry.host.empty() || entry.to_host.empty()) {
    throw UsageError("a ResolverOverride needs `host` and `to_host`");
  }
  impl_->overrides[{lower(entry.host), entry.port, entry.family}] = {lower(entry.to_host),
                                                                     entry.to_port};
}

void Resolver::clear_overrides() noexcept { impl_->overrides.clear(); }

void Resolver::clear_cache() noexcept { impl_->cache.clear(); }

}  // namespace squall::net
