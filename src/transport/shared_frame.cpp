// SPDX-License-Identifier: Apache-2.0
#include "transport/shared_frame.hpp"

#include <string>

namespace squall::transport {

SharedBytes make_frame(websocket::Opcode opcode, std::string_view payload, bool compressed) {
  char head[websocket::max_frame_head_bytes];
  const std::size_t size = websocket::encode_frame_head(head, opcode, true, payload.size());
  if (compressed) head[0] = static_cast<char>(head[0] | 0x40);  // RSV1 (RFC 7692 §6)
  return SharedBytes({head, size}, payload);
}

SharedFrame::SharedFrame(websocket::Opcode opcode, std::string_view payload)
    : opcode_(opcode), plain_(make_frame(opcode, payload)) {
  head_bytes_ = static_cast<std::uint8_t>(plain_.size() - payload.size());
}

SharedFrame& SharedFrame::create(websocket::Opcode opcode, std::string_view payload) {
  return *new SharedFrame(opcode, payload);
}

const SharedBytes& SharedFrame::compressed(const websocket::DeflateSettings& settings) {
  const std::lock_guard lock(mutex_);
  for (const auto& [made_with, frame] : compressed_) {
    if (made_with == settings) return frame;
  }
  std::string bytes;
  const bool shorter = websocket::deflate_message(settings, payload(), bytes);
  compressed_.emplace_front(settings, shorter ? make_frame(opcode_, bytes, true) : plain_);
  return compressed_.front().second;
}

void SharedFrame::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace squall::transport
