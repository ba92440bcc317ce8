// SPDX-License-Identifier: Apache-2.0
#include "net/connect_race.hpp"
#include "net/deaf_port_testing.hpp"
#include "net/stream_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/resolver.hpp>
#include <squall/net/tcp_client.hpp>
#include <squall/net/tcp_server.hpp>

#include <algorithm>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace squall::net {
namespace {

using namespace std::chrono_literals;
using Family = SocketAddress::Family;

TEST(InterleaveFamilies, TakesTurnsBeginningWithTheFirst) {  // RFC 8305 §4
  const auto v4 = [](int i) { return SocketAddress::parse("10.0.0." + std::to_string(i), 1); };
  const auto v6 = [](int i) { return SocketAddress::parse("2001:db8::" + std::to_string(i), 1); };
  EXPECT_EQ(interleave_families({v6(1), v6(2), v6(3), v4(1), v4(2)}),
            (std::vector<SocketAddress>{v6(1), v4(1), v6(2), v4(2), v6(3)}));
  EXPECT_EQ(interleave_families({v4(1), v4(2), v6(1)}),
            (std::vector<SocketAddress>{v4(1), v6(1), v4(2)}));
  EXPECT_TRUE(interleave_families({}).empty());
}

/// Gives a host several addresses of this machine.
struct Several final : ResolverBackend {
  Task<Result<Addresses>> look_up(std::string, Family) override { co_return addresses; }
  Addresses addresses;
};

class TCPClientTest : public ::testing::Test {
 protected:
  ~TCPClientTest() override {
    server.stop();
    loop::run_until([this] { return server.connections() == 0; });
    loop::run_until([] { return loop::LoopCore::current().open_streams() == 0; });
  }
  /// Whom it reached, or why not.
  static Task<std::string> attempt(TCPClient client, std::string host, std::uint16_t port,
                                   ConnectOptions options = {}) {
    auto stream = co_await client.try_connect(host, port, options);
    if (!stream) co_return stream.error().message();
    const auto peer = co_await stream->read_until_close();
    co_return stream->peer_address().ip() + " from " + *peer;
  }
  static std::string run(Task<std::string> task) {
    BackgroundTask one;
    one.start(std::move(task));
    return one.finish();
  }
  /// A port where nobody listens.
  static std::uint16_t free_port() {
    return local_port(bind_sockets(0, "127.0.0.1").front().get());
  }
  static Task<> tell_address(Stream stream, SocketAddress peer) {
    stream.write(peer.ip());
    co_return;
  }

  TCPServer server{&tell_address};
  Several several;
  Resolver resolver{several};
  TCPClient client{resolver};
};

TEST_F(TCPClientTest, ConnectsToALiteralAndToAName) {
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(attempt(TCPClient(), "127.0.0.1", port)), "127.0.0.1 from 127.0.0.1");
  EXPECT_EQ(run(attempt(TCPClient(), "localhost", port)), "127.0.0.1 from 127.0.0.1");
}

