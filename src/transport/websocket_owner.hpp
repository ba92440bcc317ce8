// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/websocket_connection.hpp"
#include "transport/websocket_options.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace squall::transport {

/// Who has started WebSocketConnections, and knows those that are not over: a server or a client.
/// It outlives them.
class WebSocketOwner {
 public:
  WebSocketOwner(loop::LoopCore& core, const WebSocketOptions& options) noexcept
      : core_(core), options_(options) {}
  WebSocketOwner(const WebSocketOwner&) = delete;
  WebSocketOwner& operator=(const WebSocketOwner&) = delete;

  [[nodiscard]] loop::LoopCore& core() const noexcept { return core_; }
  [[nodiscard]] const WebSocketOptions& options() const noexcept { return options_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Calls `function` on each connection; it may end the one it gets.
  template <class F>
  void for_each(F function) {
    cursor_ = head_;
    while (cursor_ != nullptr) {
      WebSocketConnection& connection = *cursor_;
      cursor_ = connection.next_;
      function(connection);
    }
  }

 protected:
  ~WebSocketOwner() = default;

 private:
  friend class WebSocketConnection;

  /// `connection` is over: it is not among the others any more, and is deleted when this returns.
  virtual void on_end(WebSocketConnection& connection) noexcept = 0;

  void add(WebSocketConnection& connection) noexcept;
  void remove(WebSocketConnection& connection) noexcept;
  /// Gives what many connections have in common a place; false when there is none left.
  bool remember(const WebSocketConnection::Deflating& deflating, std::uint8_t& place);
  [[nodiscard]] const WebSocketConnection::Deflating& remembered(
      std::uint8_t place) const noexcept {
    return deflating_[place];
  }

  loop::LoopCore& core_;
  WebSocketOptions options_;
  WebSocketConnection* head_ = nullptr;
  WebSocketConnection* cursor_ = nullptr;
  std::size_t size_ = 0;
  std::vector<WebSocketConnection::Deflating> deflating_;
};

}  // namespace squall::transport
