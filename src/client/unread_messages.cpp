// SPDX-License-Identifier: Apache-2.0
#include "client/unread_messages.hpp"

#include <string>
#include <utility>

namespace squall::client::detail {

using websocket::Message;

namespace {
constexpr std::size_t overhead_bytes = sizeof(Message);
}  // namespace

void UnreadMessages::add(std::string_view bytes, bool binary, bool last) {
  pieces_.emplace_back(std::string(bytes), binary, last);
  bytes_ += bytes.size() + overhead_bytes;
  if (last) ++ends_;
}

Message UnreadMessages::take_piece() {
  Message piece = std::move(pieces_.front());
  pieces_.pop_front();
  bytes_ -= piece.size() + overhead_bytes;
  if (piece.is_last()) --ends_;
  return piece;
}

Message UnreadMessages::take(Wanted what) {
  Message first = take_piece();
  if (what == Wanted::piece || first.is_last()) return first;
  const bool binary = first.is_binary();
  std::string whole = std::move(first);
  for (;;) {
    const Message piece = take_piece();
    whole.append(piece);
    if (piece.is_last()) break;
  }
  return Message(std::move(whole), binary);
}

}  // namespace squall::client::detail
