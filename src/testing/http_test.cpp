// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_core.hpp"
#include "testing/http_test_impl.hpp"
#include "web/application_impl.hpp"
#include "web/worker.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/net/address.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/tcp_client.hpp>
#include <squall/web/application.hpp>

#include <cerrno>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <system_error>
#include <utility>

namespace squall::testing {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

Task<> pass(Duration time) { co_await sleep(time); }

Task<websocket::OptionalMessage> next_message(client::WebSocket* socket) {
  auto message = co_await socket->read();
  if (!message) co_return websocket::OptionalMessage();
  co_return websocket::OptionalMessage(std::move(*message));
}

}  // namespace

HTTPTest::Impl::Impl(web::Application& of, const HTTPTestOptions& with)
    : application(of),
      options(with),
      deadline(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (!deadline) fail("timerfd_create");
  web::Application::Impl& impl = application.impl();
  if (impl.listening) {
    throw UsageError("the application of an HTTPTest does not listen: the test does that for it");
  }
  impl.settings.handle_signals = false;
  port = application.listen(0, {.address = "127.0.0.1"});
  loop.core().set_virtual_time(options.virtual_time);
  // Ends the loop: what waits is told by rethrow().
  loop.add_handler(
      deadline.get(),
      [this](int, unsigned) {
        is_past_deadline = true;
        disarm();
        loop.stop();
      },
      IOLoop::readable);
}

HTTPTest::Impl::~Impl() {
  loop.remove_handler(deadline.get());
  loop.core().set_virtual_time(false);
}

void HTTPTest::Impl::arm(Duration timeout) {
  if (timeout.nanoseconds() <= 0) timeout = options.timeout;
  is_past_deadline = false;
  itimerspec when{};
  when.it_value.tv_sec = timeout.nanoseconds() / 1'000'000'000;
  when.it_value.tv_nsec = timeout.nanoseconds() % 1'000'000'000;
  ::timerfd_settime(deadline.get(), 0, &when, nullptr);
}

void HTTPTest::Impl::disarm() noexcept {
  const itimerspec never{};
  ::timerfd_settime(deadline.get(), 0, &never, nullptr);
}

Task<net::Stream> HTTPTest::Impl::open_connection() {
  if (options.transport == Transport::tcp) {
    co_return co_await net::TCPClient().connect("127.0.0.1", port);
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    fail("socketpair");
  }
  UniqueFd server(ends[0]);
  net::Stream client = net::Stream::adopt_socket(ends[1]);
  application.impl().main_worker->server().plain_port().on_connection(
      std::move(server), net::SocketAddress::parse("127.0.0.1", 0));
  co_return client;
}

HTTPTest::HTTPTest(web::Application& application, const HTTPTestOptions& options)
    : impl_(new Impl(application, options)) {}

HTTPTest::~HTTPTest() { delete impl_; }

HTTPTest::Deadline::Deadline(HTTPTest& test, Duration timeout) : test_(test) {
  if (test.impl_->loop.core().is_running()) {
    throw UsageError("a test that runs on the loop awaits async_fetch(), not fetch() or run()");
  }
  test.impl_->arm(timeout);
}

HTTPTest::Deadline::~Deadline() { test_.impl_->disarm(); }

void HTTPTest::rethrow(std::string_view what) {
  if (impl_->is_past_deadline) {
    throw TimeoutError(std::string(what) + " did not end within the test's timeout");
  }
  throw;
}

Response HTTPTest::fetch(std::string_view path, const FetchOptions& options) {
  Request request(path, options);
  const std::string name = request.describe();
  const Deadline deadline(*this, options.timeout);
  try {
    return impl_->loop.run_sync(ask(impl_, std::move(request)));
  } catch (...) {
    rethrow(name);
  }
}

Task<Response> HTTPTest::async_fetch(std::string_view path, const FetchOptions& options) {
  return ask(impl_, Request(path, options));
}

client::WebSocket HTTPTest::websocket_connect(std::string_view path,
                                              const client::WebSocketOptions& options) {
  const std::string url = "ws" + get_url(path).substr(4);
  const Deadline deadline(*this, {});
  try {
    return impl_->loop.run_sync(client::websocket_connect(url, options));
  } catch (...) {
    rethrow(url);
  }
}

websocket::OptionalMessage HTTPTest::read_message(client::WebSocket& socket) {
  return run(next_message(&socket));
}

void HTTPTest::advance(Duration time) {
  // Without virtual time it takes as long as it takes.
  run(pass(time), impl_->options.virtual_time ? Duration() : time + impl_->options.timeout);
}

std::string HTTPTest::get_url(std::string_view path) const {
  return impl_->base_url() + std::string(path);
}

std::uint16_t HTTPTest::get_http_port() const noexcept { return impl_->port; }

std::string HTTPTest::cookie(std::string_view name) const { return impl_->cookies.value(name); }

void HTTPTest::clear_cookies() noexcept { impl_->cookies.clear(); }

UnusedPort bind_unused_port() {
  UniqueFd socket = std::move(net::bind_sockets(0, "127.0.0.1").front());
  const std::uint16_t port = net::local_port(socket.get());
  return {socket.release(), port};
}

}  // namespace squall::testing
