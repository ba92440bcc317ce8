// SPDX-License-Identifier: Apache-2.0
#include "websocket/message_parser.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace squall::websocket {

enum class MessageParser::State : std::uint8_t {
  open,
  closed,                   // the peer's close frame came
  reserved_bits,            // RSV1 to RSV3 without an extension (§5.2)
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
};

namespace {

using Event = MessageParser::Event;
using Kind = MessageParser::Kind;

/// Bytes that grow in memory the C library may move by page tables (mremap) instead of copying.
class Buffer {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }

  /// Appends `piece`. `ceiling` is the most that size() can become by the end.
  void append(std::span<const char> piece, std::size_t ceiling) {
    if (piece.empty()) return;
    if (piece.size() > capacity_ - size_) grow(size_ + piece.size(), ceiling);
    std::memcpy(data_.get() + size_, piece.data(), piece.size());
    size_ += piece.size();
  }

 private:
  struct Free {
    void operator()(char* data) const noexcept { std::free(data); }
  };
  static constexpr std::size_t least_bytes = 1024;

  // Twice what has arrived, and never what was only announced: a peer that promises a large
  // message and sends little of it costs little.
  void grow(std::size_t needed, std::size_t ceiling) {
    const std::size_t twice = needed > ceiling / 2 ? ceiling : needed * 2;
    const std::size_t capacity = std::min(std::max(twice, least_bytes), ceiling);
    char* const old = data_.release();  // realloc takes it, if it does not fail
    char* const data = static_cast<char*>(std::realloc(old, capacity));
    data_.reset(data != nullptr ? data : old);
    if (data == nullptr) throw std::bad_alloc();
    capacity_ = capacity;
  }

  std::unique_ptr<char, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

std::span<char> take(std::span<char>& input, std::size_t count) noexcept {
  const std::span<char> front = input.first(count);
  input = input.subspan(count);
  return front;
}

std::string_view view(std::span<const char> bytes) noexcept { return {bytes.data(), bytes.size()}; }

constexpr bool is_known(unsigned opcode) noexcept {
  return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA);
}

std::uint64_t read_big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

struct MessageParser::Partial {
  Buffer message;  // kept after its last frame until the next call, as the event points into it
  Utf8Validator utf8;
  Opcode message_opcode = Opcode::binary;
  bool in_message = false;  // between the frames of a fragmented message

  // The frame whose payload is being received.
  bool in_frame = false;
  bool frame_fin = false;
  Opcode frame_opcode = Opcode::binary;
  MaskKey frame_key{};
  std::uint64_t frame_bytes = 0;
  std::uint64_t frame_taken = 0;
  std::array<char, max_control_bytes> control;

  void begin_frame(const Head& head) noexcept {
    in_frame = true;
    frame_fin = head.fin;
    frame_opcode = head.opcode;
    frame_key = head.key;
    frame_bytes = head.payload_bytes;
    frame_taken = 0;
    if (head.opcode == Opcode::text || head.opcode == Opcode::binary) {
      message_opcode = head.opcode;
    }
  }
};

MessageParser::MessageParser(Role role, std::size_t max_message_bytes) noexcept
    : max_message_bytes_(max_message_bytes), role_(role), state_(State::open) {
  static_assert(sizeof(MessageParser) <= 32, "every open WebSocket has one");
}

MessageParser::~MessageParser() = default;

bool MessageParser::in_frame() const noexcept { return partial_ && partial_->in_frame; }
bool MessageParser::in_message() const noexcept { return partial_ && partial_->in_message; }

MessageParser::Event MessageParser::next(std::span<char>& input) {
  if (state_ != State::open) [[unlikely]]
    return finished(input);
  // The event that pointed into it has been dealt with.
  if (partial_ && !in_frame() && !in_message()) partial_.reset();

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

    const bool stands_alone =
        is_control(head.opcode) || (head.fin && head.opcode != Opcode::continuation);
    if (stands_alone && head.payload_bytes <= input.size()) return take_whole_frame(head, input);
    if (!partial_) partial_ = std::make_unique<Partial>();
    partial_->begin_frame(head);
  }
}

