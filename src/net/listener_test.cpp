// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include <squall/base/log.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/bind.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <chrono>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace squall::net {
namespace {

using namespace std::chrono_literals;

struct Collector : Listener::Receiver {
  void on_connection(UniqueFd fd, const SocketAddress& peer) override {
    connections.push_back(std::move(fd));
    last_peer = peer;
    if (when_accepted) when_accepted();
  }
  std::vector<UniqueFd> connections;
  SocketAddress last_peer;
  std::function<void()> when_accepted;
};

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

TEST(Listener, HandsConnectionsOnWithTheirPeer) {
  auto sockets = bind_sockets(0, "127.0.0.1");
  const std::uint16_t port = local_port(sockets.front().get());
  Collector collector;
  Listener listener(loop::LoopCore::current(), std::move(sockets.front()), collector);
  const UniqueFd first = connect_to(port);
  const UniqueFd second = connect_to(port);
  collector.when_accepted = [&] {
    if (collector.connections.size() == 2) IOLoop::current().stop();
  };
  IOLoop::current().start();
  EXPECT_EQ(collector.last_peer.ip(), "127.0.0.1");
  EXPECT_EQ(collector.last_peer.port(), local_port(second.get()));
  EXPECT_NE(::fcntl(collector.connections.front().get(), F_GETFL) & O_NONBLOCK, 0);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SQUALL_TEST_UNDER_SANITIZER 1
#endif
#endif

TEST(Listener, WaitsWhenDescriptorsRunOutAndSaysSoOnce) {
#ifdef SQUALL_TEST_UNDER_SANITIZER
  GTEST_SKIP() << "UBSan itself needs descriptors to look at objects";
#endif
  std::string lines;
  log::set_sink(
      [](void* out, log::Level, std::string_view, std::string_view message) {
        static_cast<std::string*>(out)->append(message).push_back('\n');
      },
      &lines);
  auto sockets = bind_sockets(0, "127.0.0.1");
  const std::uint16_t port = local_port(sockets.front().get());
  Collector collector;
  Listener listener(loop::LoopCore::current(), std::move(sockets.front()), collector);
  IOLoop& loop = IOLoop::current();
  const UniqueFd waiting = connect_to(port);

  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const UniqueFd highest(::dup(0));
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(highest.get()) + 1;
  ::setrlimit(RLIMIT_NOFILE, &tight);
  int failures_seen = 0;
  std::function<void()> look = [&] {
    // Long enough for several attempts, so that a line for each would show.
    if (lines.find("cannot accept") != std::string::npos && ++failures_seen > 30) {
      loop.stop();
    } else {
      loop.call_later(10ms, [&] { look(); });
    }
  };
  loop.post([&] { look(); });
  loop.start();
  EXPECT_TRUE(collector.connections.empty());

  ::setrlimit(RLIMIT_NOFILE, &before);
  collector.when_accepted = [&] { loop.stop(); };
  loop.start();
  log::set_sink(nullptr, nullptr);
  EXPECT_EQ(collector.connections.size(), 1U);
  EXPECT_EQ(lines.find("cannot accept"), lines.rfind("cannot accept")) << lines;
  EXPECT_NE(lines.find("accepting connections again"), std::string::npos) << lines;
}

}  // namespace
}  // namespace squall::net
