// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "net/listener.hpp"
#include "net/stream_core.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/event.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/tcp_server.hpp>
#include <squall/net/tls.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace squall::net {
namespace {

void log_failure(const SocketAddress& peer, std::exception_ptr error) noexcept {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const CancelledError&) {  // was asked to
  } catch (const std::system_error& what) {
    // Everyday ends, not faults of the program.
    const bool quiet = is_disconnect(what.code()) || what.code() == StreamError::read_timed_out;
    log::format(quiet ? log::Level::debug : log::Level::error, "net", "the handler of {} threw: {}",
                peer.to_string(), what.what());
  } catch (const std::exception& what) {
    log::format(log::Level::error, "net", "the handler of {} threw: {}", peer.to_string(),
                what.what());
  } catch (...) {
    log::format(log::Level::error, "net", "the handler of {} threw something unknown",
                peer.to_string());
  }
}

}  // namespace

struct TCPServer::Impl final : Listener::Receiver, squall::detail::ReadyNode {
  Impl(TCPServer& owner, Handler function, TLSContext context)
      : ReadyNode([](ReadyNode& node) noexcept { static_cast<Impl&>(node).retired.clear(); }),
        server(owner),
        handler(std::move(function)),
        tls(std::move(context)) {
    if (tls && !tls.is_server()) {
      throw UsageError("a TCPServer needs a TLSContext made by server()");
    }
    tasks.emplace(max_tasks);
  }

  void on_connection(UniqueFd fd, const SocketAddress& peer) override {
    if (tasks->size() >= max_tasks) return;
    accepting = true;
    tasks->spawn(serve(this, detail::make_stream(loop, std::move(fd)), peer));
    accepting = false;
    if (tasks->size() >= max_connections) pause();
  }

  static Task<> serve(Impl* self, Stream stream, SocketAddress peer) {
    try {
      if (self->tls) {
        const auto begun = co_await stream.start_tls(self->tls);
        if (!begun) {
          log::format(log::Level::debug, "net", "no TLS with {}: {}", peer.to_string(),
                      begun.error().message());
          self->ended();
          co_return;
        }
      }
      co_await self->server.handle_stream(std::move(stream), peer);
    } catch (...) {
      log_failure(peer, std::current_exception());
    }
    self->ended();
  }

  // The last thing of a task, which the group still counts.
  void ended() noexcept {
    if (tasks->size() == 1) empty.set();
    if (paused && tasks->size() <= max_connections) go_on();
  }
  void stop() noexcept {
    if (accepting) {  // the engine is in the middle of one of them
      for (const auto& listener : listeners) listener->pause();
      retired = std::move(listeners);
      loop.make_ready(*this);
    }
    listeners.clear();
  }
  void pause() noexcept {
    if (std::exchange(paused, true)) return;
    for (const auto& listener : listeners) listener->pause();
  }
  void go_on() noexcept {
    paused = false;
    for (const auto& listener : listeners) listener->go_on();
  }
  void add(UniqueFd socket) {
    listeners.push_back(std::make_unique<Listener>(loop, std::move(socket), *this));
    if (paused) listeners.back()->pause();
  }

  static constexpr std::size_t max_tasks = 10'000'000;

  TCPServer& server;
  Handler handler;
  TLSContext tls;
  loop::LoopCore& loop = loop::LoopCore::current();
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<Listener>> retired;
  std::size_t max_connections = limits::server_connections;
  bool paused = false;
  bool accepting = false;
  Event empty;
  std::optional<TaskGroup> tasks;  // last, so that it is destroyed first
};

TCPServer::TCPServer() : TCPServer(Handler(), TLSContext()) {}
TCPServer::TCPServer(Handler handler) : TCPServer(std::move(handler), TLSContext()) {}
TCPServer::TCPServer(const TLSContext& tls) : TCPServer(Handler(), tls) {}
TCPServer::TCPServer(Handler handler, const TLSContext& tls)
    : impl_(new Impl(*this, std::move(handler), tls)) {}

TCPServer::~TCPServer() { delete impl_; }

std::uint16_t TCPServer::listen(std::uint16_t port, const TCPListenOptions& options) {
  std::vector<UniqueFd> sockets = bind_sockets(
      port, options.address, {.backlog = options.backlog, .reuse_port = options.reuse_port});
  const std::uint16_t bound = local_port(sockets.front().get());
  add_sockets(std::move(sockets));
  return bound;
}

void TCPServer::listen_unix(std::string_view path, unsigned mode, int backlog) {
  add_socket(bind_unix_socket(path, mode, backlog));
}

void TCPServer::add_socket(UniqueFd socket) { impl_->add(std::move(socket)); }

void TCPServer::add_sockets(std::vector<UniqueFd> sockets) {
  for (UniqueFd& socket : sockets) impl_->add(std::move(socket));
}

void TCPServer::set_max_connections(std::size_t count) noexcept {
  impl_->max_connections = std::clamp<std::size_t>(count, 1, Impl::max_tasks);
  if (impl_->tasks->size() >= impl_->max_connections) {
    impl_->pause();
  } else if (impl_->paused) {
    impl_->go_on();
  }
}

void TCPServer::stop() noexcept { impl_->stop(); }

void TCPServer::close_all() noexcept { impl_->tasks->request_stop(); }

std::size_t TCPServer::connections() const noexcept { return impl_->tasks->size(); }

Task<> TCPServer::drain(Duration grace) {
  stop();
  if (connections() > 0) {
    impl_->empty.clear();
    try {
      co_await impl_->empty.wait(grace);
    } catch (const TimeoutError&) {
      close_all();
    }
  }
  co_await impl_->tasks->join();
  impl_->tasks.emplace(Impl::max_tasks);  // one that was asked to stop takes no more
}

void TCPServer::end_all() noexcept {
  stop();
  impl_->tasks.emplace(Impl::max_tasks);
}

Task<> TCPServer::handle_stream(Stream stream, SocketAddress peer) {
  if (!impl_->handler) {
    throw UsageError("a TCPServer needs a handle_stream() of its own or a function");
  }
  return impl_->handler(std::move(stream), peer);
}

}  // namespace squall::net
