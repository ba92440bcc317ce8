// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "loop/forks.hpp"
#include "net/inheritance.hpp"
#include "web/application_impl.hpp"
#include "web/list_routes.hpp"
#include "web/worker.hpp"

#include <squall/base/error.hpp>
#include <squall/net/address.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/fork_processes.hpp>
#include <squall/web/application.hpp>
#include <squall/web/static_file_handler.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <future>
#include <sys/resource.h>
#include <sys/socket.h>
#include <utility>

// How an application begins to serve: its sockets, its workers, the signals it listens to.
namespace squall::web {
namespace {

std::string address_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "?";
  return net::SocketAddress::from_native(&address, size).to_string();
}

// The limit that is set; else what the process's descriptors allow, with some left for files and
// for connections of its own.
std::size_t connection_limit(const Settings& settings) noexcept {
  if (settings.max_connections != 0) return settings.max_connections;
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0 || descriptors.rlim_cur == RLIM_INFINITY) {
    return limits::http_connections;
  }
  const auto all = static_cast<std::size_t>(descriptors.rlim_cur);
  const std::size_t reserve = std::min<std::size_t>(32 + all / 64, all / 2);
  return std::clamp<std::size_t>(all - reserve, 1, limits::http_connections);
}

void reload_after_hangup(Application& application) {
  try {
    application.reload_certificates();
    log::write(log::Level::info, "server", "certificates are read again");
  } catch (const std::exception& error) {
    log::format(log::Level::error, "server", "the old certificates stay: {}", error.what());
  }
}

/// A file of the static directory that browsers and robots ask for at the top.
struct StaticRootFile : StaticFileHandler {
  StaticRootFile(std::string_view root, const StaticFileOptions& options, std::string_view name)
      : StaticFileHandler(root, options), file(name) {}
  void get() { StaticFileHandler::get(file); }
  std::string_view file;
};

void add_static_root_files(Application::Impl& impl) {
  if (impl.static_path.empty()) return;
  for (const std::string_view path : {"/favicon.ico", "/robots.txt"}) {
    try {
      impl.routing.table().add_pattern(
          path,
          handler<StaticRootFile>(impl.static_path, impl.settings.static_options, path.substr(1)));
    } catch (const UsageError&) {  // the program has a route of its own for it
    }
  }
}

void on_hangup(Application& application) {
  if (application.settings().reload_on_hangup) {
    reload_after_hangup(application);
  } else if (task_id() < 0) {
    application.restart();
  }
}

/// This thread's part of the application, made at the first listen().
Worker& main_worker(Application& application, Application::Impl& impl) {
  if (!impl.main_worker) {
    add_static_root_files(impl);
    impl.loop = &IOLoop::current();
    impl.gate.reset(
        new server::ConnectionGate({.max_connections = connection_limit(impl.settings),
                                    .max_per_address = impl.settings.max_connections_per_address,
                                    .proxies = &impl.trusted_proxies}));
    impl.restart = std::make_unique<Restart>(application, impl.pid_file);
    impl.autoreload = Autoreload::start(application, *impl.loop);
    impl.main_worker = std::make_unique<Worker>(impl, impl.loop->core());
    if (impl.settings.handle_signals) {
      for (const int signal_number : {SIGTERM, SIGINT}) {
        impl.loop->add_signal_handler(signal_number, [&application] { application.shutdown(); });
      }
    }
    if (impl.settings.restart_on_hangup) loop::expect_forks();
    if (handles_hangup(impl.settings)) {
      impl.loop->add_signal_handler(SIGHUP, [&application] { on_hangup(application); });
    }
    // After all calls of listen() that the program makes before it starts the loop.
    impl.serves_timer = impl.loop->call_later(Duration(), [&impl] {
      if (task_id() < 0) impl.restart->serves();
      if (impl.autoreload) impl.autoreload->serves();
    });
  }
  impl.listening = true;
  return *impl.main_worker;
}

/// How all sockets of one listen() are served.
using Port = server::PortOptions;

Port make_port(Application::Impl& impl, const ListenOptions& options) {
  Port port;
  if (options.proxy_protocol == ProxyProtocol::required) {
    if (impl.trusted_proxies.empty()) {
      throw UsageError("proxy_protocol is for proxies that Settings::trusted_proxies names");
    }
    port.proxies = &impl.trusted_proxies;
  }
  const bool has_files = !options.tls.certificate_file.empty();
  if (options.redirect_to_https != 0) {
    if (has_files || options.tls_context != nullptr) {
      throw UsageError("a port with redirect_to_https speaks plain HTTP: give it no certificate");
    }
    impl.https_redirects.push_back(std::make_unique<RedirectToHTTPS>(options.redirect_to_https));
    port.delegate = impl.https_redirects.back().get();
    return port;
  }
  if (options.tls_context != nullptr) {
    if (has_files || !options.tls_context->is_server()) {
      throw UsageError("tls_context is made by TLSContext::server(), and stands in for tls");
    }
    port.tls = *options.tls_context;
  } else if (has_files) {
    port.tls = net::TLSContext::server(options.tls);
  }
  if (port.tls) impl.tls_contexts.push_back(port.tls);
  return port;
}

/// A socket that outlives the process, for a successor or in development.
void add_socket(Application::Impl& impl, int fd, bool any_port, const Port& served) {
  const std::string_view name = impl.restart->add_socket(fd, any_port);
  if (impl.autoreload) impl.autoreload->add_socket(fd, name, static_cast<bool>(served.tls));
}

