// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/utf8.hpp"
#include "websocket/deflate.hpp"
#include "websocket/growing_buffer.hpp"
#include "websocket/message_parser.hpp"

#include <array>

/// What MessageParser is made of, for its own files.
namespace squall::websocket {

enum class MessageParser::State : std::uint8_t {
  open,
  closed,                   // the peer's close frame came
  reserved_bits,            // RSV1 to RSV3 without an extension (§5.2), RSV1 where none may be
  unknown_opcode,           // §5.2
  fragmented_control,       // §5.4
  long_control,             // §5.5
  unexpected_continuation,  // nothing to continue (§5.4)
  interrupted_message,      // a new message before the end of the last (§5.4)
  unmasked,                 // from a client (§5.1)
  masked,                   // from a server (§5.1)
  length_not_minimal,       // §5.2
  length_too_long,          // the top bit of a 64-bit length (§5.2)
  message_too_big,          // §7.4.1, 1009
  invalid_text,             // §8.1, 1007
  invalid_deflate,          // RFC 7692 §7.2.2, 1007
  short_close,              // one byte is no code (§5.5.1)
  bad_close_code,           // §7.4
  invalid_close_reason,     // §5.5.1, 1007
};

struct MessageParser::Head {
  std::uint64_t payload_bytes;
  std::size_t size = 0;  // of the head itself; 0 while bytes of it are missing
  MaskKey key;
  Opcode opcode;
  bool fin;
  bool compressed;  // RSV1: the first frame of a compressed message (RFC 7692 §6)
};

struct MessageParser::Partial {
  Partial(unsigned window_bits, bool context_takeover) noexcept
      : inflater(window_bits, context_takeover) {}

  GrowingBuffer
      message;  // kept after its last frame until the next call, as the event points into it
  Inflater inflater;
  Utf8Validator utf8;
  Opcode message_opcode = Opcode::binary;
  bool in_message = false;  // between the frames of a fragmented message
  bool streaming = false;   // this message is handed out in pieces
  bool compressed = false;
  std::uint64_t wire_bytes = 0;      // of this message's frames so far, this one's included
  std::uint64_t inflated_bytes = 0;  // that this message has become so far

  // The frame whose payload is being received.
  bool in_frame = false;
  bool frame_fin = false;
  Opcode frame_opcode = Opcode::binary;
  MaskKey frame_key{};
  std::uint64_t frame_bytes = 0;
  std::uint64_t frame_taken = 0;
  union {
    std::array<char, max_control_bytes> control;
    std::array<char, max_frame_head_bytes - 1> head;  // an unfinished frame head
  };
  std::uint8_t head_size = 0;

  [[nodiscard]] std::uint64_t frame_left() const noexcept { return frame_bytes - frame_taken; }

  void begin_frame(const Head& head_read, bool stream) noexcept {
    in_frame = true;
    frame_fin = head_read.fin;
    frame_opcode = head_read.opcode;
    frame_key = head_read.key;
    frame_bytes = head_read.payload_bytes;
    frame_taken = 0;
    if (is_control(frame_opcode)) return;
    if (frame_opcode != Opcode::continuation) {
      message_opcode = frame_opcode;
      compressed = head_read.compressed;
      streaming = stream;
      wire_bytes = 0;
      inflated_bytes = 0;
      utf8 = {};
    }
    wire_bytes += frame_bytes;
  }
  void end_frame() noexcept {
    in_frame = false;
    if (!is_control(frame_opcode)) in_message = !frame_fin;
  }
  [[nodiscard]] Kind kind() const noexcept {
    return message_opcode == Opcode::text ? Kind::text : Kind::binary;
  }
};

inline std::span<char> take(std::span<char>& input, std::size_t count) noexcept {
  const std::span<char> front = input.first(count);
  input = input.subspan(count);
  return front;
}

inline std::string_view view(std::span<const char> bytes) noexcept {
  return {bytes.data(), bytes.size()};
}

}  // namespace squall::websocket
