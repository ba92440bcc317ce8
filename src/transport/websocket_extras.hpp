// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/outbox.hpp"
#include "transport/websocket_connection.hpp"
#include "websocket/deflate.hpp"

#include <squall/coro/detail/scheduler.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace squall::transport {

/// What a WebSocketConnection has only while it is busy, behind, ending, or treated unlike others.
struct WebSocketConnection::Extras final : squall::detail::ReadyNode, squall::detail::Pooled {
  struct Waiting {
    bool binary;
    bool last;
    bool piece;
    std::string payload;
    [[nodiscard]] std::size_t cost() const noexcept { return payload.size() + sizeof(Waiting); }
  };
  struct Policy {
    SlowConsumer what;
    std::size_t max_bytes;
  };

  explicit Extras(WebSocketConnection& of) noexcept
      : ReadyNode(
            [](ReadyNode& node) noexcept { static_cast<Extras&>(node).connection.report_end(); }),
        connection(of) {}

  WebSocketConnection& connection;
  std::unique_ptr<std::deque<Waiting>> backlog;  // that came while the delegate was busy
  std::size_t backlog_bytes = 0;
  std::unique_ptr<Outbox> outbox;
  std::optional<websocket::Deflater> deflater;
  std::optional<Deflating> deflating;  // where the owner has no place for it
  std::optional<Policy> policy;
  std::optional<std::string> pong;  // that is still to be sent
  std::string reason;
  std::size_t lost = 0;  // messages
};

}  // namespace squall::transport