// Takes a head off the input, or all of the input when that has only a part of a head.
MessageParser::State MessageParser::take_head(std::span<char>& input, Head& head) noexcept {
  if (head_size_ == 0) [[likely]] {
    const State verdict = read_head(view(input), head);
    if (verdict != State::open) return verdict;
    if (head.size != 0) {
      take(input, head.size);
    } else {
      std::memcpy(head_.data(), input.data(), input.size());
      head_size_ = static_cast<std::uint8_t>(input.size());
      input = {};
    }
    return State::open;
  }

  std::array<char, max_frame_head_bytes> bytes;
  std::memcpy(bytes.data(), head_.data(), head_size_);
  const std::size_t added = std::min(bytes.size() - head_size_, input.size());
  std::memcpy(bytes.data() + head_size_, input.data(), added);
  const State verdict = read_head({bytes.data(), head_size_ + added}, head);
  if (verdict != State::open) return verdict;
  if (head.size != 0) {
    take(input, head.size - head_size_);
    head_size_ = 0;
  } else {
    std::memcpy(head_.data() + head_size_, input.data(), added);
    head_size_ = static_cast<std::uint8_t>(head_size_ + added);
    input = {};
  }
  return State::open;
}

// Reads the head that `bytes` begin with, if it is whole. Each byte is judged as soon as it is
// there, so that the connection fails before anything is waited for in vain.
MessageParser::State MessageParser::read_head(std::string_view bytes, Head& head) const noexcept {
  const unsigned first = static_cast<unsigned char>(bytes[0]);
  head.fin = (first & 0x80U) != 0;
  head.opcode = static_cast<Opcode>(first & 0x0FU);
  if ((first & 0x70U) != 0) return State::reserved_bits;
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
    const std::size_t before = in_message() ? partial_->message.size() : 0;
    if (head.payload_bytes > max_message_bytes_ - before) return State::message_too_big;
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
  if (head.opcode == Opcode::binary) return {Kind::binary, CloseCode::none, view(payload)};
  if (!is_utf8(view(payload))) return fail(State::invalid_text);
  return {Kind::text, CloseCode::none, view(payload)};
}

// As much as there is of the frame that partial_ has begun; an event when that ends something.
MessageParser::Event MessageParser::take_piece(std::span<char>& input) {
  Partial& partial = *partial_;
  const std::uint64_t left = partial.frame_bytes - partial.frame_taken;
  const std::span<char> piece =
      take(input, left < input.size() ? static_cast<std::size_t>(left) : input.size());
  if (role_ == Role::server) apply_mask(piece, partial.frame_key, partial.frame_taken);

  if (is_control(partial.frame_opcode)) {
    std::copy(piece.begin(), piece.end(), partial.control.data() + partial.frame_taken);
    partial.frame_taken += piece.size();
    if (partial.frame_taken < partial.frame_bytes) return {};
    partial.in_frame = false;
    const auto size = static_cast<std::size_t>(partial.frame_bytes);
    return finish_control(partial.frame_opcode, {partial.control.data(), size});
  }

  const bool is_text = partial.message_opcode == Opcode::text;
  if (is_text && !partial.utf8.feed(view(piece))) return fail(State::invalid_text);
  // read_head() has compared the frame with the limit, so that these fit into a size_t.
  const std::size_t ceiling = partial.frame_fin
                                  ? partial.message.size() + static_cast<std::size_t>(left)
                                  : max_message_bytes_;
  partial.message.append(piece, ceiling);
  partial.frame_taken += piece.size();
  if (partial.frame_taken < partial.frame_bytes) return {};
  partial.in_frame = false;
  partial.in_message = !partial.frame_fin;
  if (!partial.frame_fin) return {};
  if (is_text && !partial.utf8.complete()) return fail(State::invalid_text);
  return {is_text ? Kind::text : Kind::binary, CloseCode::none, partial.message.view()};
}

MessageParser::Event MessageParser::finish_control(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::ping) return {Kind::ping, CloseCode::none, payload};
  if (opcode == Opcode::pong) return {Kind::pong, CloseCode::none, payload};
  if (payload.empty()) {
    state_ = State::closed;
    return {Kind::close, CloseCode::no_status, payload};
  }
  if (payload.size() == 1) return fail(State::short_close);
  const auto code = static_cast<std::uint16_t>(read_big_endian(payload.substr(0, 2)));
  if (!may_be_sent(code)) return fail(State::bad_close_code);
  const std::string_view reason = payload.substr(2);
  if (!is_utf8(reason)) return fail(State::invalid_close_reason);
  state_ = State::closed;
  return {Kind::close, static_cast<CloseCode>(code), reason};
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
    return Event{Kind::failed, code, text};
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
