// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/client/detail/websocket_awaiters.hpp>
#include <squall/websocket/message.hpp>

#include <cstddef>
#include <deque>
#include <string_view>

namespace squall::client::detail {

/// What has come over a WebSocket and was not read yet: messages, and pieces of messages, in order.
///
/// Unlike web's MessageReader, which leaves them in the connection, it holds them itself: a client
/// may read what came long after the connection has ended.
class UnreadMessages {
 public:
  UnreadMessages() = default;
  UnreadMessages(const UnreadMessages&) = delete;
  UnreadMessages& operator=(const UnreadMessages&) = delete;

  void add(std::string_view bytes, bool binary, bool last);
  /// Whether the next message is there to its end, or the next piece.
  [[nodiscard]] bool has(Wanted what) const noexcept {
    return what == Wanted::piece ? !is_empty() : ends_ > 0;
  }
  /// Takes the next one, which is there. A message of several pieces is put together.
  [[nodiscard]] websocket::Message take(Wanted what);

  [[nodiscard]] bool is_empty() const noexcept { return pieces_.empty(); }
  /// What they cost, each with some bytes besides its own.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  websocket::Message take_piece();

  std::deque<websocket::Message> pieces_;
  std::size_t bytes_ = 0;
  std::size_t ends_ = 0;  // last pieces among them
};

}  // namespace squall::client::detail