TEST_F(TCPClientTest, TheErrorNamesTheAddress) {
  const std::uint16_t port = free_port();
  EXPECT_EQ(run(attempt(TCPClient(), "127.0.0.1", port)),
            std::make_error_code(std::errc::connection_refused).message());
  const auto connect = [](std::uint16_t to) -> Task<std::string> {
    TCPClient thrower;
    const Stream stream = co_await thrower.connect("127.0.0.1", to);
    co_return "connected";
  };
  try {
    run(connect(port));
    FAIL() << "connected";
  } catch (const ConnectError& error) {
    EXPECT_EQ(error.code(), std::errc::connection_refused);
    EXPECT_EQ(std::string(error.what()),
              "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
  }
}

TEST_F(TCPClientTest, AnAddressThatRefusesGivesWayToTheNextAtOnce) {
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.3"});
  several.addresses = {SocketAddress::parse("127.0.0.1", 0), SocketAddress::parse("127.0.0.2", 0),
                       SocketAddress::parse("127.0.0.3", 0)};
  EXPECT_EQ(run(attempt(client, "many.example", port, {.attempt_delay = 1h})),
            "127.0.0.3 from 127.0.0.1");
}

TEST_F(TCPClientTest, AnAddressThatIsSilentGivesWayAfterTheDelay) {  // RFC 8305 §5
  const DeafPort deaf("127.0.0.2");
  const std::uint16_t port = server.listen(deaf.port, {.address = "127.0.0.1"});
  several.addresses = {SocketAddress::parse("127.0.0.2", 0), SocketAddress::parse("127.0.0.1", 0)};
  EXPECT_EQ(run(attempt(client, "many.example", port, {.attempt_delay = 20ms})),
            "127.0.0.1 from 127.0.0.1");
}

TEST_F(TCPClientTest, WhenAllFailTheLastErrorCounts) {
  const DeafPort deaf("127.0.0.2");
  several.addresses = {SocketAddress::parse("127.0.0.2", 0), SocketAddress::parse("127.0.0.1", 0)};
  EXPECT_EQ(
      run(attempt(client, "many.example", deaf.port, {.timeout = 60ms, .attempt_delay = 5ms})),
      std::make_error_code(std::errc::timed_out).message())
      << "one of them is still being tried";
  several.addresses = {SocketAddress::parse("127.0.0.3", 0), SocketAddress::parse("127.0.0.1", 0)};
  EXPECT_EQ(run(attempt(client, "many.example", deaf.port)),
            std::make_error_code(std::errc::connection_refused).message());
}

TEST_F(TCPClientTest, TheTimeoutSpansTheLookup) {
  struct Never final : ResolverBackend {
    Task<Result<Addresses>> look_up(std::string, Family) override {
      co_await sleep(1h);
      co_return Addresses();
    }
  } never;
  Resolver silent(never);
  EXPECT_EQ(run(attempt(TCPClient(silent), "many.example", 1, {.timeout = 10ms})),
            std::make_error_code(std::errc::timed_out).message());
}

TEST_F(TCPClientTest, ALookupThatFailsIsTheError) {
  several.addresses.clear();
  EXPECT_EQ(run(attempt(client, "none.example", 1)),
            make_error_code(ResolveError::no_address).message());
  EXPECT_EQ(run(attempt(client, "", 1)), make_error_code(ResolveError::bad_name).message());
}

TEST_F(TCPClientTest, TheSourceMayBeChosen) {
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(attempt(TCPClient(), "127.0.0.1", port, {.source_ip = "127.0.0.9"})),
            "127.0.0.1 from 127.0.0.9");
  EXPECT_EQ(run(attempt(TCPClient(), "127.0.0.1", port, {.source_ip = "::1"})),
            std::make_error_code(std::errc::address_family_not_supported).message());
  EXPECT_THROW(run(attempt(TCPClient(), "127.0.0.1", port, {.source_ip = "nonsense"})), UsageError);
  const auto from_port = [](std::uint16_t to, std::uint16_t from, bool any) -> Task<std::string> {
    TCPClient one;
    const std::string_view source = any ? "" : "127.0.0.1";
    auto stream =
        co_await one.try_connect("127.0.0.1", to, {.source_ip = source, .source_port = from});
    co_return stream ? std::to_string(stream->local_address().port()) : stream.error().message();
  };
  std::uint16_t wanted = free_port();
  EXPECT_EQ(run(from_port(port, wanted, false)), std::to_string(wanted));
  // Other connections of this host may use the port from other addresses.
  wanted = free_port();
  const std::string got = run(from_port(port, wanted, true));
  if (got != std::make_error_code(std::errc::address_in_use).message()) {
    EXPECT_EQ(got, std::to_string(wanted));
  }
}

TEST_F(TCPClientTest, SmallWritesLeaveAtOnce) {
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  const auto nodelay = [](std::uint16_t to) -> Task<std::string> {
    TCPClient one;
    const Stream stream = co_await one.connect("127.0.0.1", to);
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(stream.native_handle(), IPPROTO_TCP, TCP_NODELAY, &value, &size);
    co_return value != 0 ? "on" : "off";
  };
  EXPECT_EQ(run(nodelay(port)), "on");
}

TEST_F(TCPClientTest, ConnectsToUnixSockets) {
  const std::string path = "@squall-client-test-" + std::to_string(::getpid());
  server.listen_unix(path);
  const auto connect = [](std::string to) -> Task<std::string> {
    TCPClient one;
    auto stream = co_await one.try_connect_unix(to);
    if (!stream) co_return stream.error().message();
    const auto all = co_await stream->read_until_close();
    co_return *all;
  };
  EXPECT_EQ(run(connect(path)), "unix");
  EXPECT_EQ(run(connect("/nonexistent/socket")),
            std::make_error_code(std::errc::no_such_file_or_directory).message());
  EXPECT_EQ(run(connect(std::string(200, 'x'))),
            std::make_error_code(std::errc::filename_too_long).message());
}

TEST_F(TCPClientTest, AUnixSocketWithAFullQueueIsWaitedFor) {
  const std::string path = "@squall-full-test-" + std::to_string(::getpid());
  const UniqueFd full = bind_unix_socket(path, 0600, 0);
  const auto connect = [](std::string to, Duration timeout) -> Task<std::string> {
    TCPClient one;
    auto stream = co_await one.try_connect_unix(to, {.timeout = timeout});
    co_return stream ? "connected" : stream.error().message();
  };
  EXPECT_EQ(run(connect(path, 1s)), "connected");
  EXPECT_EQ(run(connect(path, 20ms)), std::make_error_code(std::errc::timed_out).message());
}

}  // namespace
}  // namespace squall::net
