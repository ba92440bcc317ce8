// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/websocket/close_code.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace squall::websocket {

enum class Role : std::uint8_t { server, client };  ///< which end we are; decides who masks

/// What a frame is (RFC 6455 §5.2). The numbers not named are reserved.
enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

/// Close, ping and pong: never fragmented, at most max_control_bytes of payload (RFC 6455 §5.5).
[[nodiscard]] constexpr bool is_control(Opcode opcode) noexcept {
  return (static_cast<unsigned>(opcode) & 0x8U) != 0;
}

inline constexpr std::size_t max_frame_head_bytes = 14;  ///< two, a 64-bit length, a masking key
inline constexpr std::size_t max_control_bytes = 125;

using MaskKey = std::array<std::uint8_t, 4>;  ///< in wire order

/// Writes the head of an unmasked frame, as servers send them (RFC 6455 §5.1), to `out`, which has
/// room for max_frame_head_bytes, and returns its size: 2, 4 or 10. The length is written in its
/// shortest form (RFC 6455 §5.2).
inline std::size_t encode_frame_head(char* out, Opcode opcode, bool fin,
                                     std::uint64_t payload_bytes) noexcept {
  out[0] = static_cast<char>((fin ? 0x80U : 0U) | static_cast<unsigned>(opcode));
  if (payload_bytes < 126) {
    out[1] = static_cast<char>(payload_bytes);
    return 2;
  }
  if (payload_bytes <= 0xFFFF) {
    out[1] = 126;
    out[2] = static_cast<char>(payload_bytes >> 8);
    out[3] = static_cast<char>(payload_bytes & 0xFF);
    return 4;
  }
  out[1] = 127;
  for (std::size_t i = 0; i < 8; ++i) {
    out[2 + i] = static_cast<char>(payload_bytes >> (56 - 8 * i) & 0xFF);
  }
  return 10;
}

/// Writes the head of a masked frame, as clients send them, and returns its size: 6, 8 or 14. The
/// payload is then to be masked with apply_mask() and the same key, which must not be guessable
/// (RFC 6455 §5.3, §10.3).
inline std::size_t encode_masked_frame_head(char* out, Opcode opcode, bool fin,
                                            std::uint64_t payload_bytes, MaskKey key) noexcept {
  const std::size_t size = encode_frame_head(out, opcode, fin, payload_bytes);
  out[1] = static_cast<char>(static_cast<unsigned char>(out[1]) | 0x80U);
  std::memcpy(out + size, key.data(), key.size());
  return size + key.size();
}

/// Masks or unmasks `payload` in place (RFC 6455 §5.3; it is its own inverse). `offset` is how many
/// bytes of the same frame went before, so that a frame may come in pieces.
void apply_mask(std::span<char> payload, MaskKey key, std::uint64_t offset = 0) noexcept;

/// Unmasks a whole payload in place, and says whether it is ASCII throughout, on the same way.
[[nodiscard]] bool unmask_ascii(std::span<char> payload, MaskKey key) noexcept;

}  // namespace squall::websocket
