// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/unique_fd.hpp>
#include <squall/net/address.hpp>
#include <squall/net/bind.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <sys/socket.h>

namespace squall::net {

/// A port of this host where a connection is never answered: its queue is full.
struct DeafPort {
  explicit DeafPort(const char* ip, std::uint16_t wanted = 0) {
    socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage native{};
    auto size =
        static_cast<socklen_t>(SocketAddress::parse(ip, wanted).to_native(&native, sizeof native));
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&native), size), 0);
    EXPECT_EQ(::listen(socket.get(), 0), 0);
    port = local_port(socket.get());
    static_cast<void>(SocketAddress::parse(ip, port).to_native(&native, sizeof native));
    for (UniqueFd& fd : crowd) {
      fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      static_cast<void>(::connect(fd.get(), reinterpret_cast<sockaddr*>(&native), size));
    }
  }
  UniqueFd socket;
  UniqueFd crowd[4];
  std::uint16_t port = 0;
};

}  // namespace squall::net
