// SPDX-License-Identifier: Apache-2.0
// Sends back what it gets, on any number of connections. Try `nc localhost 8888`.
#include <squall/loop/ioloop.hpp>
#include <squall/net/tcp_server.hpp>
#include <squall/options.hpp>

#include <csignal>
#include <cstdio>

using namespace squall;

struct EchoServer : net::TCPServer {
  Task<> handle_stream(net::Stream stream, net::SocketAddress) override {
    char buffer[4096];
    for (;;) {
      const auto got = co_await stream.read_some(buffer);
      if (!got || *got == 0) co_return;  // the connection broke, or the client has finished
      const auto sent = co_await stream.write({buffer, *got});  // waits for slow readers
      if (!sent) co_return;
    }
  }
};

int main(int argc, char** argv) {
  OptionParser parser({.description = "Sends back what it gets."});
  const auto port = parser.argument<std::uint16_t>("port", 8888, "listen on this port");
  parser.parse_command_line_or_exit(argc, argv);
  EchoServer server;
  std::printf("listening on %d\n", server.listen(*port, {.address = "localhost"}));
  std::fflush(stdout);
  IOLoop& loop = IOLoop::current();
  loop.add_signal_handler(SIGTERM, [&loop] { loop.stop(); });
  loop.start();
}
