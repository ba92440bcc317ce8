// SPDX-License-Identifier: Apache-2.0
#include "loop/engine.hpp"
#include "loop/loop_core.hpp"
#include "net/resolver_backend.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/event.hpp>

#include <algorithm>
#include <ares.h>
#include <map>
#include <sys/time.h>
#include <utility>

namespace squall::net {
namespace {

// The library's own first call, once a process.
void initialize() {
  static const int status = ::ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) throw Error(std::string("c-ares: ") + ::ares_strerror(status));
}

std::error_code error_of(int status) noexcept {
  switch (status) {
    case ARES_ENOTFOUND:
      return ResolveError::host_not_found;
    case ARES_ENODATA:
      return ResolveError::no_address;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
      return ResolveError::try_again;
    case ARES_ENOMEM:
      return ResolveError::out_of_memory;
    case ARES_EBADNAME:
      return ResolveError::bad_name;
    case ARES_EBADFAMILY:
      return ResolveError::family_not_supported;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
      return ResolveError::closed;
    default:
      return ResolveError::failed;
  }
}

/// One channel of c-ares, whose sockets and time-outs the loop looks after.
class CaresBackend final : public ResolverBackend, private squall::detail::TimerNode {
 public:
  explicit CaresBackend(const ResolverOptions& options)
      : TimerNode([](TimerNode& node) noexcept {
          static_cast<CaresBackend&>(node).process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        }) {
    initialize();
    ares_options settings{};
    settings.sock_state_cb = &on_socket_state;
    settings.sock_state_cb_data = this;
    settings.timeout = static_cast<int>(
        std::clamp<std::int64_t>(options.attempt_timeout.milliseconds(), 1, 60'000));
    settings.tries = 3;
    const int status = ::ares_init_options(
        &channel_, &settings, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status != ARES_SUCCESS) throw Error(std::string("c-ares: ") + ::ares_strerror(status));
    if (!options.servers.empty()) {
      const std::string servers(options.servers);
      if (::ares_set_servers_ports_csv(channel_, servers.c_str()) != ARES_SUCCESS) {
        ::ares_destroy(channel_);
        throw UsageError("these are no name servers: \"" + servers + "\"");
      }
    }
  }
  ~CaresBackend() override {
    ::ares_destroy(channel_);  // ends what is under way, and with it the sockets
    loop_.stop_timer(*this);
  }

  Task<Result<Addresses>> look_up(std::string host, SocketAddress::Family family) override {
    Waiter waiter(*this, host, family);
    co_await waiter.query->done.wait();
    if (waiter.query->error) co_return waiter.query->error;
    co_return std::move(waiter.query->addresses);
  }

 private:
  struct Query {
    std::error_code error;
    Addresses addresses;
    Event done;
    bool answered = false;
    bool abandoned = false;
  };

  /// A query outlives its coroutine: c-ares will call for it whatever happens.
  struct Waiter {
    Waiter(CaresBackend& backend, const std::string& host, SocketAddress::Family family)
        : query(new Query) {
      ares_addrinfo_hints hints{};
      hints.ai_socktype = SOCK_STREAM;
      hints.ai_family = AF_UNSPEC;
      if (family == SocketAddress::Family::ipv4) hints.ai_family = AF_INET;
      if (family == SocketAddress::Family::ipv6) hints.ai_family = AF_INET6;
      ::ares_getaddrinfo(backend.channel_, host.c_str(), nullptr, &hints, &on_answer, query);
      backend.set_timer();
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter() {
      if (query->answered) {
        delete query;
      } else {
        query->abandoned = true;
      }
    }
    Query* query;
  };

  struct Socket final : loop::Watch {
    Socket(CaresBackend& owner, int descriptor, unsigned wanted) noexcept
        : Watch(descriptor, wanted), backend(owner) {}
    void on_ready(unsigned events) override {
      const int socket = fd;  // this may be gone after the first
      backend.process((events & readable) != 0 ? socket : ARES_SOCKET_BAD,
                      (events & writable) != 0 ? socket : ARES_SOCKET_BAD);
    }
    CaresBackend& backend;
  };

  static void on_answer(void* context, int status, int, ares_addrinfo* found) {
    const std::unique_ptr<ares_addrinfo, decltype(&::ares_freeaddrinfo)> list(found,
                                                                              &::ares_freeaddrinfo);
    auto* const query = static_cast<Query*>(context);
    if (query->abandoned) {
      delete query;
      return;
    }
    query->answered = true;
    query->done.set();
    query->error = status == ARES_SUCCESS ? std::error_code() : error_of(status);
    if (found == nullptr) return;
    for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
      query->addresses.push_back(SocketAddress::from_native(node->ai_addr, node->ai_addrlen));
    }
  }

  static void on_socket_state(void* context, ares_socket_t fd, int readable, int writable) {
    auto& self = *static_cast<CaresBackend*>(context);
    loop::Engine& engine = self.loop_.engine();
    const unsigned wanted =
        (readable != 0 ? loop::Watch::readable : 0U) | (writable != 0 ? loop::Watch::writable : 0U);
    const auto found = self.sockets_.find(fd);
    if (found == self.sockets_.end()) {
      if (wanted == 0) return;
      auto socket = std::make_unique<Socket>(self, fd, wanted);
      if (!engine.start_watching(*socket)) self.sockets_.emplace(fd, std::move(socket));
    } else if (wanted == 0) {
      engine.stop_watching(*found->second);
      self.sockets_.erase(found);
    } else {
      found->second->interest = wanted;
      engine.update_watching(*found->second);
    }
  }

  void process(ares_socket_t readable, ares_socket_t writable) noexcept {
    ::ares_process_fd(channel_, readable, writable);
    set_timer();
  }

  void set_timer() noexcept {
    loop_.stop_timer(*this);
    timeval due{};
    if (::ares_timeout(channel_, nullptr, &due) == nullptr) return;
    loop_.start_timer(*this, Duration::from_milliseconds(due.tv_sec * 1000 + due.tv_usec / 1000));
  }

  loop::LoopCore& loop_ = loop::LoopCore::current();
  ares_channel channel_ = nullptr;
  std::map<int, std::unique_ptr<Socket>> sockets_;
};

}  // namespace

std::unique_ptr<ResolverBackend> make_cares_backend(const ResolverOptions& options) {
  return std::make_unique<CaresBackend>(options);
}

}  // namespace squall::net