/// Runs a loop with its own sockets until it is stopped.
void run_worker(Application::Impl& impl, Application::Impl::Thread& self,
                std::vector<UniqueFd> sockets, const Port& port, std::promise<void>& started) {
  IOLoop& loop = IOLoop::current();
  std::unique_ptr<Worker> worker;
  try {
    worker = std::make_unique<Worker>(impl, loop.core());
    for (UniqueFd& socket : sockets) {
      worker->server().add_socket(std::move(socket), port);
    }
    self.loop = &loop;
    self.worker = worker.get();
  } catch (...) {
    started.set_exception(std::current_exception());
    return;
  }
  started.set_value();
  loop.start();
}

/// Starts a thread with a loop for these sockets, and waits until it has begun.
void start_worker(Application::Impl& impl, std::vector<UniqueFd> sockets, const Port& served) {
  auto thread = std::make_unique<Application::Impl::Thread>();
  std::promise<void> started;
  std::future<void> ready = started.get_future();
  // Signals are the main loop's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread->thread = std::thread(
      [&impl, self = thread.get(), own = std::move(sockets), served, &started]() mutable {
        run_worker(impl, *self, std::move(own), served, started);
      });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  try {
    ready.get();
  } catch (...) {
    thread->thread.join();
    throw;
  }
  impl.threads.push_back(std::move(thread));
}

/// One worker's sockets of a listen(), of each address family one.
using SocketSet = std::vector<UniqueFd>;

bool shares_port(const SocketSet& sockets) noexcept {
  int shares = 0;
  socklen_t size = sizeof shares;
  return ::getsockopt(sockets.front().get(), SOL_SOCKET, SO_REUSEPORT, &shares, &size) == 0 &&
         shares != 0;
}

SocketSet duplicate(const SocketSet& sockets) {
  SocketSet copies;
  for (const UniqueFd& socket : sockets) {
    copies.emplace_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 3));
    if (!copies.back()) {
      throw std::system_error(errno, std::generic_category(), "cannot share a listening socket");
    }
  }
  return copies;
}

/// A set for each worker. With inherited sockets there may be too few, or more than are wanted: all
/// are served, for in the queue of each there may be connections.
std::vector<SocketSet> make_sockets(std::uint16_t port, const ListenOptions& options,
                                    const net::BindOptions& bind) {
  std::vector<SocketSet> sets = net::inherited_sets(port, options.address);
  if (sets.empty()) sets.push_back(net::bind_sockets(port, options.address, bind));
  const std::uint16_t bound = net::local_port(sets.front().front().get());
  while (sets.size() < options.workers) {
    if (shares_port(sets.front())) {
      sets.push_back(net::bind_sockets(bound, options.address, bind));
    } else {
      sets.push_back(duplicate(sets.front()));
    }
  }
  for (std::size_t i = options.workers; i < sets.size(); ++i) {
    SocketSet& of_worker = sets[i % options.workers];
    for (UniqueFd& socket : sets[i]) of_worker.push_back(std::move(socket));
  }
  sets.resize(options.workers);
  return sets;
}

}  // namespace

std::uint16_t Application::listen(std::uint16_t port, const ListenOptions& options) {
  if (options.workers == 0) throw UsageError("an application needs at least one worker");
  if (list_routes_instead(*this)) return port;
  net::BindOptions bind;
  bind.backlog = options.backlog;
  bind.reuse_port = options.reuse_port || options.workers > 1;
  const Port served = make_port(*impl_, options);
  std::vector<SocketSet> sets = make_sockets(port, options, bind);
  const std::uint16_t bound = net::local_port(sets.front().front().get());
  Worker& worker = main_worker(*this, *impl_);
  for (const SocketSet& set : sets) {
    for (const UniqueFd& socket : set) add_socket(*impl_, socket.get(), port == 0, served);
  }
  for (UniqueFd& socket : sets.front()) {
    log::format(log::Level::info, "server", "listening on {}{} ({}, {} worker{})",
                address_of(socket.get()), served.tls ? " with TLS" : "", impl_->loop->engine_name(),
                options.workers, options.workers == 1 ? "" : "s");
    worker.server().add_socket(std::move(socket), served);
  }
  for (std::size_t i = 1; i < options.workers; ++i) {
    start_worker(*impl_, std::move(sets[i]), served);
  }
  return bound;
}

void Application::listen_unix(std::string_view path, unsigned mode, const ListenOptions& options) {
  if (list_routes_instead(*this)) return;
  const Port served = make_port(*impl_, options);
  UniqueFd socket = net::bind_unix_socket(path, mode, options.backlog);
  Worker& worker = main_worker(*this, *impl_);
  add_socket(*impl_, socket.get(), false, served);
  log::format(log::Level::info, "server", "listening on {}{} ({})", path,
              served.tls ? " with TLS" : "", impl_->loop->engine_name());
  worker.server().add_socket(std::move(socket), served);
}

void Application::listen_socket(UniqueFd socket, const ListenOptions& options) {
  if (list_routes_instead(*this)) return;
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    throw UsageError(
        "listen_socket() takes a socket that listens, as net::bind_sockets() makes them");
  }
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  const Port served = make_port(*impl_, options);
  Worker& worker = main_worker(*this, *impl_);
  add_socket(*impl_, socket.get(), false, served);
  log::format(log::Level::info, "server", "listening on {}{} ({})", address_of(socket.get()),
              served.tls ? " with TLS" : "", impl_->loop->engine_name());
  worker.server().add_socket(std::move(socket), served);
}

}  // namespace squall::web
