// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate.hpp"
#include "websocket/zlib_stock.hpp"

#include <algorithm>
#include <utility>

namespace squall::websocket {
namespace {

constexpr std::size_t tail_bytes = 4;  // 00 00 FF FF, the end of every flush (RFC 7692 §7.2.1)
constexpr std::size_t most_in = std::size_t{1} << 30;  // zlib counts in unsigned int

// A message that fits into a small window needs no large one: what zlib clears for each message is
// 8 KiB then, not 64 KiB.
constexpr std::size_t small_message_bytes = 4096;
constexpr unsigned small_window_bits = 12;
constexpr std::uint8_t small_memory_level = 5;

std::unique_ptr<DeflateState> take_state(const DeflateSettings& settings) {
  // zlib has no raw DEFLATE with a window of 256 bytes. With one of 512 its matches reach back
  // 512 - 262 bytes at most (deflate.h: MAX_DIST), which is within 256.
  const unsigned window_bits = std::max<unsigned>(settings.window_bits, 9);
  return take_deflate(window_bits, settings.memory_level, settings.level);
}

DeflateSettings for_size(DeflateSettings settings, std::size_t size) noexcept {
  if (size <= small_message_bytes) {
    settings.window_bits =
        static_cast<std::uint8_t>(std::min<unsigned>(settings.window_bits, small_window_bits));
    settings.memory_level = std::min(settings.memory_level, small_memory_level);
  }
  return settings;
}

// Runs zlib over `in` and appends all that comes out.
void run(z_stream& stream, std::string_view in, int flush, std::string& out) {
  do {
    const std::string_view part = in.substr(0, most_in);
    in.remove_prefix(part.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    const int how = in.empty() ? flush : Z_NO_FLUSH;
    do {
      const std::size_t before = out.size();
      const std::size_t room = std::clamp<std::size_t>(stream.avail_in / 2 + 64, 512, 256 * 1024);
      out.resize(before + room);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream.avail_out = static_cast<uInt>(room);
      ::deflate(&stream, how);
      out.resize(before + room - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!in.empty());
}

// Runs it to a flush, and takes the flush's tail away again.
void run_to_end(z_stream& stream, std::string_view in, std::string& out) {
  const std::size_t before = out.size();
  run(stream, in, Z_SYNC_FLUSH, out);
  if (out.size() == before) {
    out.push_back('\0');  // zlib flushes nothing twice: an empty block (RFC 7692 §7.2.3.6)
  } else {
    out.resize(out.size() - tail_bytes);
  }
}

DeflateState* state_of(void* state) noexcept { return static_cast<DeflateState*>(state); }

}  // namespace

DeflateSettings deflate_settings(Role role, DeflateParameters parameters,
                                 const CompressionOptions& options) noexcept {
  DeflateSettings settings;
  settings.context_takeover = parameters.context_takeover(role);
  settings.window_bits = static_cast<std::uint8_t>(parameters.window_bits(role));
  settings.level = std::min<std::uint8_t>(options.level, 9);
  const std::uint8_t usual = settings.context_takeover ? 5 : 8;
  settings.memory_level =
      options.memory_level == 0 ? usual : std::min<std::uint8_t>(options.memory_level, 9);
  return settings;
}

bool deflate_message(const DeflateSettings& settings, std::string_view message, std::string& out) {
  if (message.size() >= most_in) {  // past what one call takes
    const std::size_t before = out.size();
    Deflater(settings).finish(message, out);
    const bool shorter = out.size() - before < message.size();
    if (!shorter) out.resize(before);
    return shorter;
  }
  std::unique_ptr<DeflateState> state = take_state(for_size(settings, message.size()));
  z_stream& stream = state->stream;
  const std::size_t before = out.size();
  const std::size_t room = message.size() + tail_bytes;
  out.resize(before + room);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(room);
  ::deflate(&stream, Z_SYNC_FLUSH);
  const bool shorter = stream.avail_out != 0;
  out.resize(shorter ? before + room - stream.avail_out - tail_bytes : before);
  give_back(std::move(state));
  return shorter;
}

Deflater::Deflater(const DeflateSettings& settings) noexcept : settings_(settings) {}

Deflater::Deflater(Deflater&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)), settings_(other.settings_) {}

Deflater& Deflater::operator=(Deflater&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::exchange(other.state_, nullptr);
    settings_ = other.settings_;
  }
  return *this;
}

Deflater::~Deflater() { end(); }

void Deflater::begin() {
  if (state_ == nullptr) state_ = take_state(settings_).release();
}

void Deflater::end() noexcept {
  give_back(std::unique_ptr<DeflateState>(state_of(std::exchange(state_, nullptr))));
}

bool Deflater::compress(std::string_view message, std::string& out) {
  if (!settings_.context_takeover) return deflate_message(settings_, message, out);
  begin();
  run_to_end(state_of(state_)->stream, message, out);
  return true;
}

void Deflater::append(std::string_view piece, bool flush, std::string& out) {
  begin();
  if (piece.empty() && !flush) return;
  run(state_of(state_)->stream, piece, flush ? Z_SYNC_FLUSH : Z_NO_FLUSH, out);
}

void Deflater::finish(std::string_view piece, std::string& out) {
  begin();
  run_to_end(state_of(state_)->stream, piece, out);
  if (!settings_.context_takeover) end();
}

}  // namespace squall::websocket
