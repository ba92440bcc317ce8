// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/stream.hpp"
#include "server/connection_list.hpp"

#include <squall/loop/unique_fd.hpp>
#include <squall/net/address.hpp>

#include <string>
#include <string_view>
#include <system_error>

namespace squall::server {

struct ServerPort;

/// A new connection of a port with the PROXY protocol: owns the stream until the header is whole,
/// then an HTTP1Connection does, with the client's address and the bytes that came behind.
class ProxyHeaderReader final : public Connection, private loop::StreamHandler {
 public:
  static void start(ServerPort& port, UniqueFd fd, const net::SocketAddress& proxy, Place place);

  void drain() override;
  void abort_now() noexcept override;

 private:
  ProxyHeaderReader(ServerPort& port, const net::SocketAddress& proxy) noexcept
      : port_(port), proxy_(proxy) {}
  ~ProxyHeaderReader() override = default;

  void on_receive(std::span<char> bytes) override;
  void on_eof() override;
  void on_timeout() override;
  void on_broken(std::error_code error) override;

  void hand_over(const net::SocketAddress& client, std::span<char> rest);
  void refuse(std::string_view why) noexcept;
  void destroy() noexcept;

  ServerPort& port_;
  loop::Stream* stream_ = nullptr;
  net::SocketAddress proxy_;
  std::string begun_;  // of a header that comes in pieces
};

}  // namespace squall::server
