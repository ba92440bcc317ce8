// SPDX-License-Identifier: Apache-2.0
#include "websocket/message_parser.hpp"

#include "base/utf8.hpp"
#include "websocket/message_parser_state.hpp"

#include <algorithm>
#include <cstring>

namespace squall::websocket {
namespace {

constexpr bool is_known(unsigned opcode) noexcept {
  return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA);
}

std::uint64_t read_big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

MessageParser::MessageParser(Role role, std::size_t max_message_bytes) noexcept
    : state_(State::open), role_(role) {
  static_assert(sizeof(MessageParser) <= 16, "every open WebSocket has one");
  set_max_message_bytes(max_message_bytes);
}

MessageParser::~MessageParser() = default;

void MessageParser::set_max_message_bytes(std::size_t size) noexcept {
  max_message_bytes_ =
      size == SIZE_MAX ? UINT32_MAX
                       : static_cast<std::uint32_t>(std::min<std::size_t>(size, UINT32_MAX - 1));
}

void MessageParser::set_deflate(DeflateParameters parameters) noexcept {
  const Role peer = role_ == Role::server ? Role::client : Role::server;
  deflate_ = true;
  context_takeover_ = parameters.context_takeover(peer);
  window_bits_ = static_cast<std::uint8_t>(parameters.window_bits(peer) & 15U);
}

bool MessageParser::is_inside_message() const noexcept {
  return partial_ && (partial_->in_frame || partial_->in_message || partial_->head_size != 0);
}

MessageParser::Partial& MessageParser::partial() {
  if (!partial_) partial_.reset(new Partial(window_bits_, context_takeover_));
  return *partial_;
}

// Between messages: only what later ones refer to is kept.
void MessageParser::rest() noexcept {
  if (!partial_->inflater.has_state()) {
    partial_.reset();
  } else {
    partial_->message.rest();
  }
}

std::uint64_t MessageParser::most_message_bytes() const noexcept {
  return max_message_bytes_ == UINT32_MAX ? UINT64_MAX : max_message_bytes_;
}

// What cannot be compressed becomes longer by it: zlib's own bound (deflateBound), roughly.
std::uint64_t MessageParser::most_wire_bytes(bool compressed) const noexcept {
  const std::uint64_t most = most_message_bytes();
  return !compressed || most == UINT64_MAX ? most : most + most / 8 + most / 64 + 64;
}

bool MessageParser::in_frame() const noexcept { return partial_ && partial_->in_frame; }
bool MessageParser::in_message() const noexcept { return partial_ && partial_->in_message; }

// Most frames: an unfragmented text or binary message of less than 64 KiB, whole in the input, on a
// connection that is in the middle of nothing. Everything else, faults too, is left to the long
// way.
inline bool MessageParser::take_common(std::span<char>& input, Event& event) {
  constexpr unsigned final_text = 0x81;
  constexpr unsigned final_binary = 0x82;
  constexpr unsigned mask_bit = 0x80;
  if (input.size() < 2) return false;
  const unsigned first = static_cast<unsigned char>(input[0]);
  if (first != final_text && first != final_binary) return false;
  const unsigned second = static_cast<unsigned char>(input[1]);
  const bool is_server = role_ == Role::server;
  if (((second & mask_bit) != 0) != is_server) return false;
  std::size_t head = 2;
  std::size_t size = second & 0x7FU;
  if (size > 125) {
    if (size != 126 || input.size() < 4) return false;
    size = static_cast<std::size_t>(static_cast<unsigned char>(input[2])) << 8 |
           static_cast<unsigned char>(input[3]);
    if (size < 126) return false;
    head = 4;
  }
  if (size > max_message_bytes_) return false;
  MaskKey key;
  const std::size_t all = head + (is_server ? key.size() : 0) + size;
  if (input.size() < all) return false;
  if (is_server) std::memcpy(key.data(), input.data() + head, key.size());

  const std::span<char> payload = input.subspan(all - size, size);
  input = input.subspan(all);
  event.payload = view(payload);
  event.kind = first == final_text ? Kind::text : Kind::binary;
  if (event.kind == Kind::binary) {
    if (is_server) apply_mask(payload, key);
  } else if (!is_server || !unmask_ascii(payload, key)) {
    if (!is_utf8(event.payload)) event = fail(State::invalid_text);
  }
  return true;
}

MessageParser::Event MessageParser::next(std::span<char>& input) {
  if (!partial_ && state_ == State::open) [[likely]] {
    Event event;
    if (take_common(input, event)) return event;
  }
  return next_of_any(input);
}

MessageParser::Event MessageParser::next_of_any(std::span<char>& input) {
  if (state_ != State::open) [[unlikely]]
    return finished(input);
  // The event that pointed into it has been dealt with.
  if (partial_ && !is_inside_message()) rest();

  for (;;) {
    if (in_frame()) {
      const Event event = take_piece(input);
      if (event.kind != Kind::need_more || in_frame()) return event;
    }
    if (input.empty()) return {};

    Head head;
    const State verdict = take_head(input, head);
    if (verdict != State::open) [[unlikely]]
      return fail(verdict);
    if (head.size == 0) return {};

    const bool stands_alone = is_control(head.opcode) ||
                              (head.fin && head.opcode != Opcode::continuation && !head.compressed);
    if (stands_alone && head.payload_bytes <= input.size()) return take_whole_frame(head, input);
    partial().begin_frame(head, streaming_);
  }
}

// Takes a head off the input, or all of the input when that has only a part of a head.
MessageParser::State MessageParser::take_head(std::span<char>& input, Head& head) {
  const std::size_t kept = partial_ ? partial_->head_size : 0;
  if (kept == 0) [[likely]] {
    const State verdict = read_head(view(input), head);
    if (verdict != State::open) return verdict;
    if (head.size != 0) {
      take(input, head.size);
    } else {
      keep_head(0, take(input, input.size()));
    }
    return State::open;
  }

  std::array<char, max_frame_head_bytes> bytes;
  std::memcpy(bytes.data(), partial_->head.data(), kept);
  const std::size_t added = std::min(bytes.size() - kept, input.size());
  std::memcpy(bytes.data() + kept, input.data(), added);
  const State verdict = read_head({bytes.data(), kept + added}, head);
  if (verdict != State::open) return verdict;
  if (head.size != 0) {
    take(input, head.size - kept);
    partial_->head_size = 0;
  } else {
    keep_head(kept, take(input, added));
  }
  return State::open;
}

void MessageParser::keep_head(std::size_t kept, std::span<const char> more) {
  Partial& to = partial();
  std::memcpy(to.head.data() + kept, more.data(), more.size());
  to.head_size = static_cast<std::uint8_t>(kept + more.size());
}

// Reads the head that `bytes` begin with, if it is whole. Each byte is judged as soon as it is
// there, so that the connection fails before anything is waited for in vain.
MessageParser::State MessageParser::read_head(std::string_view bytes, Head& head) const noexcept {
  const unsigned first = static_cast<unsigned char>(bytes[0]);
  head.fin = (first & 0x80U) != 0;
  head.opcode = static_cast<Opcode>(first & 0x0FU);
  head.compressed = false;
  if ((first & 0x70U) != 0) [[unlikely]] {
    // RFC 7692 §6: RSV1 only on the first frame of a data message.
    const bool allowed = (first & 0x70U) == 0x40U && deflate_ && !is_control(head.opcode) &&
                         head.opcode != Opcode::continuation;
    if (!allowed) return State::reserved_bits;
    head.compressed = true;
  }
  if (!is_known(first & 0x0FU)) return State::unknown_opcode;
  const bool control = is_control(head.opcode);
  if (control) {
    if (!head.fin) return State::fragmented_control;
  } else if (head.opcode == Opcode::continuation) {
    if (!in_message()) return State::unexpected_continuation;
  } else if (in_message()) {
    return State::interrupted_message;
  }
  if (bytes.size() < 2) return State::open;

  const unsigned second = static_cast<unsigned char>(bytes[1]);
  const bool is_masked = (second & 0x80U) != 0;
  if (role_ == Role::server && !is_masked) return State::unmasked;
  if (role_ == Role::client && is_masked) return State::masked;
  std::size_t size = 2;
  head.payload_bytes = second & 0x7FU;
  if (head.payload_bytes >= 126) {
    if (control) return State::long_control;
    size = head.payload_bytes == 126 ? 4 : 10;
    if (bytes.size() < size) return State::open;
    head.payload_bytes = read_big_endian(bytes.substr(2, size - 2));
    if (head.payload_bytes >> 63 != 0) return State::length_too_long;
    if (head.payload_bytes <= (size == 4 ? 125U : 0xFFFFU)) return State::length_not_minimal;
  }
  if (!control) {
    // After a limit that was lowered there may be more already than it allows.
    const bool goes_on = in_message();
    const std::uint64_t before = goes_on ? partial_->wire_bytes : 0;
    const std::uint64_t most = most_wire_bytes(goes_on ? partial_->compressed : head.compressed);
    if (before > most || head.payload_bytes > most - before) return State::message_too_big;
  }
  if (is_masked) {
    if (bytes.size() < size + head.key.size()) return State::open;
    std::memcpy(head.key.data(), bytes.data() + size, head.key.size());
    size += head.key.size();
  }
  head.size = size;
  return State::open;
}

// A frame that needs no others and lies whole in the input: nothing is copied.
MessageParser::Event MessageParser::take_whole_frame(const Head& head, std::span<char>& input) {
  const std::span<char> payload = take(input, static_cast<std::size_t>(head.payload_bytes));
  if (role_ == Role::server) apply_mask(payload, head.key);
  if (is_control(head.opcode)) return finish_control(head.opcode, view(payload));
  if (head.opcode == Opcode::binary) return {Kind::binary, true, CloseCode::none, view(payload)};
  if (!is_utf8(view(payload))) return fail(State::invalid_text);
  return {Kind::text, true, CloseCode::none, view(payload)};
}

MessageParser::Event MessageParser::finish_control(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::ping) return {Kind::ping, true, CloseCode::none, payload};
  if (opcode == Opcode::pong) return {Kind::pong, true, CloseCode::none, payload};
  if (payload.empty()) {
    state_ = State::closed;
    return {Kind::close, true, CloseCode::no_status, payload};
  }
  if (payload.size() == 1) return fail(State::short_close);
  const auto code = static_cast<std::uint16_t>(read_big_endian(payload.substr(0, 2)));
  if (!may_be_sent(code)) return fail(State::bad_close_code);
  const std::string_view reason = payload.substr(2);
  if (!is_utf8(reason)) return fail(State::invalid_close_reason);
  state_ = State::closed;
  return {Kind::close, true, static_cast<CloseCode>(code), reason};
}

