// SPDX-License-Identifier: Apache-2.0
// Cancels the examples' conversations at every turn of the loop that they take, from either side,
// by a stop request and by destruction. Nothing may hang, and nothing be left behind; with ASan, no
// memory.
#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"

#include <squall/coro/detail/task_runner.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/tcp_client.hpp>
#include <squall/net/tcp_server.hpp>
#include <squall/options.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#define main unused_main  // NOLINT: each example has one
namespace echo_example {
#include "../../examples/echo_server.cpp"  // NOLINT
}
namespace chat_example {
#include "../../examples/line_chat.cpp"  // NOLINT
}
namespace socks_example {
#include "../../examples/socks5_proxy.cpp"  // NOLINT
}
#undef main

namespace squall {
namespace {

using loop::LoopCore;
using loop::run_until;

enum class Blow { stop_handlers, destroy_server, stop_client, destroy_client };

/// One client's conversation with a server; how far it came does not matter.
using Conversation = Task<> (*)(std::uint16_t port);

/// A task that may be asked to stop or be destroyed where it waits.
struct Client {
  void start(Task<> task) {
    runner.start(
        std::move(task), stop.state(),
        [](void* self, std::exception_ptr) { static_cast<Client*>(self)->ended = true; }, this);
  }
  StopSource stop;
  bool ended = false;
  detail::TaskRunner runner;
};

/// Strikes in the given turn; gives whether the conversation still went on then.
template <class MakeServer>
bool converse(MakeServer make_server, Conversation conversation, Blow blow, int strike_at) {
  auto server = make_server();
  const std::uint16_t port = server->listen(0, {.address = "127.0.0.1"});
  auto client = std::make_unique<Client>();
  bool struck = false;
  const auto strike = [&] {
    struck = true;
    switch (blow) {
      case Blow::stop_handlers:
        server->close_all();
        break;
      case Blow::destroy_server:
        server.reset();
        break;
      case Blow::stop_client:
        client->stop.request_stop();
        break;
      case Blow::destroy_client:
        client.reset();
        break;
    }
  };
  const auto is_over = [&] {
    return (!client || client->ended) && (!server || server->connections() == 0);
  };
  int turn = 0;
  std::function<void()> tick = [&] {
    if (struck || (turn > 0 && is_over())) return;
    if (turn++ == strike_at) {
      strike();
    } else {
      IOLoop::current().post([&] { tick(); });
    }
  };
  tick();
  if (client) client->start(conversation(port));
  run_until(is_over);
  const bool went_on = struck;
  server.reset();
  client.reset();
  run_until([] { return LoopCore::current().open_streams() == 0; });
  return went_on;
}

template <class MakeServer>
void cancel_everywhere(MakeServer make_server, Conversation conversation, int turns_at_least) {
  for (const Blow blow :
       {Blow::stop_handlers, Blow::destroy_server, Blow::stop_client, Blow::destroy_client}) {
    int turn = 0;
    while (converse(make_server, conversation, blow, turn)) {
      SCOPED_TRACE(turn);
      if (::testing::Test::HasFailure() || ++turn > 2000) break;
    }
    EXPECT_GE(turn, turns_at_least) << "the conversation was shorter than that";
  }
}

Task<> talk_to_echo(std::uint16_t port) {
  net::TCPClient client;
  auto stream = co_await client.try_connect("127.0.0.1", port);
  if (!stream) co_return;
  for (int i = 0; i < 3; ++i) {
    const auto sent = co_await stream->write("hello");
    if (!sent) co_return;
    auto back = co_await stream->read_exactly(5);
    if (!back) co_return;
  }
  stream->shutdown_write();
  auto rest = co_await stream->read_until_close();
  static_cast<void>(rest);
}

TEST(CancelEverywhere, EchoServer) {
  cancel_everywhere([] { return std::make_unique<echo_example::EchoServer>(); }, &talk_to_echo, 5);
}

Task<> chat_alone(std::uint16_t port, std::string name, bool last) {
  net::TCPClient client;
  auto stream = co_await client.try_connect("127.0.0.1", port);
  if (!stream) co_return;
  auto question = co_await stream->read_line();
  stream->write(name + "\n");
  auto welcome = co_await stream->read_line();
  stream->write("I am here\n");
  if (last) co_return;
  auto heard = co_await stream->read_until("I am here\n");
  static_cast<void>(heard);
}

Task<> chat_in_company(std::uint16_t port) {
  TaskGroup group;
  group.spawn(chat_alone(port, "ann", false));
  group.spawn(chat_alone(port, "bob", true));
  co_await group.join();
}

TEST(CancelEverywhere, LineChat) {
  cancel_everywhere([] { return std::make_unique<chat_example::ChatServer>(); }, &chat_in_company,
                    4);
}

// The proxy leads to an echo server of its own.
std::uint16_t echo_port = 0;

Task<> talk_through_proxy(std::uint16_t port) {
  net::TCPClient client;
  auto stream = co_await client.try_connect("127.0.0.1", port);
  if (!stream) co_return;
  stream->write({"\5\1\0", 3});
  auto method = co_await stream->read_exactly(2);
  if (!method) co_return;
  std::string request("\5\1\0\1\x7f\0\0\1", 8);
  request += static_cast<char>(echo_port >> 8);
  request += static_cast<char>(echo_port & 0xff);
  stream->write(request);
  auto reply = co_await stream->read_exactly(10);
  if (!reply || (*reply)[1] != 0) co_return;
  stream->write("through");
  auto back = co_await stream->read_exactly(7);
  if (!back) co_return;
  EXPECT_EQ(*back, "through");
  stream->shutdown_write();
  auto rest = co_await stream->read_until_close();
  static_cast<void>(rest);
}

TEST(CancelEverywhere, Socks5Proxy) {
  echo_example::EchoServer echo;
  echo_port = echo.listen(0, {.address = "127.0.0.1"});
  cancel_everywhere([] { return std::make_unique<net::TCPServer>(&socks_example::serve); },
                    &talk_through_proxy, 6);
}

}  // namespace
}  // namespace squall
