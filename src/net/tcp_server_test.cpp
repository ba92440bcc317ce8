// SPDX-License-Identifier: Apache-2.0
#include "net/stream_testing.hpp"
#include "net/tls_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/base/log.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/tcp_client.hpp>
#include <squall/net/tcp_server.hpp>
#include <squall/net/tls.hpp>
#include <squall/net/tls_error.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace squall::net {
namespace {

using namespace std::chrono_literals;

struct EchoServer final : TCPServer {
  using TCPServer::TCPServer;
  ~EchoServer() override { end_all(); }
  Task<> handle_stream(Stream stream, SocketAddress peer) override {
    EXPECT_EQ(peer.ip(), "127.0.0.1");
    ++served;
    for (;;) {
      char buffer[1024];
      const auto got = co_await stream.read_some(buffer);
      if (!got || *got == 0) co_return;
      const auto sent = co_await stream.write({buffer, *got});
      if (!sent) co_return;
    }
  }
  int served = 0;
};

class TCPServerTest : public ::testing::Test {
 protected:
  TCPServerTest() {
    log::set_sink(
        [](void* out, log::Level level, std::string_view, std::string_view message) {
          if (level >= log::Level::info) static_cast<std::string*>(out)->append(message) += '\n';
        },
        &lines);
  }
  ~TCPServerTest() override {
    log::set_sink(nullptr, nullptr);
    loop::run_until([] { return loop::LoopCore::current().open_streams() == 0; });
  }
  static std::string run(Task<std::string> task) {
    BackgroundTask one;
    one.start(std::move(task));
    return one.finish();
  }
  static Task<std::string> echo(std::uint16_t port, std::string text, ConnectOptions options = {}) {
    TCPClient client;
    auto stream = co_await client.try_connect("127.0.0.1", port, options);
    if (!stream) co_return stream.error().message();
    stream->write(text);
    stream->shutdown_write();
    const auto all = co_await stream->read_until_close();
    co_return all ? *all : all.error().message();
  }
  std::string lines;
};

TEST_F(TCPServerTest, ServesEachConnectionWithACoroutineOfItsOwn) {
  EchoServer server;
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  BackgroundTask tasks[5];
  for (BackgroundTask& task : tasks) task.start(echo(port, "hello"));
  for (BackgroundTask& task : tasks) EXPECT_EQ(task.finish(), "hello");
  EXPECT_EQ(server.served, 5);
  loop::run_until([&] { return server.connections() == 0; });
}

TEST_F(TCPServerTest, TakesAFunctionAndSeveralSockets) {
  TCPServer server([](Stream stream, SocketAddress) -> Task<> {
    stream.write("function");
    co_return;
  });
  const std::uint16_t first = server.listen(0, {.address = "127.0.0.1"});
  auto sockets = bind_sockets(0, "127.0.0.1");
  const std::uint16_t second = local_port(sockets.front().get());
  server.add_sockets(std::move(sockets));
  EXPECT_EQ(run(echo(first, "")), "function");
  EXPECT_EQ(run(echo(second, "")), "function");
}

TEST_F(TCPServerTest, StopLeavesHandlersRunningAndMayBeCalledAgain) {
  EchoServer server;
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  const auto talk = [](EchoServer& one, std::uint16_t to) -> Task<std::string> {
    TCPClient client;
    Stream stream = co_await client.connect("127.0.0.1", to);
    stream.write("a");
    const auto before = co_await stream.read_exactly(1);
    one.stop();
    one.stop();
    stream.write("b");
    const auto after = co_await stream.read_exactly(1);
    co_return *before + *after;
  };
  EXPECT_EQ(run(talk(server, port)), "ab");
  EXPECT_EQ(run(echo(port, "x")), std::make_error_code(std::errc::connection_refused).message());
  const std::uint16_t again = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(echo(again, "again")), "again");
}

