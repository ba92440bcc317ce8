// SPDX-License-Identifier: Apache-2.0
#include "websocket/message_parser_state.hpp"

#include <algorithm>

namespace squall::websocket {
namespace {

// While streaming: the most that comes out at once, and what is looked at for it.
constexpr std::size_t streamed_piece_bytes = 16 * 1024;
constexpr std::size_t streamed_input_bytes = 4 * 1024;

}  // namespace

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
  GrowingBuffer& message = partial_->message;
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

}  // namespace squall::websocket
