// SPDX-License-Identifier: Apache-2.0
#include "transport/shared_frame.hpp"

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

void SharedFrame::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace squall::transport
