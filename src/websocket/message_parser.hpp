// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>

#include "websocket/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
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
    close,      ///< the peer's close frame; `code` is no_status when it had none
    failed,     ///< fail the connection with `code` (RFC 6455 §7.1.7); no more input is taken
  };
  struct Event {
    Kind kind = Kind::need_more;
    CloseCode code = CloseCode::none;
    std::string_view payload;  ///< valid until the next call of next(); the reason when `close`
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
  // The implementer fills this in; sizeof(MessageParser) stays at most 64 bytes.
};

}  // namespace squall::websocket
