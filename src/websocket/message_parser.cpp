// SPDX-License-Identifier: Apache-2.0
#include "websocket/message_parser.hpp"

#include "base/utf8.hpp"
#include "websocket/deflate.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

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

  /// Room behind what is there, at least `least` bytes of it; commit() makes part of it count.
  std::span<char> prepare(std::size_t least, std::size_t ceiling) {
    if (capacity_ - size_ < least) grow(size_ + least, ceiling);
    return {data_.get() + size_, capacity_ - size_};
  }
  void commit(std::size_t size) noexcept { size_ += size; }
  void clear() noexcept { size_ = 0; }
  /// Forgets what is there; little memory is kept for what comes next.
  void rest() noexcept {
    size_ = 0;
    if (capacity_ <= kept_bytes) return;
    data_.reset();
    capacity_ = 0;
  }

 private:
  struct Free {
    void operator()(char* data) const noexcept { std::free(data); }
  };
  static constexpr std::size_t least_bytes = 1024;
  static constexpr std::size_t kept_bytes = 4096;

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

// While streaming: the most that comes out at once, and what is looked at for it.
constexpr std::size_t streamed_piece_bytes = 16 * 1024;
constexpr std::size_t streamed_input_bytes = 4 * 1024;

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
  Partial(unsigned window_bits, bool context_takeover) noexcept
      : inflater(window_bits, context_takeover) {}

  Buffer message;  // kept after its last frame until the next call, as the event points into it
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

// As much as there is of the frame that partial_ has begun; an event when that makes one.
MessageParser::Event MessageParser::take_piece(std::span<char>& input) {
  if (is_control(partial_->frame_opcode)) return take_control(input);
  return partial_->compressed ? take_compressed(input) : take_plain(input);
}

std::span<char> MessageParser::take_payload(std::span<char>& input, std::size_t most) noexcept {
  Partial& partial = *partial_;
  const std::uint64_t size = std::min<std::uint64_t>({partial.frame_left(), input.size(), most});
  const std::span<char> piece = take(input, static_cast<std::size_t>(size));
  if (role_ == Role::server) apply_mask(piece, partial.frame_key, partial.frame_taken);
  partial.frame_taken += size;
  return piece;
}

MessageParser::Event MessageParser::take_control(std::span<char>& input) {
  Partial& partial = *partial_;
  char* const at = partial.control.data() + partial.frame_taken;
  const std::span<char> piece = take_payload(input, SIZE_MAX);
  std::copy(piece.begin(), piece.end(), at);
  if (partial.frame_left() != 0) return {};
  partial.end_frame();
  const auto size = static_cast<std::size_t>(partial.frame_bytes);
  return finish_control(partial.frame_opcode, {partial.control.data(), size});
}

MessageParser::Event MessageParser::take_plain(std::span<char>& input) {
  Partial& partial = *partial_;
  const std::uint64_t left = partial.frame_left();
  const std::span<char> piece = take_payload(input, SIZE_MAX);
  const bool is_text = partial.message_opcode == Opcode::text;
  if (is_text && !partial.utf8.feed(view(piece))) return fail(State::invalid_text);
  if (!partial.streaming) {
    // read_head() has compared the frame with the limit, so that these fit into a size_t.
    const std::size_t ceiling = partial.frame_fin
                                    ? partial.message.size() + static_cast<std::size_t>(left)
                                    : static_cast<std::size_t>(most_message_bytes());
    partial.message.append(piece, ceiling);
  }
  const bool frame_ends = partial.frame_left() == 0;
  const bool fin = frame_ends && partial.frame_fin;
  if (frame_ends) partial.end_frame();
  if (fin && is_text && !partial.utf8.complete()) return fail(State::invalid_text);
  if (partial.streaming) {
    if (piece.empty() && !fin) return {};
    return {partial.kind(), fin, CloseCode::none, view(piece)};
  }
  if (!fin) return {};
  return {partial.kind(), true, CloseCode::none, partial.message.view()};
}

// Inflates as much as there is, or while streaming one piece of it.
MessageParser::Event MessageParser::take_compressed(std::span<char>& input) {
  Partial& partial = *partial_;
  const std::uint64_t most = most_message_bytes();
  if (partial.streaming) partial.message.clear();
  for (;;) {
    const std::span<char> piece =
        take_payload(input, partial.streaming ? streamed_input_bytes : SIZE_MAX);
    std::string_view rest = view(piece);
    const bool frame_ends = partial.frame_left() == 0;
    const bool fin = frame_ends && partial.frame_fin;

    Inflater::State state;
    do {
      // One byte more than may come, so that it is seen when too much does.
      const std::uint64_t may_come =
          most > partial.inflated_bytes ? most - partial.inflated_bytes : 0;
      const std::span<char> room = room_for(rest.size(), may_come);
      const Inflater::Step step = partial.inflater.next(rest, fin, room);
      state = step.state;
      if (step.written > may_come) return fail(State::message_too_big);
      if (partial.message_opcode == Opcode::text &&
          !partial.utf8.feed({room.data(), step.written})) {
        return fail(State::invalid_text);
      }
      partial.inflated_bytes += step.written;
      partial.message.commit(step.written);
      if (state == Inflater::State::bad_data) return fail(State::invalid_deflate);
    } while (state == Inflater::State::need_room && !is_piece_full());

    if (state == Inflater::State::need_room) {
      give_payload_back(input, rest.size());
      return {partial.kind(), false, CloseCode::none, partial.message.view()};
    }
    if (frame_ends) partial.end_frame();
    if (fin) {
      if (partial.message_opcode == Opcode::text && !partial.utf8.complete()) {
        return fail(State::invalid_text);
      }
      return {partial.kind(), true, CloseCode::none, partial.message.view()};
    }
    if (frame_ends || input.empty()) break;
  }
  if (!partial.streaming || partial.message.size() == 0) return {};
  return {partial.kind(), false, CloseCode::none, partial.message.view()};
}

bool MessageParser::is_piece_full() const noexcept {
  return partial_->streaming && partial_->message.size() >= streamed_piece_bytes;
}

// Room for what the next bytes become. A message is rarely longer than four times what it is
// compressed; the buffer doubles where it is.
std::span<char> MessageParser::room_for(std::size_t compressed_bytes, std::uint64_t may_come) {
  Buffer& message = partial_->message;
  const std::size_t ceiling = may_come >= SIZE_MAX - message.size() - 1
                                  ? SIZE_MAX
                                  : message.size() + static_cast<std::size_t>(may_come) + 1;
  if (partial_->streaming) {
    return message.prepare(1, std::min(ceiling, streamed_piece_bytes));
  }
  const std::size_t likely = std::clamp<std::size_t>(compressed_bytes * 4, 64, 256 * 1024);
  return message.prepare(std::min(likely, ceiling - message.size()), ceiling);
}

// Takes the last bytes of the frame's payload back, as they came.
void MessageParser::give_payload_back(std::span<char>& input, std::size_t size) noexcept {
  Partial& partial = *partial_;
  partial.frame_taken -= size;
  input = {input.data() - size, input.size() + size};
  if (role_ == Role::server) {
    apply_mask(input.first(size), partial.frame_key, partial.frame_taken);
  }
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
