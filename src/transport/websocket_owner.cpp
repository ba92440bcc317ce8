// SPDX-License-Identifier: Apache-2.0
#include "transport/websocket_owner.hpp"

namespace squall::transport {

void WebSocketOwner::add(WebSocketConnection& connection) noexcept {
  connection.next_ = head_;
  if (head_ != nullptr) head_->previous_ = &connection;
  head_ = &connection;
  ++size_;
}

void WebSocketOwner::remove(WebSocketConnection& connection) noexcept {
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  (connection.previous_ != nullptr ? connection.previous_->next_ : head_) = connection.next_;
  if (cursor_ == &connection) cursor_ = connection.next_;
  --size_;
}

}  // namespace squall::transport