MessageParser::Event MessageParser::finished(std::span<char>& input) {
  if (state_ != State::closed) return fail(state_);
  partial_.reset();
  input = {};
  return {};
}

MessageParser::Event MessageParser::fail(State why) {
  state_ = why;
  partial_.reset();
  const auto failed = [](CloseCode code, std::string_view text) {
    return Event{Kind::failed, true, code, text};
  };
  switch (why) {
    case State::open:
    case State::closed:
      break;
    case State::reserved_bits:
      return failed(CloseCode::protocol_error, "reserved bits are set");
    case State::unknown_opcode:
      return failed(CloseCode::protocol_error, "unknown opcode");
    case State::fragmented_control:
      return failed(CloseCode::protocol_error, "fragmented control frame");
    case State::long_control:
      return failed(CloseCode::protocol_error, "control frame longer than 125 bytes");
    case State::unexpected_continuation:
      return failed(CloseCode::protocol_error, "continuation of no message");
    case State::interrupted_message:
      return failed(CloseCode::protocol_error, "new message inside a fragmented one");
    case State::unmasked:
      return failed(CloseCode::protocol_error, "unmasked frame from a client");
    case State::masked:
      return failed(CloseCode::protocol_error, "masked frame from a server");
    case State::length_not_minimal:
      return failed(CloseCode::protocol_error, "length not in its shortest form");
    case State::length_too_long:
      return failed(CloseCode::protocol_error, "length with the top bit set");
    case State::message_too_big:
      return failed(CloseCode::message_too_big, "message too big");
    case State::invalid_text:
      return failed(CloseCode::invalid_payload, "text is not UTF-8");
    case State::invalid_deflate:
      return failed(CloseCode::invalid_payload, "compressed message is not DEFLATE");
    case State::short_close:
      return failed(CloseCode::protocol_error, "close frame of one byte");
    case State::bad_close_code:
      return failed(CloseCode::protocol_error, "close code that may not be sent");
    case State::invalid_close_reason:
      return failed(CloseCode::invalid_payload, "close reason is not UTF-8");
  }
  return failed(CloseCode::internal_error, "not a failure");
}

}  // namespace squall::websocket