TEST_F(TCPServerTest, AHandlerMayStopItsServer) {
  TCPServer* self = nullptr;
  TCPServer server([&self](Stream stream, SocketAddress) {
    self->stop();
    stream.write("last");
    return Task<>();
  });
  self = &server;
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(echo(port, "")), "last");
  EXPECT_EQ(run(echo(port, "x")), std::make_error_code(std::errc::connection_refused).message());
}

TEST_F(TCPServerTest, WhatAHandlerThrowsIsOneLineAndDisconnectionsAreNone) {
  int turn = 0;
  TCPServer server([&turn](Stream, SocketAddress) -> Task<> {  // coroutine-ok: it outlives them
    switch (turn++) {
      case 0:
        throw std::runtime_error("broken handler");
      case 1:
        throw std::system_error(std::make_error_code(std::errc::connection_reset));
      default:
        throw 7;
    }
    co_return;
  });
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(echo(port, "")), "");
  EXPECT_NE(lines.find("broken handler"), std::string::npos) << lines;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;
}

TEST_F(TCPServerTest, WithoutAHandlerItSaysSo) {
  TCPServer server;
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(echo(port, "")), "");
  EXPECT_NE(lines.find("handle_stream"), std::string::npos) << lines;
}

TEST_F(TCPServerTest, ConnectionsPastTheLimitWait) {
  EchoServer server;
  server.set_max_connections(2);
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  const auto hold = [](std::uint16_t to) -> Task<std::string> {
    TCPClient client;
    Stream stream = co_await client.connect("127.0.0.1", to);
    stream.write("x");
    const auto got = co_await stream.read_exactly(1);
    const auto end = co_await stream.read_until_close();
    co_return *got + *end;
  };
  BackgroundTask held[2];
  for (BackgroundTask& task : held) task.start(hold(port));
  loop::run_until([&] { return server.connections() == 2; });
  BackgroundTask third;
  third.start(echo(port, "third"));
  loop::run_until([turns = 0]() mutable { return ++turns > 10; });
  EXPECT_FALSE(third.is_done());
  EXPECT_EQ(server.served, 2);
  held[0].cancel();
  EXPECT_EQ(third.finish(), "third");
  held[1].cancel();
}

TEST_F(TCPServerTest, DrainWaitsThenAsksTheRestToStop) {
  EchoServer server;
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  const auto talk = [](EchoServer& one, std::uint16_t to) -> Task<std::string> {
    TCPClient client;
    Stream stream = co_await client.connect("127.0.0.1", to);
    stream.write("x");
    const auto got = co_await stream.read_exactly(1);
    co_await one.drain(10ms);
    EXPECT_EQ(one.connections(), 0U);
    const auto end = co_await stream.read_until_close();
    co_return *got + *end;
  };
  EXPECT_EQ(run(talk(server, port)), "x");
  const auto idle = [](EchoServer& one) -> Task<std::string> {
    co_await one.drain(1h);
    co_return "at once";
  };
  EXPECT_EQ(run(idle(server)), "at once");
  EXPECT_EQ(run(echo(server.listen(0, {.address = "127.0.0.1"}), "anew")), "anew");
}

TEST_F(TCPServerTest, DestroyingItEndsItsHandlers) {
  BackgroundTask task;
  {
    EchoServer server;
    const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
    const auto hold = [](std::uint16_t to) -> Task<std::string> {
      TCPClient client;
      Stream stream = co_await client.connect("127.0.0.1", to);
      const auto all = co_await stream.read_until_close();
      co_return all ? "closed" : all.error().message();
    };
    task.start(hold(port));
    loop::run_until([&] { return server.connections() == 1; });
  }
  EXPECT_EQ(task.finish(), "closed");
}

