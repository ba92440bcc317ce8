// SPDX-License-Identifier: Apache-2.0
// A stop request, or the end of the coroutine, at each place where the room waits.
#include "net/stream_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/event.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/resolver.hpp>
#include <squall/net/tcp_client.hpp>
#include <squall/net/tcp_server.hpp>
#include <squall/net/tls.hpp>
#include <squall/net/udp_socket.hpp>

#include <chrono>
#include <string>
#include <unistd.h>

namespace squall::net {
namespace {

using namespace std::chrono_literals;

/// Everything that a wait may need, and what must be left of it: nothing.
struct Surroundings {
  Surroundings() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    stream = Stream::adopt_socket(ends[0]);
    peer.reset(ends[1]);
    udp = UDPSocket::bind(SocketAddress::parse("127.0.0.1", 0));
    // A listener whose queue is full answers nobody.
    deaf.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage native{};
    const auto local = SocketAddress::parse("127.0.0.1", 0);
    const auto size = static_cast<socklen_t>(local.to_native(&native, sizeof native));
    EXPECT_EQ(::bind(deaf.get(), reinterpret_cast<sockaddr*>(&native), size), 0);
    EXPECT_EQ(::listen(deaf.get(), 0), 0);
    deaf_port = local_port(deaf.get());
    const auto there = SocketAddress::parse("127.0.0.1", deaf_port);
    static_cast<void>(there.to_native(&native, sizeof native));
    for (UniqueFd& fd : crowd) {
      fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      static_cast<void>(::connect(fd.get(), reinterpret_cast<sockaddr*>(&native), size));
    }
  }
  Stream stream;
  UniqueFd peer;
  UDPSocket udp;
  UniqueFd deaf;
  UniqueFd crowd[4];
  std::uint16_t deaf_port = 0;
  TCPClient client;
};

struct Silent final : ResolverBackend {
  Task<Result<Addresses>> look_up(std::string, SocketAddress::Family) override {
    Event never;
    co_await never.wait();
    co_return Addresses();
  }
};

struct Place {
  const char* name;
  Task<std::string> (*wait)(Surroundings&);
};

std::string said(std::error_code error) { return error ? error.message() : "done"; }

const Place places[] = {
    {"read_some",
     [](Surroundings& in) -> Task<std::string> {
       char buffer[8];
       const auto got = co_await in.stream.read_some(buffer);
       co_return said(got.error());
     }},
    {"read_into",
     [](Surroundings& in) -> Task<std::string> {
       char buffer[8];
       EXPECT_EQ(::write(in.peer.get(), "half", 4), 4);
       const auto got = co_await in.stream.read_into(buffer);
       co_return said(got.error());
     }},
    {"read_until",
     [](Surroundings& in) -> Task<std::string> {
       const auto got = co_await in.stream.read_until("a delimiter longer than a short string");
       co_return said(got.error());
     }},
    {"read_until_close",
     [](Surroundings& in) -> Task<std::string> {
       const auto got = co_await in.stream.read_until_close();
       co_return said(got.error());
     }},
    {"write",
     [](Surroundings& in) -> Task<std::string> {
       const auto sent = co_await in.stream.write_owned(std::string(8 * 1024 * 1024, 'x'));
       co_return said(sent.error());
     }},
    {"flush",
     [](Surroundings& in) -> Task<std::string> {
       in.stream.write_owned(std::string(8 * 1024 * 1024, 'x'));
       const auto sent = co_await in.stream.flush();
       co_return said(sent.error());
     }},
    {"closed",
     [](Surroundings& in) -> Task<std::string> { co_return said(co_await in.stream.closed()); }},
    {"start_tls",
     [](Surroundings& in) -> Task<std::string> {
       const TLSContext context = TLSContext::client({.verify = false});
       const auto begun = co_await in.stream.start_tls(context);
       co_return said(begun.error());
     }},
    {"connect",
     [](Surroundings& in) -> Task<std::string> {
       const auto stream = co_await in.client.try_connect("127.0.0.1", in.deaf_port);
       co_return said(stream.error());
     }},
    {"connect_tls",
     [](Surroundings& in) -> Task<std::string> {
       TCPServer mute([](Stream accepted, SocketAddress) -> Task<> {
         static_cast<void>(co_await accepted.closed());
       });
       const std::uint16_t port = mute.listen(0, {.address = "127.0.0.1"});
       const TLSContext context = TLSContext::client({.verify = false});
       const auto stream = co_await in.client.try_connect("127.0.0.1", port, {.tls = &context});
       co_return said(stream.error());
     }},
    {"resolve",
     [](Surroundings&) -> Task<std::string> {
       Silent silent;
       Resolver resolver(silent);
       const auto found = co_await resolver.resolve("example.com", 80);
       co_return said(found.error());
     }},
    {"resolve_by_the_system",
     [](Surroundings& in) -> Task<std::string> {
       Resolver resolver;
       const auto found = co_await resolver.resolve("no-such-host.invalid", 80);
       if (found) co_return "found";
       char buffer[8];  // it may have failed at once
       const auto got = co_await in.stream.read_some(buffer);
       co_return said(got.error());
     }},
    {"receive_from",
     [](Surroundings& in) -> Task<std::string> {
       char buffer[8];
       const auto got = co_await in.udp.receive_from(buffer);
       co_return said(got.error());
     }},
    {"drain",
     [](Surroundings&) -> Task<std::string> {
       TCPServer server([](Stream accepted, SocketAddress) -> Task<> {
         static_cast<void>(co_await accepted.closed());
       });
       const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
       TCPClient client;
       Stream stream = co_await client.connect("127.0.0.1", port);
       while (server.connections() == 0) co_await sleep(1ms);
       co_await server.drain(1h);
       co_return "drained";
     }},
};

class Cancellation : public ::testing::TestWithParam<Place> {
 protected:
  ~Cancellation() override {
    loop::run_until([] { return loop::LoopCore::current().open_streams() == 0; });
  }
  static void wait_a_while() {
    bool over = false;
    IOLoop::current().call_later(10ms, [&over] { over = true; });
    loop::run_until([&over] { return over; });
  }
};

TEST_P(Cancellation, AStopRequestEndsTheWaitPromptly) {
  Surroundings surroundings;
  BackgroundTask task;
  task.start(GetParam().wait(surroundings));
  wait_a_while();
  ASSERT_FALSE(task.is_done());
  task.request_stop();
  if (std::string_view(GetParam().name) == "drain") {
    task.cancel();  // it waits for its handlers, which is what it is for
    return;
  }
  EXPECT_THROW(task.finish(), CancelledError);
}

TEST_P(Cancellation, AStopRequestedBeforeEndsItToo) {
  Surroundings surroundings;
  BackgroundTask task;
  task.start(GetParam().wait(surroundings));
  task.request_stop();
  task.cancel();
}

TEST_P(Cancellation, TheWaitMayBeDestroyed) {
  Surroundings surroundings;
  {
    BackgroundTask task;
    task.start(GetParam().wait(surroundings));
    wait_a_while();
    task.cancel();
  }
  wait_a_while();
}

TEST_P(Cancellation, TheWaitMayBeDestroyedBetweenAStopAndItsEnd) {
  Surroundings surroundings;
  BackgroundTask task;
  task.start(GetParam().wait(surroundings));
  wait_a_while();
  task.request_stop();
  task.cancel();
  wait_a_while();
}

INSTANTIATE_TEST_SUITE_P(At, Cancellation, ::testing::ValuesIn(places),
                         [](const auto& place) { return std::string(place.param.name); });

}  // namespace
}  // namespace squall::net
