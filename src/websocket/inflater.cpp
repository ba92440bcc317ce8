// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate.hpp"
#include "websocket/zlib_stock.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace squall::websocket {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view tail = "\x00\x00\xFF\xFF"sv;  // RFC 7692 §7.2.2

InflateState* state_of(void* state) noexcept { return static_cast<InflateState*>(state); }

enum class Pump : std::uint8_t { more, stream_end, bad };

// One call of zlib, which takes all of `in`, or fills `room`, or comes to the end of the stream.
Pump pump(z_stream& stream, std::string_view& in, std::span<char> room, std::size_t& written) {
  constexpr std::size_t most = std::size_t{1} << 30;  // zlib counts in unsigned int
  const auto given = static_cast<uInt>(std::min(in.size(), most));
  const auto space = static_cast<uInt>(std::min(room.size() - written, most));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = given;
  stream.next_out = reinterpret_cast<Bytef*>(room.data() + written);
  stream.avail_out = space;
  const int result = ::inflate(&stream, Z_SYNC_FLUSH);
  in.remove_prefix(given - stream.avail_in);
  written += space - stream.avail_out;
  switch (result) {
    case Z_OK:
    case Z_BUF_ERROR:  // nothing to do: no input, and nothing held back
      return Pump::more;
    case Z_STREAM_END:
      return Pump::stream_end;
    case Z_MEM_ERROR:
      throw std::bad_alloc();
    default:
      return Pump::bad;
  }
}

// What zlib tells of where it stands: between two blocks, on a byte, and not behind the last.
bool is_between_blocks(const z_stream& stream) noexcept { return stream.data_type == 128; }

}  // namespace

Inflater::Inflater(unsigned window_bits, bool context_takeover) noexcept
    : window_bits_(static_cast<std::uint8_t>(window_bits)), context_takeover_(context_takeover) {}

Inflater::~Inflater() { end(); }

void Inflater::end() noexcept {
  give_back(std::unique_ptr<InflateState>(state_of(std::exchange(state_, nullptr))));
  begun_ = false;
  at_end_ = false;
}

Inflater::Step Inflater::next(std::string_view& input, bool fin, std::span<char> room) {
  if (!begun_) {
    // No bytes at all are no DEFLATE (an empty message is one byte, RFC 7692 §7.2.3.6), but can
    // only mean an empty message, which zlib makes of them too.
    if (input.empty()) return {0, fin ? State::done : State::need_input};
    // Without context takeover the window is that of all others, so that they can share it.
    if (state_ == nullptr) state_ = take_inflate(context_takeover_ ? window_bits_ : 15).release();
    begun_ = true;
  }
  z_stream& stream = state_of(state_)->stream;
  std::size_t written = 0;
  do {
    if (at_end_) {
      if (input.empty()) break;
      // What follows a block with BFINAL is another DEFLATE stream of the same message
      // (RFC 7692 §7.2.3.4). Its window is kept: our side cannot know what the sender's does.
      ::inflateResetKeep(&stream);
      at_end_ = false;
    }
    const Pump result = pump(stream, input, room, written);
    if (result == Pump::bad) {
      end();
      return {written, State::bad_data};
    }
    at_end_ = result == Pump::stream_end;
    if (written == room.size()) return {written, State::need_room};
  } while (!input.empty());
  return fin ? finish(room, written) : Step{written, State::need_input};
}

Inflater::Step Inflater::finish(std::span<char> room, std::size_t written) {
  z_stream& stream = state_of(state_)->stream;
  // Nothing is missing from a message that ends with its stream, though RFC 7692 §7.2.3.4 has one
  // byte more.
  if (!at_end_) {
    // There is room, so nothing was held back: what comes out now was made of the tail, which
    // holds no text and ends no stream. The message was cut short within a block.
    const std::size_t before = written;
    std::string_view rest = tail;
    const Pump result = pump(stream, rest, room, written);
    if (result != Pump::more || written != before || !rest.empty()) {
      end();
      return {before, State::bad_data};
    }
  }
  if (!at_end_ && !is_between_blocks(stream)) {  // the message was cut short
    end();
    return {written, State::bad_data};
  }
  begun_ = false;
  if (!context_takeover_) end();
  return {written, State::done};
}

}  // namespace squall::websocket
