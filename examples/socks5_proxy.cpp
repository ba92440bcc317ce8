// SPDX-License-Identifier: Apache-2.0
// A SOCKS5 proxy (RFC 1928): CONNECT without authentication. Try
// `curl --socks5-hostname localhost:1080 http://example.com/`.
#include <squall/coro/task_group.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/tcp_client.hpp>
#include <squall/net/tcp_server.hpp>
#include <squall/options.hpp>

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

using namespace squall;
using namespace std::chrono_literals;

enum Reply : char { granted, failed, unreachable = 4, refused, no_command = 7, no_type };

unsigned at(const std::string& bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

/// Passes on what one side sends, and then its end. A failure ends the other direction too.
Task<> relay(net::Stream* from, net::Stream* to) {
  char buffer[16 * 1024];
  for (;;) {
    const auto got = co_await from->read_some(buffer);
    if (!got) throw std::system_error(got.error());
    if (*got == 0) break;
    const auto sent = co_await to->write({buffer, *got});
    sent.value();
  }
  to->shutdown_write();
}

/// The host that stands in a request (RFC 1928 §5); "" for an unknown type of address.
Task<std::string> read_host(net::Stream* client, unsigned type) {
  char text[INET6_ADDRSTRLEN] = "";
  if (type == 3) {
    auto length = co_await client->read_exactly(1);
    auto name = co_await client->read_exactly(at(length.value(), 0));
    co_return name.value();
  }
  if (type != 1 && type != 4) co_return text;
  const std::size_t length = type == 1 ? 4 : 16;
  auto bytes = co_await client->read_exactly(length);
  inet_ntop(type == 1 ? AF_INET : AF_INET6, bytes.value().data(), text, sizeof text);
  co_return text;
}

void answer(net::Stream& client, Reply reply) {
  client.write(std::string{5, static_cast<char>(reply), 0, 1, 0, 0, 0, 0, 0, 0});
}

// What .value() throws when the client leaves or is too slow ends the connection; the server logs
// what is worth a line.
Task<> serve(net::Stream client, net::SocketAddress) {
  client.set_read_timeout(10s);
  auto hello = co_await client.read_exactly(2);
  if (at(hello.value(), 0) != 5) co_return;
  auto methods = co_await client.read_exactly(at(*hello, 1));
  const bool anonymous = methods.value().find('\0') != std::string::npos;
  client.write({anonymous ? "\5\0" : "\5\xff", 2});
  if (!anonymous) co_return;

  auto request = co_await client.read_exactly(4);
  const unsigned command = at(request.value(), 1);
  const std::string host = co_await read_host(&client, at(*request, 3));
  if (host.empty()) co_return answer(client, no_type);
  auto port = co_await client.read_exactly(2);
  if (command != 1) co_return answer(client, no_command);

  net::TCPClient connector;
  const auto number = static_cast<std::uint16_t>(at(port.value(), 0) << 8 | at(*port, 1));
  auto server = co_await connector.try_connect(host, number, {.timeout = 10s});
  const bool is_refused = server.error() == std::errc::connection_refused;
  if (!server) co_return answer(client, is_refused ? refused : unreachable);
  answer(client, granted);
  client.set_read_timeout({});
  client.set_idle_timeout(5min);
  server->set_idle_timeout(5min);
  TaskGroup both;
  both.spawn(relay(&client, &*server));
  both.spawn(relay(&*server, &client));
  co_await both.join();
}

int main(int argc, char** argv) {
  OptionParser parser({.description = "A SOCKS5 proxy."});
  const auto port = parser.argument<std::uint16_t>("port", 1080, "listen on this port");
  parser.parse_command_line_or_exit(argc, argv);
  net::TCPServer server(&serve);
  std::printf("listening on %d\n", server.listen(*port, {.address = "localhost"}));
  std::fflush(stdout);
  IOLoop& loop = IOLoop::current();
  loop.add_signal_handler(SIGTERM, [&loop] { loop.stop(); });
  loop.start();
}
