// SPDX-License-Identifier: Apache-2.0
// A WebSocket for people with a terminal: a line that is typed is a message, and what comes is
// printed. Try it on the chat: `ws_client ws://localhost:8888/ws`.
#include <squall/client/websocket.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/stream.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace squall;
using namespace std::chrono_literals;

/// Sends each line of the standard input; its end is the conversation's.
Task<> send_lines(client::WebSocket* socket) {
  net::Stream input = net::Stream::adopt_pipe(0);
  while (socket->is_open()) {
    const auto line = co_await input.read_line();
    if (!line) break;
    socket->write_message(*line);
    co_await socket->drained();
  }
  socket->close();
}

Task<int> talk(std::string url) {
  try {
    client::WebSocket socket = co_await client::websocket_connect(
        url,
        {.compression = {.enabled = true}, .ping_interval = 20s, .proxy_from_environment = true});
    TaskGroup tasks;
    tasks.spawn(send_lines(&socket));
    for (;;) {
      const auto message = co_await socket.read();
      if (!message) break;
      std::printf("%s\n", message->c_str());
      std::fflush(stdout);
    }
    std::fprintf(stderr, "closed: %d %s\n", socket.close_code(),
                 std::string(socket.close_reason()).c_str());
    co_return socket.close_code() == 1000 ? 0 : 1;
  } catch (const client::WebSocketConnectError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return 1;
  }
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s ws://host:port/path\n", argv[0]);
    return 2;
  }
  return IOLoop::current().run_sync(talk(argv[1]));
}
