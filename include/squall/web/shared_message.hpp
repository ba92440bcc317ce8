// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>

namespace squall::transport {
class SharedFrame;
}

namespace squall::web {

/// A message for many WebSockets: copied, framed, and compressed where that was agreed on, once;
/// WebSocketHandler::write_message() then only refers to it. Copies share it; it may be used on
/// several loops at a time.
///
///     const web::SharedMessage message(text);
///     for (auto* connection : connections) connection->write_message(message);
class SharedMessage {
 public:
  explicit SharedMessage(std::string_view message, bool binary = false);
  SharedMessage(const SharedMessage& other) noexcept;
  SharedMessage(SharedMessage&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  SharedMessage& operator=(SharedMessage other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~SharedMessage();

  [[nodiscard]] std::string_view data() const noexcept;
  [[nodiscard]] bool is_binary() const noexcept;

  /// For the library.
  [[nodiscard]] transport::SharedFrame& frame() const noexcept { return *frame_; }

 private:
  transport::SharedFrame* frame_;
};

}  // namespace squall::web
