// SPDX-License-Identifier: Apache-2.0
#include "transport/shared_frame.hpp"

#include <squall/web/shared_message.hpp>

namespace squall::web {

using websocket::Opcode;

SharedMessage::SharedMessage(std::string_view message, bool binary)
    : frame_(&transport::SharedFrame::create(binary ? Opcode::binary : Opcode::text, message)) {}

SharedMessage::SharedMessage(const SharedMessage& other) noexcept : frame_(other.frame_) {
  if (frame_ != nullptr) frame_->add_reference();
}

SharedMessage::~SharedMessage() {
  if (frame_ != nullptr) frame_->release();
}

std::string_view SharedMessage::data() const noexcept { return frame_->payload(); }
bool SharedMessage::is_binary() const noexcept { return frame_->opcode() == Opcode::binary; }

}  // namespace squall::web
