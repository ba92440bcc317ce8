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

bool WebSocketOwner::remember(const WebSocketConnection::Deflating& deflating,
                              std::uint8_t& place) {
  std::size_t at = 0;
  while (at < deflating_.size() && !(deflating_[at] == deflating)) ++at;
  if (at > UINT8_MAX) return false;
  if (at == deflating_.size()) deflating_.push_back(deflating);
  place = static_cast<std::uint8_t>(at);
  return true;
}

}  // namespace squall::transport
