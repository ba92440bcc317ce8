// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace squall::websocket {

/// A message that was received, or a piece of one: its bytes, and of what kind they are.
class Message : public std::string {
 public:
  Message() noexcept = default;
  explicit Message(std::string bytes, bool binary = false, bool last = true) noexcept
      : std::string(std::move(bytes)), binary_(binary), last_(last) {}

  /// False for text, which is UTF-8 (a piece of it may be cut inside a character).
  [[nodiscard]] bool is_binary() const noexcept { return binary_; }
  /// Whether this is the end of its message; always of one that is whole.
  [[nodiscard]] bool is_last() const noexcept { return last_; }

 private:
  bool binary_ = false;
  bool last_ = true;
};

/// A message, or none because no more will come. Used as a std::optional<Message>, which would be
/// dear to compile in every program.
class OptionalMessage {
 public:
  OptionalMessage() noexcept = default;
  OptionalMessage(Message message) noexcept : message_(std::move(message)), is_there_(true) {}

  [[nodiscard]] bool has_value() const noexcept { return is_there_; }
  explicit operator bool() const noexcept { return is_there_; }
  [[nodiscard]] Message& operator*() & noexcept { return message_; }
  [[nodiscard]] const Message& operator*() const& noexcept { return message_; }
  [[nodiscard]] Message&& operator*() && noexcept { return std::move(message_); }
  [[nodiscard]] Message* operator->() noexcept { return &message_; }
  [[nodiscard]] const Message* operator->() const noexcept { return &message_; }

 private:
  Message message_;
  bool is_there_ = false;
};

}  // namespace squall::websocket
