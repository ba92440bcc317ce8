// SPDX-License-Identifier: Apache-2.0
// Sends back what it gets, on any number of connections. Try `nc localhost 8888`.
#include <squall/loop/ioloop.hpp>
#include <squall/net/tcp_server.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>

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
  const int port = argc > 1 ? std::atoi(argv[1]) : 8888;
  EchoServer server;
  std::printf("listening on %d\n",
              server.listen(static_cast<std::uint16_t>(port), {.address = "localhost"}));
  std::fflush(stdout);
  IOLoop& loop = IOLoop::current();
  loop.add_signal_handler(SIGTERM, [&loop] { loop.stop(); });
  loop.start();
}