class TCPServerTLS : public TCPServerTest {
 protected:
  TCPServerTLS()
      : files(authority.issue({.names = "DNS:example.com,IP:127.0.0.1"})),
        server_context(TLSContext::server(
            {.certificate_file = files.certificate, .key_file = files.key, .alpn = "echo"})),
        client_context(TLSContext::client({.ca_file = authority.file, .alpn = "echo"})) {}
  static Task<> serve_upgrade(Stream stream, TLSContext context) {
    const auto command = co_await stream.read_line();
    EXPECT_EQ(*command, "STARTTLS");
    stream.write("ready\n");
    const auto begun = co_await stream.start_tls(context);
    begun.value();  // a line in the log
    stream.write("encrypted for " + stream.tls_info().server_name + "\n");
  }
  TestAuthority authority;
  TestAuthority::Files files;
  TLSContext server_context;
  TLSContext client_context;
};

TEST_F(TCPServerTLS, SpeaksTLSFromTheFirstByte) {
  EchoServer server(server_context);
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(echo(port, "secret", {.tls = &client_context})), "secret");
  const std::string big(2'000'000, 's');
  EXPECT_EQ(run(echo(port, big, {.tls = &client_context})), big);
  EXPECT_EQ(run(echo(port, "x", {.tls = &client_context, .server_name = "example.com"})), "x");
}

TEST_F(TCPServerTLS, AClientChecksWhomItReached) {
  EchoServer server(server_context);
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(echo(port, "x", {.tls = &client_context, .server_name = "other.example"})),
            make_error_code(TLSError::hostname_mismatch).message());
  const TLSContext stranger = TLSContext::client({});
  EXPECT_EQ(run(echo(port, "x", {.tls = &stranger})),
            make_error_code(TLSError::certificate_untrusted).message());
  loop::run_until([&] { return server.connections() == 0; });
  EXPECT_EQ(server.served, 0) << "the handler ran before the handshake was done";
}

TEST_F(TCPServerTLS, HandshakesThatFailAreQuiet) {
  EchoServer server(server_context);
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  run(echo(port, ""));                        // a port scanner
  run(echo(port, "GET / HTTP/1.1\r\n\r\n"));  // who took it for something else
  loop::run_until([&] { return server.connections() == 0; });
  EXPECT_EQ(server.served, 0);
  EXPECT_EQ(lines, "");
}

TEST_F(TCPServerTLS, AStreamMayBeginItInTheMiddle) {
  const auto upgrade = [this](Stream stream, SocketAddress) {
    return serve_upgrade(std::move(stream), server_context);
  };
  TCPServer server(upgrade);
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  const auto talk = [](std::uint16_t to, TLSContext context) -> Task<std::string> {
    TCPClient client;
    Stream stream = co_await client.connect("127.0.0.1", to);
    EXPECT_FALSE(stream.is_tls());
    stream.write("STARTTLS\n");
    const auto ready = co_await stream.read_line();
    EXPECT_EQ(*ready, "ready");
    const auto begun = co_await stream.start_tls(context, {.server_name = "example.com"});
    if (!begun) co_return begun.error().message();
    EXPECT_TRUE(stream.is_tls());
    EXPECT_EQ(stream.tls_info().alpn, "echo");
    bool refused = false;
    try {
      static_cast<void>(co_await stream.start_tls(context, {.server_name = "example.com"}));
    } catch (const UsageError&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    const auto line = co_await stream.read_line();
    co_return *line;
  };
  EXPECT_EQ(run(talk(port, client_context)), "encrypted for example.com");
}

TEST_F(TCPServerTLS, WhatCameBeforeItIsRefused) {
  const auto upgrade = [this](Stream stream, SocketAddress) {
    return serve_upgrade(std::move(stream), server_context);
  };
  TCPServer server(upgrade);
  const std::uint16_t port = server.listen(0, {.address = "127.0.0.1"});
  EXPECT_EQ(run(echo(port, "STARTTLS\ninjected command\n")), "ready\n");
  EXPECT_NE(lines.find(make_error_code(StreamError::input_before_tls).message()), std::string::npos)
      << lines;
}

}  // namespace
}  // namespace squall::net
