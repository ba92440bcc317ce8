// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/answers.hpp"
#include "load/sockets.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wire_load {

enum class Opcode : std::uint8_t { text = 1, binary = 2 };

/// A masked client frame around `payload` (RFC 6455 §5.2).
std::string client_frame(Opcode opcode, std::string_view payload, std::uint32_t mask);

/// The same, its payload compressed (RFC 7692 §7.2.1).
std::string compressed_client_frame(Opcode opcode, std::string_view payload, std::uint32_t mask);

/// A connection after a checked WebSocket handshake on `path`; with `compression` it offers
/// permessage-deflate as browsers do, and the server must agree. Throws Failure.
Connection open_websocket(std::uint16_t port, std::string_view path, bool compression = false);

/// The messages every connection of a run must see, over and over.
struct FrameExpectation {
  Opcode opcode = Opcode::text;
  std::vector<std::string> payloads;
  bool is_compressed = false;  // each message, by itself
};

/// Checks a stream of server frames: unmasked, of the right kind, in order, byte for byte.
class FrameAnswers final : public Answers {
 public:
  explicit FrameAnswers(const FrameExpectation& expected) : expected_(&expected) {}

  std::size_t feed(const char* data, std::size_t size) override;
  bool between() const override {
    return header_size_ == 0 && message_offset_ == 0 && compressed_.empty();
  }

 private:
  std::size_t feed_header(std::string_view data);
  void check_header();
  std::size_t feed_payload(std::string_view data);
  void compare(std::string_view data);
  bool finish_frame();

  const FrameExpectation* expected_;
  std::size_t next_ = 0;  // which payload comes now
  std::array<unsigned char, 10> header_{};
  std::size_t header_size_ = 0;
  std::uint64_t frame_left_ = 0;
  std::size_t message_offset_ = 0;
  std::string compressed_;  // of a message that has not ended
  bool in_payload_ = false;
  bool is_control_ = false;
  bool continues_ = false;  // the next data frame continues a message
};

}  // namespace wire_load
