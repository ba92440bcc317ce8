// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/deflate_negotiation.hpp"
#include "websocket/frame.hpp"

#include <squall/base/limits.hpp>
#include <squall/websocket/close_code.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace squall::websocket {

/// Turns received bytes into messages and control frames (RFC 6455 §5), where they lie.
///
/// Pull it: call next() until it says need_more. An unfragmented message that is whole in the
/// input is unmasked in place and handed out as a view of the input; only unfinished and compressed
/// messages are collected in memory of the parser's own, which is given back when the message is
/// done. Control frames between the fragments of a message come out in their place. Text is checked
/// for UTF-8 as it arrives, across fragments (RFC 6455 §8.1).
class MessageParser {
 public:
  using Role = websocket::Role;

  enum class Kind : std::uint8_t {
    need_more,  ///< the input is used up
    text,       ///< a text message, whole or, while streaming, the next piece of one
    binary,     ///< the same of a binary message
    ping,       ///< answer with a pong of the same payload
    pong,
    close,   ///< the peer's close frame; `code` is no_status when it had none. All that comes
             ///< after it is taken and dropped (RFC 6455 §5.5.1)
    failed,  ///< fail the connection with `code` (RFC 6455 §7.1.7); no more input is taken
  };
  struct Event {
    Kind kind = Kind::need_more;
    /// Of text and binary: this is the message's last piece. Always true unless streaming.
    bool fin = true;
    CloseCode code = CloseCode::none;
    /// Valid until the next call of next(), and no longer than the input. The reason when `close`;
    /// a short text for the log when `failed`.
    std::string_view payload{};
  };

  /// `max_message_bytes` limits one message: its payload, and what that becomes by inflation.
  /// SIZE_MAX: no limit; others are brought within 4 GiB.
  explicit MessageParser(Role role,
                         std::size_t max_message_bytes = limits::websocket_message_bytes) noexcept;
  ~MessageParser();
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  /// Takes compressed messages, as was agreed on; before the first byte.
  void set_deflate(DeflateParameters parameters) noexcept;

  /// Hands messages out in pieces as they arrive, from the next that begins on, or whole again.
  /// Pieces of text may be cut inside a character. A piece of a compressed message is at most
  /// 16 KiB, of another at most the input; all but a message's last have a byte or more.
  void set_streaming(bool streaming) noexcept { streaming_ = streaming; }

  /// Changes the limit, from the next frame on.
  void set_max_message_bytes(std::size_t size) noexcept;

  /// Takes bytes from the front of `input`, which it may unmask in place, and tells what they
  /// made. When it returns need_more, `input` is empty. What is left in `input` otherwise must
  /// come first at the next call.
  Event next(std::span<char>& input);

  /// Whether a message or a frame has begun and is not at its end.
  [[nodiscard]] bool is_inside_message() const noexcept;

 private:
  enum class State : std::uint8_t;  // open, closed, or why it failed
  struct Head;
  struct Partial;

  [[gnu::always_inline]] bool take_common(std::span<char>& input, Event& event);
  [[gnu::noinline]] Event next_of_any(std::span<char>& input);
  State read_head(std::string_view bytes, Head& head) const noexcept;
  State take_head(std::span<char>& input, Head& head);
  Event take_whole_frame(const Head& head, std::span<char>& input);
  Event take_piece(std::span<char>& input);
  Event take_control(std::span<char>& input);
  Event take_plain(std::span<char>& input);
  Event take_compressed(std::span<char>& input);
  std::span<char> take_payload(std::span<char>& input, std::size_t most) noexcept;
  void give_payload_back(std::span<char>& input, std::size_t size) noexcept;
  std::span<char> room_for(std::size_t compressed_bytes, std::uint64_t may_come);
  [[nodiscard]] bool is_piece_full() const noexcept;
  void keep_head(std::size_t kept, std::span<const char> more);
  Event finish_control(Opcode opcode, std::string_view payload);
  Event finished(std::span<char>& input);
  Event fail(State why);
  Partial& partial();
  void rest() noexcept;
  [[nodiscard]] bool in_frame() const noexcept;
  [[nodiscard]] bool in_message() const noexcept;
  [[nodiscard]] std::uint64_t most_message_bytes() const noexcept;
  [[nodiscard]] std::uint64_t most_wire_bytes(bool compressed) const noexcept;

  // What is needed only inside a message or a frame, and the state of decompression where there is
  // context takeover; none on an idle connection otherwise.
  std::unique_ptr<Partial> partial_;
  std::uint32_t max_message_bytes_;  // UINT32_MAX: no limit
  State state_;
  Role role_ : 1;
  bool streaming_ : 1 = false;
  bool deflate_ : 1 = false;           // compressed messages may come ...
  bool context_takeover_ : 1 = false;  // ... that refer to those before
  std::uint8_t window_bits_ : 4 = 0;
};

}  // namespace squall::websocket
