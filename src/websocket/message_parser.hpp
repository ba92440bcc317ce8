// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/frame.hpp"

#include <squall/base/limits.hpp>
#include <squall/websocket/close_code.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace squall::websocket {

/// Turns received bytes into messages and control frames (RFC 6455 §5), where they lie.
///
/// Pull it: call next() until it says need_more. An unfragmented message that is whole in the
/// input is unmasked in place and handed out as a view of the input; only unfinished messages
/// are collected in memory of the parser's own, which is given back when the message is done.
/// Control frames between the fragments of a message come out in their place. Text is checked
/// for UTF-8 as it arrives, across fragments (RFC 6455 §8.1).
class MessageParser {
 public:
  enum class Role : std::uint8_t { server, client };  ///< which end we are; decides who masks

  enum class Kind : std::uint8_t {
    need_more,  ///< the input is used up
    text,       ///< a whole text message
    binary,     ///< a whole binary message
    ping,       ///< answer with a pong of the same payload
    pong,
    close,   ///< the peer's close frame; `code` is no_status when it had none. All that comes
             ///< after it is taken and dropped (RFC 6455 §5.5.1)
    failed,  ///< fail the connection with `code` (RFC 6455 §7.1.7); no more input is taken
  };
  struct Event {
    Kind kind = Kind::need_more;
    CloseCode code = CloseCode::none;
    /// Valid until the next call of next(), and no longer than the input. The reason when `close`;
    /// a short text for the log when `failed`.
    std::string_view payload;
  };

  explicit MessageParser(Role role,
                         std::size_t max_message_bytes = limits::websocket_message_bytes) noexcept;
  ~MessageParser();
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  /// Takes bytes from the front of `input`, which it may unmask in place, and tells what they
  /// made. When it returns need_more, `input` is empty.
  Event next(std::span<char>& input);

 private:
  enum class State : std::uint8_t;  // open, closed, or why it failed
  struct Head;
  struct Partial;

  State read_head(std::string_view bytes, Head& head) const noexcept;
  State take_head(std::span<char>& input, Head& head) noexcept;
  Event take_whole_frame(const Head& head, std::span<char>& input);
  Event take_piece(std::span<char>& input);
  Event finish_control(Opcode opcode, std::string_view payload);
  Event finished(std::span<char>& input);
  Event fail(State why);
  [[nodiscard]] bool in_frame() const noexcept;
  [[nodiscard]] bool in_message() const noexcept;

  // What is needed only inside a message or a frame; none on an idle connection.
  std::unique_ptr<Partial> partial_;
  std::size_t max_message_bytes_;
  std::array<char, max_frame_head_bytes - 1> head_;  // an unfinished frame head
  std::uint8_t head_size_ = 0;
  Role role_;
  State state_;
};

}  // namespace squall::websocket
