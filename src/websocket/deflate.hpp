// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/deflate_negotiation.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace squall::websocket {

/// How one end compresses. Four bytes; messages that are compressed with equal settings and no
/// context takeover come out equal, so that a broadcast needs to do it once.
struct DeflateSettings {
  std::uint8_t window_bits = 15;
  std::uint8_t level = 6;
  std::uint8_t memory_level = 8;
  bool context_takeover = false;

  friend bool operator==(const DeflateSettings&, const DeflateSettings&) = default;
};

/// The settings of what we send.
[[nodiscard]] DeflateSettings deflate_settings(Role role, DeflateParameters parameters,
                                               const CompressionOptions& options) noexcept;

/// Compresses one whole message without any state that stays (server/client_no_context_takeover)
/// and appends the payload to `out` (RFC 7692 §7.2.1, without the tail 00 00 FF FF). False, and
/// `out` as it was, when that would not be shorter than the message: it is to be sent as it is.
///
/// The zlib state comes from a few that each thread keeps. Throws std::bad_alloc, nothing else.
bool deflate_message(const DeflateSettings& settings, std::string_view message, std::string& out);

/// Compresses the messages of one connection, whole or in pieces.
///
/// Without context takeover it holds memory only inside a message that is made of pieces. With it,
/// the zlib state stays from the first message on; make the Deflater only then. Throws
/// std::bad_alloc, nothing else.
class Deflater {
 public:
  explicit Deflater(const DeflateSettings& settings) noexcept;
  Deflater(Deflater&& other) noexcept;
  Deflater& operator=(Deflater&& other) noexcept;
  ~Deflater();

  [[nodiscard]] const DeflateSettings& settings() const noexcept { return settings_; }
  /// Whether there is a state that later messages refer to.
  [[nodiscard]] bool has_state() const noexcept { return state_ != nullptr; }

  /// Appends the payload of one whole message. False as with deflate_message(), but only without
  /// context takeover: with it all messages that come here are compressed.
  bool compress(std::string_view message, std::string& out);

  /// Appends what is ready of a message in pieces: the payload of one frame, which may be empty.
  /// With `flush` it is all that was taken so far. Between the pieces of a message nothing else may
  /// be compressed.
  void append(std::string_view piece, bool flush, std::string& out);
  /// Takes the last piece, which may be empty, and appends the payload of the last frame.
  void finish(std::string_view piece, std::string& out);

 private:
  void begin();
  void end() noexcept;

  void* state_ = nullptr;  // a zlib stream
  DeflateSettings settings_;
};

/// Decompresses the messages of one connection (RFC 7692 §7.2.2) into room that is given to it.
///
/// Without context takeover it holds memory only inside a message.
class Inflater {
 public:
  enum class State : std::uint8_t {
    need_input,  ///< all is taken, and the message is not at its end
    need_room,   ///< the room is full; there may be more
    done,        ///< the message is at its end
    bad_data,    ///< not DEFLATE, or cut short: 1007. The Inflater is of no use any more
  };
  struct Step {
    std::size_t written = 0;
    State state = State::need_input;
  };

  Inflater(unsigned window_bits, bool context_takeover) noexcept;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  /// Takes bytes from the front of `input`, and writes into `room`, which is not empty. `fin` says
  /// that `input` holds the last bytes of the message (none are left to come after it). Throws
  /// std::bad_alloc, nothing else.
  Step next(std::string_view& input, bool fin, std::span<char> room);

  /// Whether there is a state that later messages refer to, or a message is unfinished.
  [[nodiscard]] bool has_state() const noexcept { return state_ != nullptr; }

 private:
  Step finish(std::span<char> room, std::size_t written);
  void end() noexcept;

  void* state_ = nullptr;  // a zlib stream
  std::uint8_t window_bits_;
  bool context_takeover_;
  bool begun_ : 1 = false;   // bytes of this message came
  bool at_end_ : 1 = false;  // of a DEFLATE stream: a block with BFINAL was the last
};

/// zlib states that this thread keeps for the next message; for tests.
[[nodiscard]] std::size_t idle_deflate_states() noexcept;
[[nodiscard]] std::size_t idle_inflate_states() noexcept;

}  // namespace squall::websocket
